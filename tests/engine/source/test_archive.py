"""Hostile and damaged archives: everything refused is a source with a reason, all else is read."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.engine.errors import DataError
from pagemill.engine.reason import Reason
from pagemill.engine.source.archive import ArchiveLimits
from pagemill.engine.source.fetch import fetch
from pagemill.engine.source.listing import Source, find
from support.hostile_text import is_sane

PDF = b"%PDF-1.4\n%%EOF\n"
NOISE = hashlib.shake_128(b"noise").digest(40_000)
"""Does not compress."""
MEMBERS = [("a.pdf", PDF), ("d/b.pdf", PDF + NOISE), ("c.json", b"{}"), ("d", PDF * 9)]


def zip_of(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def tar_of(members: list[tuple[str, bytes]], tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tar_format) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def header(name: str, kind: bytes = b"0", size: int = 0, link: str = "") -> bytes:
    """One tar header with nothing behind it."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info.tobuf(tarfile.GNU_FORMAT)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


END = bytes(1024)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "x.tar": bytes,
    "x.tar.gz": lambda data: gzip.compress(data, 1),
    "x.tar.bz2": bz2.compress,
    "x.tar.xz": lzma.compress,
    "x.tar.zst": lambda data: zstd(data),
}


def zstd(data: bytes) -> bytes:
    import pyarrow

    return pyarrow.Codec("zstd").compress(data, asbytes=True)


def listed(path: Path, data: bytes, **limits: float) -> list[Source]:
    path.write_bytes(data)
    return list(find([str(path)], limits=ArchiveLimits(**limits)).sources)


def refusals(sources: list[Source]) -> dict[str, str]:
    return {source.member: source.refusal for source in sources}


def read(source: Source, scratch: Path, **limits: float) -> bytes:
    with fetch(source, scratch=scratch, limits=ArchiveLimits(**limits)) as fetched:
        data = fetched.path.read_bytes()
        assert fetched.sha256 == hashlib.sha256(data).hexdigest()
        assert fetched.size == len(data)
    return data


def fate(source: Source, scratch: Path, **limits: float) -> str:
    """The reason with which a fetch fails."""
    with (
        pytest.raises(DataError) as caught,
        fetch(source, scratch=scratch, limits=ArchiveLimits(**limits)),
    ):
        pass
    assert source.name in str(caught.value)
    return caught.value.reason


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("method", [0, 8, 12, 14])
def test_zip_members_are_read_with_every_common_method(tmp_path: Path, method: int) -> None:
    sources = listed(tmp_path / "x.zip", zip_of(MEMBERS, method))
    got = {source.member: read(source, tmp_path / "scratch") for source in sources}
    assert got == {name: data for name, data in MEMBERS if name != "c.json"}


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


UNSAFE = ["/etc/a.pdf", "../a.pdf", "d/../../a.pdf", "C:/a.pdf", "c:a.pdf", "d\\a.pdf", "..\\a.pdf"]


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names_are_refused(tmp_path: Path, name: str) -> None:
    for archive, data in {
        "x.zip": zip_of([(name, PDF), ("ok.pdf", PDF)]),
        "x.tar": tar_of([(name, PDF), ("ok.pdf", PDF)]),
        "x.tar.gz": gzip.compress(tar_of([(name, PDF), ("ok.pdf", PDF)])),
    }.items():
        sources = listed(tmp_path / archive, data)
        assert refusals(sources) == {name: Reason.ARCHIVE_UNSAFE_NAME, "ok.pdf": ""}
        assert {fate(s, tmp_path / "s") for s in sources if s.refusal} == {"archive_unsafe_name"}


def test_names_with_a_nul_or_without_a_file_are_refused(tmp_path: Path) -> None:
    data = zip_of([("a_.pdf", PDF)]).replace(b"a_.pdf", b"a\0.pdf")
    assert refusals(listed(tmp_path / "x.zip", data)) == {"a%00.pdf": Reason.ARCHIVE_UNSAFE_NAME}
    data = zip_of([("d/", b""), ("e_", PDF)]).replace(b"e_", b"e/")
    assert refusals(listed(tmp_path / "y.zip", data)) == {"e/": Reason.ARCHIVE_UNSAFE_NAME}


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    kinds = {b"1": "hard.pdf", b"2": "soft.pdf", b"3": "char", b"4": "block", b"6": "fifo.pdf"}
    heads = b"".join(header(name, kind, link="/etc/passwd") for kind, name in kinds.items())
    body = heads + header("d", b"5") + header("ok.pdf", size=len(PDF)) + padded(PDF) + END
    for archive in PACKERS:
        sources = listed(tmp_path / archive, PACKERS[archive](body))
        expected = dict.fromkeys(kinds.values(), Reason.ARCHIVE_LINK)
        assert refusals(sources) == {**expected, "ok.pdf": ""}
        assert [read(s, tmp_path / "s") for s in sources if not s.refusal] == [PDF]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive_file:
        link = zipfile.ZipInfo("link.pdf")
        link.external_attr = 0o120777 << 16
        archive_file.writestr(link, "/etc/passwd")
    assert refusals(listed(tmp_path / "x.zip", file.getvalue())) == {
        "link.pdf": Reason.ARCHIVE_LINK
    }


def test_duplicate_names_are_kept_apart_by_position(tmp_path: Path) -> None:
    members = [("a.pdf", PDF + b"1"), ("./a.pdf", PDF + b"2"), ("a.pdf#2", PDF + b"3")]
    for archive, data in {"x.tar": tar_of(members), "x.zip": zip_of(members)}.items():
        sources = listed(tmp_path / archive, data)
        assert {s.member: read(s, tmp_path / "s")[-1:] for s in sources} == {
            "a.pdf": b"1",
            "a.pdf#2": b"2",
            "a.pdf#2#2": b"3",
        }


def test_many_duplicates_of_hostile_names_stay_cheap(tmp_path: Path) -> None:
    chain = ["a.pdf" + "#2" * n for n in range(2000)]
    members = [*chain, "a.pdf", *["b.pdf"] * 5000]
    data = b"".join(header(name, size=len(PDF)) + padded(PDF) for name in members)
    sources = listed(tmp_path / "x.tar", data + END)
    assert len({source.member for source in sources}) == len(members)


def test_nested_archives_are_refused_but_office_files_are_not_archives(tmp_path: Path) -> None:
    inner = zip_of([("a.pdf", PDF)], 0)
    members = [("in.zip", inner), ("in.TAR.GZ", b""), ("office.docx", inner), ("book.epub", inner)]
    for archive, data in {"x.tar": tar_of(members), "x.zip": zip_of(members)}.items():
        assert refusals(listed(tmp_path / archive, data)) == {
            "in.zip": Reason.ARCHIVE_NESTED,
            "in.TAR.GZ": Reason.ARCHIVE_NESTED,
        }


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


def test_names_in_archives_keep_unicode(tmp_path: Path) -> None:
    members = [("Ünï/ß.pdf", PDF), ("caf_.pdf", PDF)]
    tar = tar_of(members, tarfile.GNU_FORMAT)
    with tarfile.open(tmp_path / "bytes.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("caf\udce9.pdf"))
    assert list(refusals(listed(tmp_path / "x.tar", tar))) == ["caf_.pdf", "Ünï/ß.pdf"]
    assert find([str(tmp_path / "bytes.tar")]).sources[0].member == "caf%E9.pdf"
    for raw, name in ((b"caf\xc3\xa9.pdf", "café.pdf"), (b"caf\x82_.pdf", "café_.pdf")):
        data = zip_of([("x" * len(raw), PDF)]).replace(b"x" * len(raw), raw)
        assert list(refusals(listed(tmp_path / "x.zip", data))) == [name]


@pytest.mark.parametrize("name", ["caf\udce9.pdf", "be\0fore.pdf", "long " * 100_000 + ".pdf"])
def test_names_and_links_in_archives_are_valid_and_bounded(tmp_path: Path, name: str) -> None:
    raw = name.encode("utf-8", "surrogateescape")
    record = b"path=" + raw + b"\n"
    length = len(record) + len(str(len(record))) + 1
    length += len(str(length)) + 1 + len(record) - length
    pax = b"%d %s" % (length, record)
    data = header("pax", kind=b"x", size=len(pax)) + padded(pax)
    data += header("short.pdf", size=len(PDF)) + padded(PDF)
    data += header("K", kind=b"K", size=len(raw)) + padded(raw) + header("link.pdf", b"2")
    sources = listed(tmp_path / "x.tar", data + bytes(1024))
    assert len(sources) == 2
    for source in sources:
        assert is_sane(source.member)
        assert is_sane(source.message)
        assert source.member.endswith(".pdf")
        with suppress(DataError):
            assert read(source, tmp_path / "s") == PDF


def test_nothing_is_written_outside_the_scratch_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    members = [("../out.pdf", PDF), ("/tmp/out.pdf", PDF), ("secret-name.pdf", PDF)]
    for name, data in {
        "x.zip": zip_of(members),
        "x.tar": tar_of(members),
        "x.tgz": gzip.compress(tar_of(members)),
    }.items():
        before = files_in(tmp_path / "in") | {name}
        for source in listed(tmp_path / "in" / name, data):
            if source.refusal:
                fate(source, tmp_path / "scratch")
                continue
            with fetch(source, scratch=tmp_path / "scratch") as fetched:
                assert fetched.path.is_relative_to(tmp_path / "scratch")
                assert "secret" not in "".join(files_in(tmp_path / "scratch"))
        assert files_in(tmp_path / "in") == before
    assert {path.name for path in tmp_path.iterdir()} == {"in", "scratch"}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_never_raises_and_never_passes_for_truth(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any bytes changed or cut: what is read has the original's bytes, or is told to be bad."""
    kind = data.draw(st.sampled_from(["x.zip", *PACKERS]))
    folder = tmp_path_factory.mktemp("damage")
    members = [(f"{n}.pdf", PDF + NOISE[: n * 300]) for n in range(4)]
    whole = bytearray(zip_of(members) if kind == "x.zip" else PACKERS[kind](tar_of(members)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))
    sources = listed(folder / kind, bytes(whole[:cut]))
    assert sources
    reasons, got = set[str](), dict[str, bytes]()
    for source in sources:
        f"{source}".encode()  # no lone surrogates
        try:
            got[source.member] = read(source, folder / "s")
        except DataError as err:
            reasons.add(err.reason)
    assert reasons <= set(Reason)
    if kind == "x.zip":  # a checksum for each member
        assert set(got.values()) <= {data for _, data in members}
    if kind in ("x.tar.gz", "x.tar.bz2", "x.tar.xz"):  # a checksum for the whole
        assert reasons or got == dict(members)
