"""Zips of every kind are read, and hostile or damaged ones told."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from pagemill.engine.reason import Reason
from support.archives import (
    MEMBERS,
    PDF,
    fate,
    files_in,
    listed,
    read,
    refusals,
    tar_of,
    zip_of,
)


@pytest.mark.parametrize("method", [0, 8, 12, 14])
def test_zip_members_are_read_with_every_common_method(tmp_path: Path, method: int) -> None:
    sources = listed(tmp_path / "x.zip", zip_of(MEMBERS, method))
    got = {source.member: read(source, tmp_path / "scratch") for source in sources}
    assert got == {name: data for name, data in MEMBERS if name != "c.json"}


def test_streamed_and_zip64_and_prefixed_zips_are_read(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive, archive.open("a.pdf", "w", force_zip64=True) as out:
        out.write(PDF)
    sources = listed(tmp_path / "x.zip", b"#!/bin/sh self-extracting\n" + pipe.getvalue())
    assert [read(source, tmp_path / "s") for source in sources] == [PDF]


def test_zip_with_more_than_65535_members(tmp_path: Path) -> None:
    data = zip_of([(f"{n}.pdf", b"") for n in range(65_600)], 0)
    sources = listed(tmp_path / "x.zip", data)
    assert len(sources) == 65_600
    assert not any(source.refusal for source in sources)


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    data = bytearray(zip_of([("a.pdf", PDF), ("b.json", b"{}"), ("c", PDF)]))
    at = -1
    while (at := data.find(b"PK\1\2", at + 1)) >= 0:
        data[at + 8] |= 1
    assert refusals(listed(tmp_path / "x.zip", bytes(data))) == {
        "a.pdf": Reason.ARCHIVE_ENCRYPTED,
        "c": Reason.ARCHIVE_ENCRYPTED,
    }


def test_unknown_methods_are_refused(tmp_path: Path) -> None:
    data = bytearray(zip_of([("a.pdf", PDF)]))
    struct.pack_into("<H", data, data.find(b"PK\1\2") + 10, 9)
    (source,) = listed(tmp_path / "x.zip", bytes(data))
    assert source.refusal == Reason.ARCHIVE_BROKEN
    assert "method 9" in source.message


def test_zip_bombs_are_refused_by_ratio_total_and_count(tmp_path: Path) -> None:
    bomb = zip_of([("bomb.pdf", bytes(11_000_000)), ("ok.pdf", PDF), ("x.json", bytes(20_000_000))])
    sources = listed(tmp_path / "x.zip", bomb)
    assert refusals(sources) == {"bomb.pdf": Reason.ARCHIVE_BOMB, "ok.pdf": ""}
    assert "limits.archive_ratio" in sources[0].message
    assert not any(s.refusal for s in listed(tmp_path / "x.zip", bomb, archive_ratio=2000))
    many = zip_of([(f"{n}.pdf", PDF) for n in range(9)], 0)
    total = refusals(listed(tmp_path / "y.zip", many, archive_bytes=4 * len(PDF)))
    assert list(total.values()) == [""] * 4 + [Reason.ARCHIVE_BOMB] * 5
    for name, data in {
        "z.zip": many,
        "z.tar": tar_of([(f"{n}.pdf", PDF) for n in range(9)]),
    }.items():
        count = refusals(listed(tmp_path / name, data, archive_members=3))
        assert count == {"": Reason.ARCHIVE_BOMB, "0.pdf": "", "1.pdf": "", "2.pdf": ""}


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    """As in the bombs whose directory points many times at one kernel."""
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = kernel.compress(PDF + bytes(1_000_000)) + kernel.flush()
    crc, size = zlib.crc32(PDF + bytes(1_000_000)), len(PDF) + 1_000_000
    numbers = (8, 0, 0, crc, len(packed), size, 5, 0)
    local = struct.pack("<4s2H3H3L2H", b"PK\3\4", 20, 0, *numbers) + b"0.pdf" + packed
    entries = b"".join(
        struct.pack("<4s3H3H3L5H2L", b"PK\1\2", 20, 20, 0, *numbers, 0, 0, 0, 0, 0) + b"%d.pdf" % n
        for n in range(10)
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 10, 10, len(entries), len(local), 0)
    fates = list(refusals(listed(tmp_path / "x.zip", local + entries + end)).values())
    assert fates == [""] + [Reason.ARCHIVE_BOMB] * 9


@pytest.mark.parametrize(("claimed", "local"), [(-5, True), (5, True), (-5, False), (5, False)])
def test_members_that_lie_about_their_size(tmp_path: Path, claimed: int, local: bool) -> None:
    data = bytearray(zip_of([("a.pdf", PDF), ("b.pdf", PDF)]))
    struct.pack_into("<L", data, data.find(b"PK\1\2") + 24, len(PDF) + claimed)
    if local:
        struct.pack_into("<L", data, 22, len(PDF) + claimed)
    sources = listed(tmp_path / "x.zip", bytes(data))
    assert fate(sources[0], tmp_path / "s") == Reason.ARCHIVE_SIZE_LIE
    assert read(sources[1], tmp_path / "s") == PDF
    assert not files_in(tmp_path / "s")


def test_a_member_that_claims_more_packed_bytes_than_there_are(tmp_path: Path) -> None:
    data = bytearray(zip_of([("a.pdf", PDF), ("b.pdf", PDF)]))
    struct.pack_into("<L", data, data.find(b"PK\1\2") + 20, 1_000_000)
    assert refusals(listed(tmp_path / "x.zip", bytes(data))) == {
        "a.pdf": Reason.ARCHIVE_SIZE_LIE,
        "b.pdf": "",
    }


def test_wrong_checksum_and_damaged_data_are_noticed(tmp_path: Path) -> None:
    data = bytearray(zip_of([("a.pdf", PDF), ("b.pdf", PDF)], 0))
    data[data.find(PDF) + 9] ^= 1
    broken, fine = listed(tmp_path / "x.zip", bytes(data))
    assert fate(broken, tmp_path / "s") == Reason.ARCHIVE_BROKEN
    assert read(fine, tmp_path / "s") == PDF


def test_a_cut_zip_is_one_refused_source(tmp_path: Path) -> None:
    for cut in (0, 1, 10, 100, len(zip_of(MEMBERS)) - 1):
        (source,) = listed(tmp_path / "x.zip", zip_of(MEMBERS)[:cut])
        assert (source.member, source.refusal) == ("", Reason.ARCHIVE_BROKEN)


def test_a_damaged_directory_lists_what_is_before(tmp_path: Path) -> None:
    data = bytearray(zip_of([("a.pdf", PDF), ("b.pdf", PDF)]))
    data[data.rfind(b"PK\1\2")] = 0
    sources = listed(tmp_path / "x.zip", bytes(data))
    assert refusals(sources) == {"": Reason.ARCHIVE_BROKEN, "a.pdf": ""}
    assert read(sources[1], tmp_path / "s") == PDF
