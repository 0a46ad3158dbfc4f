"""Hostile and damaged archives: everything refused is a source with a reason, all else is read."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.engine.errors import DataError
from pagemill.engine.reason import Reason
from pagemill.engine.source.fetch import fetch
from pagemill.engine.source.listing import find
from support.archives import (
    END,
    NOISE,
    PACKERS,
    PDF,
    fate,
    files_in,
    header,
    listed,
    padded,
    read,
    refusals,
    tar_of,
    zip_of,
)
from support.hostile_text import is_sane

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
