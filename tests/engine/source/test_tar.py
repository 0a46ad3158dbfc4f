"""Tars of every packing are read, and hostile or damaged ones told."""

from __future__ import annotations

import gzip
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from pagemill.engine.reason import Reason
from pagemill.engine.source.listing import find
from support.archives import (
    END,
    MEMBERS,
    NOISE,
    PACKERS,
    PDF,
    files_in,
    header,
    listed,
    padded,
    read,
    refusals,
    tar_of,
)


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize(
    "tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
def test_tar_members_are_read_whatever_the_packing(
    tmp_path: Path, name: str, tar_format: int
) -> None:
    long = [("long/" + "x" * 90 + "/ü.pdf", PDF)]
    sources = listed(tmp_path / name, PACKERS[name](tar_of(MEMBERS + long, tar_format)))
    got = {source.member: read(source, tmp_path / "scratch") for source in reversed(sources)}
    assert got == {name: data for name, data in MEMBERS + long if name != "c.json"}
    assert not [path for path in files_in(tmp_path / "scratch") if not path.endswith("lock")]


@pytest.mark.parametrize("name", PACKERS)
def test_a_cut_tar_lists_what_is_before(tmp_path: Path, name: str) -> None:
    whole = tar_of([("a.pdf", PDF), ("b.pdf", NOISE), ("c.pdf", PDF)])
    data = PACKERS[name](whole[:20_000])
    sources = listed(tmp_path / name, data)
    broken = Reason.ARCHIVE_BROKEN
    assert refusals(sources) == {"": broken, "a.pdf": "", "b.pdf": broken}
    assert read(sources[1], tmp_path / "s") == PDF
    packed = PACKERS[name](whole)
    stopped = refusals(listed(tmp_path / name, packed[: len(packed) // 2]))
    assert stopped[""] == broken
    assert "c.pdf" not in stopped


def test_a_tar_without_end_mark_may_have_been_cut(tmp_path: Path) -> None:
    data = tar_of([("a.pdf", PDF)])
    cut = listed(tmp_path / "x.tar", data[:1024])
    assert refusals(cut) == {"": Reason.ARCHIVE_BROKEN, "a.pdf": ""}
    assert "no end mark" in cut[0].message
    assert refusals(listed(tmp_path / "x.tar", data[:1536])) == {"a.pdf": ""}


def test_tars_in_a_row_are_one(tmp_path: Path) -> None:
    first, second = tar_of([("a.pdf", PDF)]), tar_of([("b.pdf", PDF)])
    assert list(refusals(listed(tmp_path / "x.tar", first + second))) == ["a.pdf", "b.pdf"]
    gzipped = gzip.compress(first) + gzip.compress(second) + bytes(512)
    assert list(refusals(listed(tmp_path / "x.tgz", gzipped))) == ["a.pdf", "b.pdf"]


def forged(size_field: bytes) -> bytes:
    """A header whose 12 bytes of size are these."""
    block = bytearray(header("b.pdf"))
    block[124:136] = size_field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    "size_field",
    [
        b"\xff" * 11 + b"\x01",  # -255
        b"\x80\0\0\0" + b"\x7f" + b"\xff" * 7,  # 2 ** 63 - 1
        b"\x80" + b"\x7f" * 11,
        b"77777777777\0",
        b"nonsense\0\0\0\0",
    ],
)
def test_impossible_sizes_in_a_tar(tmp_path: Path, size_field: bytes) -> None:
    first = header("a.pdf", size=len(PDF)) + padded(PDF)
    for name in PACKERS:
        data = PACKERS[name](first + forged(size_field) + padded(PDF) + END)
        got = refusals(listed(tmp_path / name, data))
        assert got["a.pdf"] == ""
        assert got[""] == Reason.ARCHIVE_BROKEN
        assert got.get("b.pdf", "refused") != ""


def test_extended_headers_are_not_read_into_memory(tmp_path: Path) -> None:
    for kind in (b"x", b"g", b"L", b"K"):
        with (tmp_path / "x.tar").open("wb") as file:
            file.write(header("pax", kind, size=1 << 30))
            file.truncate(1 << 30)
        tracemalloc.start()
        (source,) = find([str(tmp_path / "x.tar")]).sources
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert source.refusal == Reason.ARCHIVE_BROKEN
        assert peak < 20_000_000
    endless = header("long", b"L") * 1000
    assert refusals(listed(tmp_path / "y.tar", endless)) == {"": Reason.ARCHIVE_BROKEN}


@pytest.mark.parametrize(
    "record", [b"9 path=", b"99999999999999999999 path=a\n", b"0 path=a\n", b"7 a=bc!", b"size"]
)
def test_damaged_pax_headers(tmp_path: Path, record: bytes) -> None:
    data = header("pax", b"x", size=len(record)) + padded(record) + header("a.pdf") + END
    assert refusals(listed(tmp_path / "x.tar", data)) == {"": Reason.ARCHIVE_BROKEN}


def test_pax_sizes_count_and_may_not_lie(tmp_path: Path) -> None:
    def with_size(text: bytes) -> bytes:
        record = b"%d size=%s\n" % (len(text) + 9, text)
        assert int(record.split()[0]) == len(record)
        return header("pax", b"x", size=len(record)) + padded(record)

    tail = header("a.pdf") + padded(PDF) + header("b.pdf") + END
    good = with_size(b"%04d" % len(PDF))
    assert refusals(listed(tmp_path / "x.tar", good + tail)) == {"a.pdf": "", "b.pdf": ""}
    for lie in (b"-001", b"10e9", b"9" * 30, "٣".encode() + b"1"):
        got = refusals(listed(tmp_path / "x.tar", with_size(lie) + tail))
        assert got == {"": Reason.ARCHIVE_BROKEN}


def test_sparse_members_are_refused(tmp_path: Path) -> None:
    block = bytearray(header("s.pdf", b"S", size=512))
    block[482] = 1
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    data = bytes(block) + bytes(512) + bytes(512) + header("a.pdf") + END
    pax = b"22 GNU.sparse.major=1\n" + b"22 GNU.sparse.minor=0\n"
    data = header("pax", b"x", size=len(pax)) + padded(pax) + header("p.pdf") + data
    assert refusals(listed(tmp_path / "x.tar", data)) == {
        "p.pdf": Reason.ARCHIVE_SIZE_LIE,
        "s.pdf": Reason.ARCHIVE_SIZE_LIE,
        "a.pdf": "",
    }


def test_compressed_bombs_stop_early(tmp_path: Path) -> None:
    first = header("a.pdf", size=len(PDF)) + padded(PDF)
    for name, pack in list(PACKERS.items())[1:]:
        big = pack(first + header("b.pdf", size=1 << 32) + bytes(40_000_000))
        sources = listed(tmp_path / name, big)
        got = refusals(sources)
        assert got == {"": Reason.ARCHIVE_BOMB, "a.pdf": "", "b.pdf": Reason.ARCHIVE_BOMB}, name
        assert read(sources[1], tmp_path / "s") == PDF


def test_endless_gzip_is_capped(tmp_path: Path) -> None:
    piece = gzip.compress(NOISE)
    data = gzip.compress(header("b.pdf", size=1 << 40)) + piece * 100
    got = refusals(listed(tmp_path / "x.tgz", data, archive_bytes=1_000_000))
    assert got == {"": Reason.ARCHIVE_BOMB, "b.pdf": Reason.ARCHIVE_BOMB}
