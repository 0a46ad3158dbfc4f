"""Inputs of every kind become the same documents, whatever their order and their place."""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import cv2
import fsspec
import numpy as np
import pytest
from pagemill.engine.errors import ConfigError, DependencyError
from pagemill.engine.reason import Reason
from pagemill.engine.source.archive import ArchiveLimits
from pagemill.engine.source.listing import Listing, Source, find
from support.hostile_text import HOSTILE, is_sane

PDF = b"%PDF-1.4\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)


def put(folder: Path, **files: bytes) -> Path:
    """Files by name, `__` for `/` and `_` before the suffix for its dot."""
    for name, data in files.items():
        path = folder / ".".join(name.replace("__", "/").rsplit("_", 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def names(listing: Listing) -> list[str]:
    return [source.name for source in listing.sources]


def refused(listing: Listing) -> dict[str, str]:
    return {source.name: source.refusal for source in listing.sources if source.refusal}


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    folder = put(tmp_path / "docs", a_pdf=PDF, sub__b_PDF=PDF, sub__label_json=b"{}", empty_pdf=b"")
    (folder / "sub" / "no suffix").write_bytes(b"junk before\n" + PDF)
    (folder / "scan.dat").write_bytes(PNG)
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "README.TXT").write_bytes(b"not a document")
    return folder


@pytest.mark.parametrize("kind", ["png", "jpg", "tiff", "webp", "bmp"])
def test_images_are_documents_by_suffix_and_by_content(tmp_path: Path, kind: str) -> None:
    data = cv2.imencode(f".{kind}", np.full((30, 40, 3), 200, np.uint8))[1].tobytes()
    (tmp_path / f"SCAN.{kind.upper()}").write_bytes(data)
    (tmp_path / "scan.0001").write_bytes(data)
    (tmp_path / "text.0001").write_bytes(b"BM, II and MM are no images")
    assert names(find([str(tmp_path)])) == [f"SCAN.{kind.upper()}", "scan.0001"]


def test_folder_finds_by_suffix_or_content_and_counts_the_rest(dump: Path) -> None:
    listing = find([str(dump)])
    assert names(listing) == ["a.pdf", "empty.pdf", "scan.dat", "sub/b.PDF", "sub/no suffix"]
    assert listing.ignored == {"": 1, ".json": 1, ".txt": 1}
    assert listing.sources[0].uri == str(dump / "a.pdf")
    assert [source.size for source in listing.sources[:2]] == [len(PDF), 0]


def test_copies_of_a_dump_have_the_same_names(dump: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "deep"
    shutil.copytree(dump, copy)
    assert names(find([str(dump)])) == names(find([str(copy)]))


def test_order_and_overlap_of_inputs_do_not_matter(dump: Path) -> None:
    inputs = [str(dump), str(dump / "sub" / "b.PDF"), str(dump / "sub"), str(dump) + "/"]
    listings = {find(order).sources for order in (inputs, inputs[::-1], inputs[2:] + inputs[:2])}
    assert len(listings) == 1
    uris = [source.uri for source in listings.pop()]
    assert len(uris) == len(set(uris)) == 5


def test_version_changes_with_the_file(dump: Path) -> None:
    before = find([str(dump / "a.pdf")]).sources[0]
    os.utime(dump / "a.pdf", ns=(1, 1))
    after = find([str(dump / "a.pdf")]).sources[0]
    assert before.uri == after.uri
    assert before.version != after.version


def test_glob_names_are_relative_to_its_fixed_part(dump: Path) -> None:
    assert names(find([f"{dump}/*.pdf"])) == ["a.pdf", "empty.pdf"]
    assert names(find([f"{dump.parent}/**/*.[pP][dD][fF]"])) == [
        "docs/a.pdf",
        "docs/empty.pdf",
        "docs/sub/b.PDF",
    ]
    assert names(find([f"{dump.parent}/d*s"])) == [f"docs/{n}" for n in names(find([str(dump)]))]


def test_a_name_with_glob_signs_is_taken_literally_first(tmp_path: Path) -> None:
    (tmp_path / "scan[1].pdf").write_bytes(PDF)
    assert names(find([str(tmp_path / "scan[1].pdf")])) == ["scan[1].pdf"]


def test_a_file_named_directly_is_always_a_source(dump: Path) -> None:
    listing = find([str(dump / "sub" / "label.json")])
    assert names(listing) == ["label.json"]
    assert not listing.ignored


def test_list_takes_relative_paths_comments_and_missing_files(dump: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(
        b"\xef\xbb\xbf# ours\r\n\r\ndocs/a.pdf\r\n  docs/sub  \n"
        + f"{dump}/empty.pdf\nfile://{dump}/README.TXT\ndocs/gone.pdf\ndocs/no*.pdf\n".encode()
    )
    listing = find([f"@{tmp_path}/list.txt"])
    expected = ["README.TXT", "a.pdf", "b.PDF", "empty.pdf", "gone.pdf", "no suffix", "no*.pdf"]
    assert names(listing) == expected
    assert refused(listing) == {"gone.pdf": Reason.MISSING, "no*.pdf": Reason.MISSING}
    assert listing.sources[4].uri == str(dump / "gone.pdf")


@pytest.mark.parametrize("wrong", ["", "docz/a.pdf", "docs/b.pdf", "docs/*.tiff", "@lost.txt"])
def test_an_input_that_does_not_exist_is_an_error(
    wrong: str, dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(dump.parent)
    with pytest.raises(ConfigError) as caught:
        find(["docs", wrong])
    assert wrong.removeprefix("@") in str(caught.value)


def test_the_nearest_existing_name_is_told(dump: Path) -> None:
    with pytest.raises(ConfigError, match=r"empty\.pdf"):
        find([str(dump / "emty.pdf")])
    with pytest.raises(ConfigError, match=r"the nearest is '[^']*/docs'"):
        find([str(dump.parent / "doks" / "a.pdf")])


def test_links_are_followed_but_not_in_circles(dump: Path, tmp_path: Path) -> None:
    other = put(tmp_path / "other", c_pdf=PDF)
    (dump / "back").symlink_to(dump)
    (dump / "sub" / "up").symlink_to("..")
    (dump / "more").symlink_to(other)
    (other / "docs").symlink_to(dump)
    (dump / "link.pdf").symlink_to("a.pdf")
    (dump / "gone.pdf").symlink_to("nowhere")
    (dump / "self.pdf").symlink_to("self.pdf")
    (dump / "gone.txt").symlink_to("nowhere")
    listing = find([str(dump)])
    assert [n for n in names(listing) if "c.pdf" in n or "link" in n] == ["link.pdf", "more/c.pdf"]
    assert refused(listing) == {"gone.pdf": Reason.MISSING, "self.pdf": Reason.MISSING}
    assert len(listing.sources) == 9
    matched = find([f"{dump}/**/*.pdf"])
    assert names(matched) == [n for n in names(listing) if n.endswith(".pdf")]


def test_pipes_are_refused_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    os.mkfifo(tmp_path / "pipe.bin")
    assert refused(find([str(tmp_path)])) == {"pipe.pdf": Reason.NOT_A_DOCUMENT}
    assert refused(find([str(tmp_path / "pipe.bin")])) == {"pipe.bin": Reason.NOT_A_DOCUMENT}


def test_an_unreadable_folder_is_a_refused_source(
    dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def deny(path: str) -> object:
        if path.endswith("/sub"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)  # root may read everything, so chmod would not do
    listing = find([str(dump)])
    assert refused(listing) == {"sub/": Reason.MISSING}
    assert "a.pdf" in names(listing)
    assert refused(find([f"{dump}/**/*.pdf"])) == {"sub/": Reason.MISSING}


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.pdf"
    Path(os.fsdecode(path)).write_bytes(PDF)
    (tmp_path / "Ünïcode.pdf").write_bytes(PDF)
    sources = find([str(tmp_path)]).sources
    assert [source.name for source in sources] == ["caf%E9.pdf", "Ünïcode.pdf"]
    assert sources[0].uri.startswith("file:///")
    for source in sources:
        f"{source}".encode()
        assert find([source.uri]).sources == (source,)


def test_a_document_larger_than_the_limit_is_refused_at_once(dump: Path) -> None:
    listing = find([str(dump)], limits=ArchiveLimits(document_bytes=len(PDF)))
    assert refused(listing) == {
        "scan.dat": Reason.DOCUMENT_TOO_LARGE,
        "sub/no suffix": Reason.DOCUMENT_TOO_LARGE,
    }


def test_resource_forks_of_macos_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "._a.pdf").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    assert find([str(tmp_path)]) == Listing((), {".pdf": 1})


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"])
def test_archive_inside_a_folder_is_opened(dump: Path, tmp_path: Path, suffix: str) -> None:
    loose = find([str(dump)])
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    kinds = {"zip": "zip", "tar": "tar", "tar.bz2": "bztar", "tar.xz": "xztar"}
    made = shutil.make_archive(str(tmp_path / "made"), kinds.get(suffix, "gztar"), dump)
    shutil.move(made, folder / f"Dump.{suffix.upper()}")
    listing = find([str(tmp_path / "in")])
    assert set(names(listing)) == {f"deep/Dump.{suffix.upper()}"}
    assert [source.member for source in listing.sources] == names(loose)
    assert [source.size for source in listing.sources] == [s.size for s in loose.sources]
    assert listing.ignored == loose.ignored


def test_archives_are_told_from_documents_by_their_bytes(tmp_path: Path) -> None:
    """An archive shows the `%PDF-` of its first member near its start."""
    put(tmp_path, a_pdf=PDF)
    with zipfile.ZipFile(tmp_path / "named", "w") as stored:
        stored.write(tmp_path / "a.pdf", "inside.pdf")
    with tarfile.open(tmp_path / "old.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(tmp_path / "a.pdf", "inside.pdf")
    with tarfile.open(tmp_path / "zipped", "w:gz") as tar:
        tar.add(tmp_path / "a.pdf", "inside.pdf")
    shutil.copy(tmp_path / "named", tmp_path / "office.docx")
    (tmp_path / "really.zip").write_bytes(PDF)
    direct = find([str(tmp_path / name) for name in ("named", "old.tar", "zipped", "really.zip")])
    assert [(s.name, s.member) for s in direct.sources] == [
        ("named", "inside.pdf"),
        ("old.tar", "inside.pdf"),
        ("really.zip", ""),
        ("zipped", "inside.pdf"),
    ]
    assert find([str(tmp_path / "office.docx")]).sources[0].member == ""
    folder = find([str(tmp_path)])
    assert folder.ignored == {"": 2, ".docx": 1}
    assert names(folder) == ["a.pdf", "old.tar", "really.zip"]


def test_same_relative_name_in_two_inputs_is_two_sources(tmp_path: Path) -> None:
    put(tmp_path, one__a_pdf=PDF, two__a_pdf=PDF)
    listing = find([str(tmp_path / "two"), str(tmp_path / "one")])
    assert names(listing) == ["a.pdf", "a.pdf"]
    assert listing.sources[0].uri < listing.sources[1].uri


def test_object_store_gives_the_names_of_the_folder(dump: Path, s3_uri: str) -> None:
    import s3fs

    store = s3fs.S3FileSystem()
    archive = shutil.make_archive(str(dump.parent / "made"), "zip", dump)
    for path in sorted(dump.rglob("*")):
        if path.is_file():
            store.put_file(str(path), f"{s3_uri}/docs/{path.relative_to(dump)}")
    store.put_file(archive, f"{s3_uri}/docs/x.zip")
    local, listing = find([str(dump), archive]), find([f"{s3_uri}/docs/"])
    plain = [source for source in listing.sources if not source.member]
    assert [s.name for s in plain] == [s.name for s in local.sources if not s.member]
    assert [s.member for s in listing.sources if s.name == "x.zip"] == [
        s.member for s in local.sources if s.member
    ]
    assert dict(listing.ignored) == dict(local.ignored)
    assert plain[0].uri == f"{s3_uri}/docs/a.pdf"
    assert all(source.version for source in listing.sources)
    assert find([f"{s3_uri}/docs"]).sources == listing.sources
    assert names(find([f"{s3_uri}/**/*.PDF"])) == ["docs/sub/b.PDF"]
    assert names(find([f"{s3_uri}/docs/sub/b.PDF"])) == ["b.PDF"]
    listed = dump.parent / "list.txt"
    listed.write_text(f"{s3_uri}/docs/a.pdf\n{s3_uri}/docs/gone.pdf\n")
    assert refused(find([f"@{listed}"])) == {"gone.pdf": Reason.MISSING}
    with pytest.raises(ConfigError, match=r"the nearest is '.*/docs/empty\.pdf'"):
        find([f"{s3_uri}/docs/emty.pdf"])
    with pytest.raises(ConfigError, match="matches nothing"):
        find([f"{s3_uri}/*.tiff"])


def test_object_store_version_changes_with_the_object(s3_uri: str) -> None:
    import s3fs

    versions = []
    for data in (PDF, PDF[::-1]):
        s3fs.S3FileSystem().pipe_file(f"{s3_uri}/a.pdf", data)
        versions.append(find([f"{s3_uri}/a.pdf"]).sources[0].version)
    assert versions[0] != versions[1]


def test_unknown_protocols_are_errors() -> None:
    with pytest.raises(ConfigError, match="nonsense"):
        find(["nonsense://bucket/a.pdf"])
    with pytest.raises(ConfigError, match="chained"):
        find(["zip://a.pdf::s3://bucket/a.zip"])


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    def without(uri: str, **_: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", without)
    with pytest.raises(DependencyError, match=r"pagemill\[s3\]"):
        find(["s3://bucket/a.pdf"])


def test_limits_below_one_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"limits\.archive_ratio is 0"):
        ArchiveLimits(archive_ratio=0)


def test_sources_are_ordered_by_name_then_member(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for name in ("z.pdf", "a.pdf"):
            archive.writestr(name, PDF)
    put(tmp_path, z_pdf=PDF, a_pdf=PDF)
    keys = [(source.name, source.member) for source in find([str(tmp_path)]).sources]
    assert keys == [("a.pdf", ""), ("m.zip", "a.pdf"), ("m.zip", "z.pdf"), ("z.pdf", "")]
    assert all(isinstance(source, Source) for source in find([str(tmp_path)]).sources)


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_a_store_are_valid_text(text: str) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"/odd/{text}.pdf", PDF)
    memory.pipe_file("/odd/plain.pdf", PDF)
    try:
        sources = find(["memory://odd"]).sources
    finally:
        memory.rm("/odd", recursive=True)
    assert len(sources) == 2
    for source in sources:
        assert is_sane(source.uri)
        assert is_sane(source.name)
        assert source.refusal == ("" if source.name == "plain.pdf" else Reason.MISSING)


@pytest.mark.parametrize("text", HOSTILE)
def test_lines_of_a_list_are_valid_text(tmp_path: Path, text: str) -> None:
    line = text.encode("utf-8", "surrogateescape" if "\udce9" in text else "surrogatepass")
    (tmp_path / "list.txt").write_bytes(line + b".pdf\nmemory://none/" + line + b".pdf\n")
    sources = find([f"@{tmp_path / 'list.txt'}"]).sources
    assert len(sources) == 2
    for source in sources:
        assert source.refusal == Reason.MISSING
        assert all(map(is_sane, (source.uri, source.name, source.message)))
