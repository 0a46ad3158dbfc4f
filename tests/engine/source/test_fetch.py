"""A listed document arrives once, whole and hashed, or it says why not."""

from __future__ import annotations

import gzip
import hashlib
import io
import multiprocessing
import os
import shutil
import tarfile
import threading
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pagemill.engine.errors import DataError
from pagemill.engine.reason import Reason
from pagemill.engine.source import bucket, contents, spool
from pagemill.engine.source.archive import ArchiveLimits
from pagemill.engine.source.fetch import fetch
from pagemill.engine.source.listing import Source, find
from support.fetching import put_digests

PDF = b"%PDF-1.4\n%%EOF\n"


def body(number: int, size: int = 3000) -> bytes:
    """A document that compresses badly, different for each number."""
    return PDF + hashlib.shake_128(b"%d" % number).digest(size)


def tar_gz(path: Path, count: int) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for number in range(count):
            info = tarfile.TarInfo(f"{number}.pdf")
            info.size = len(body(number))
            archive.addfile(info, io.BytesIO(body(number)))
    return path


def shuffled(sources: list[Source]) -> list[Source]:
    return sorted(sources, key=lambda source: hashlib.sha256(source.member.encode()).digest())


def got(source: Source, scratch: Path, **limits: float) -> bytes:
    with fetch(source, scratch=scratch, limits=ArchiveLimits(**limits)) as fetched:
        data = fetched.path.read_bytes()
        assert (fetched.sha256, fetched.size) == (hashlib.sha256(data).hexdigest(), len(data))
    return data


def fate(source: Source, scratch: Path, **limits: float) -> DataError:
    with pytest.raises(DataError) as caught:
        got(source, scratch, **limits)
    return caught.value


def left_over(scratch: Path) -> list[str]:
    return [path.name for path in scratch.rglob("*") if path.is_file() and path.name != "lock"]


def test_a_local_file_is_used_in_place(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(body(1))
    (source,) = find([str(tmp_path / "a.pdf")]).sources
    with fetch(source, scratch=tmp_path / "s", limits=ArchiveLimits()) as fetched:
        assert fetched.path == tmp_path / "a.pdf"
        assert fetched.sha256 == hashlib.sha256(body(1)).hexdigest()
    assert (tmp_path / "a.pdf").exists()


def test_an_empty_file_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"")
    assert got(find([str(tmp_path)]).sources[0], tmp_path / "s") == b""


def test_a_name_that_is_not_utf8_is_fetched(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff%41.pdf")).write_bytes(body(1))
    assert got(find([str(tmp_path)]).sources[0], tmp_path / "s") == body(1)


def test_a_file_that_is_gone_changed_or_too_large(tmp_path: Path) -> None:
    for name in ("gone", "changed", "large"):
        (tmp_path / f"{name}.pdf").write_bytes(body(1))
    changed, gone, large = find([str(tmp_path)]).sources
    (tmp_path / "gone.pdf").unlink()
    (tmp_path / "changed.pdf").write_bytes(body(2, 50))
    assert fate(gone, tmp_path / "s").reason == Reason.MISSING
    assert "changed since" in str(fate(changed, tmp_path / "s"))
    assert fate(large, tmp_path / "s", document_bytes=100).reason == Reason.DOCUMENT_TOO_LARGE


def test_a_file_that_grows_while_it_is_read(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(body(1, 3 << 20))
    (source,) = find([str(path)]).sources
    sha256 = hashlib.sha256

    def growing(*args: Any) -> Any:
        with path.open("ab") as file:
            file.write(b"more")
        return sha256(*args)

    monkeypatch.setattr(hashlib, "sha256", growing)
    with (
        pytest.raises(DataError, match="changed"),
        fetch(source, scratch=tmp_path / "s", limits=ArchiveLimits()),
    ):
        pass


def test_a_refused_source_says_its_reason(tmp_path: Path) -> None:
    source = Source("a.zip", "/in/a.zip", "../x", refusal="archive_unsafe_name", message="bad name")
    err = fate(source, tmp_path / "s")
    assert (err.reason, err.key) == ("archive_unsafe_name", "a.zip")
    assert "/in/a.zip!../x: bad name" in str(err)


def test_errors_of_the_block_pass_unchanged(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(PDF)
    own = DataError("the reader's own", reason="crash")
    with (
        pytest.raises(DataError) as caught,
        fetch(find([str(tmp_path)]).sources[0], scratch=tmp_path / "s"),
    ):
        raise own
    assert caught.value is own


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_a_changed_archive_is_noticed(tmp_path: Path, kind: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pdf").write_bytes(PDF)
    form = {"zip": "zip", "tar": "tar", "tar.gz": "gztar"}[kind]
    archive = shutil.make_archive(str(tmp_path / "x"), form, tmp_path / "in")
    (source,) = find([archive]).sources
    os.utime(archive, ns=(1, 1))
    assert "changed since it was listed" in str(fate(source, tmp_path / "s"))


def test_a_compressed_tar_is_streamed_once_for_listing_and_once_for_reading(
    tmp_path: Path, monkeypatch: Any
) -> None:
    archive, opened = tar_gz(tmp_path / "x.tar.gz", 50), []
    inflated = contents.Inflated

    def counted(*args: Any) -> Any:
        opened.append(args)
        return inflated(*args)

    monkeypatch.setattr(contents, "Inflated", counted)
    sources = list(find([str(archive)]).sources)
    assert len(opened) == 1
    for source in shuffled(sources):
        assert got(source, tmp_path / "s") == body(int(source.member[:-4]))
    assert len(opened) == 2
    assert not left_over(tmp_path / "s")


def test_a_spooled_document_survives_an_error_and_can_be_asked_for_again(tmp_path: Path) -> None:
    (source,) = find([str(tar_gz(tmp_path / "x.tgz", 1))]).sources
    with suppress(ValueError), fetch(source, scratch=tmp_path / "s"):
        raise ValueError("the reader crashed")
    assert len(left_over(tmp_path / "s")) == 1
    for _ in range(2):
        assert got(source, tmp_path / "s") == body(0)
        assert not left_over(tmp_path / "s")


def test_workers_share_one_spool(tmp_path: Path) -> None:
    sources = shuffled(list(find([str(tar_gz(tmp_path / "x.tgz", 60))]).sources))
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    parts = [sources[start::3] for start in range(3)]
    workers = [
        context.Process(target=put_digests, args=(part, tmp_path / "s", out)) for part in parts
    ]
    for worker in workers:
        worker.start()
    digests = sorted(digest for _ in workers for digest in out.get(timeout=60))
    for worker in workers:
        worker.join()
    assert digests == sorted(hashlib.sha256(body(n)).hexdigest() for n in range(60))
    assert not left_over(tmp_path / "s")


def test_a_half_written_spool_is_finished_by_the_next(tmp_path: Path, monkeypatch: Any) -> None:
    sources = find([str(tar_gz(tmp_path / "x.tgz", 3))]).sources
    with monkeypatch.context() as patch:
        patch.setattr(spool, "PIECE_BYTES", 1000)
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "disk full")))
        with pytest.raises(OSError, match="disk full"), fetch(sources[2], scratch=tmp_path / "s"):
            pass
    assert [got(source, tmp_path / "s") for source in sources] == [body(n) for n in range(3)]


def test_memory_does_not_grow_with_the_document(tmp_path: Path) -> None:
    size = 40 << 20
    (tmp_path / "in").mkdir()
    with (tmp_path / "in" / "big.pdf").open("wb") as file:
        for number in range(size >> 20):
            file.write(hashlib.shake_128(b"%d" % number).digest(1 << 20))
    with zipfile.ZipFile(tmp_path / "in" / "x.zip", "w", zipfile.ZIP_DEFLATED, True, 1) as archive:
        archive.write(tmp_path / "in" / "big.pdf", "big.pdf")
    with tarfile.open(tmp_path / "in" / "x.tar", "w") as tar:
        tar.add(tmp_path / "in" / "big.pdf", "big.pdf")
    (tmp_path / "in" / "y.tgz").write_bytes(
        gzip.compress((tmp_path / "in" / "x.tar").read_bytes(), 0)
    )
    tracemalloc.start()
    sources = find([str(tmp_path / "in")]).sources
    digests = set()
    for source in sources:
        with fetch(source, scratch=tmp_path / "s") as fetched:
            digests.add((fetched.sha256, fetched.size))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(sources) == 4
    assert {number for _, number in digests} == {size}
    assert len(digests) == 1
    assert peak < 8 << 20


def test_object_store_files_and_archives(tmp_path: Path, s3_uri: str) -> None:
    import s3fs

    store = s3fs.S3FileSystem()
    members = [(f"{n}.pdf", body(n, 200_000)) for n in range(4)] + [("n", PDF), ("l.json", b"{}")]
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    for mode in ("w", "w:gz"):
        with tarfile.open(tmp_path / f"x.tar{mode[1:].replace(':', '.')}", mode) as tar:
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    for path in tmp_path.iterdir():
        store.put_file(str(path), f"{s3_uri}/{path.name}")
    store.pipe_file(f"{s3_uri}/big.pdf", body(9, 20 << 20))
    listing = find([f"{s3_uri}/"])
    assert listing.ignored == {".json": 3}
    want = {name: data for name, data in members if name != "l.json"}
    for source in shuffled(list(listing.sources)):
        data = got(source, tmp_path / "s")
        assert data == (want[source.member] if source.member else body(9, 20 << 20))
    assert len(listing.sources) == 1 + 3 * len(want)
    assert not left_over(tmp_path / "s")
    gone = listing.sources[0]
    store.rm_file(f"{s3_uri}/big.pdf")
    assert fate(gone, tmp_path / "s").reason == Reason.MISSING


def test_an_object_that_was_replaced_is_noticed(tmp_path: Path, s3_uri: str) -> None:
    import s3fs

    store = s3fs.S3FileSystem()
    store.pipe_file(f"{s3_uri}/a.pdf", body(1))
    (source,) = find([f"{s3_uri}/a.pdf"]).sources
    store.pipe_file(f"{s3_uri}/a.pdf", body(2))
    assert "changed since it was listed" in str(fate(source, tmp_path / "s"))


class _Flaky(BaseHTTPRequestHandler):
    """A web server that answers 500 to the first `failures` reads."""

    data = body(3, 3 << 20)
    failures = 0
    ranges = True

    def _head(self, data: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if self.ranges:
            self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            start = int(self.headers["Range"].split("=")[1].split("-")[0])
            total = len(self.data)
            end = start + len(data) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{total}")
        self.end_headers()

    def do_HEAD(self) -> None:
        self._head(self.data)

    def do_GET(self) -> None:
        kind = type(self)
        if kind.failures:
            kind.failures -= 1
            self.send_error(500)
            return
        if self.ranges and "Range" in self.headers:
            start, end = self.headers["Range"].split("=")[1].split("-")
            part = self.data[int(start) : int(end) + 1 if end else None]
            self._head(part, 206)
            self.wfile.write(part)
            return
        self._head(self.data)
        with suppress(ConnectionError):
            self.wfile.write(self.data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[_Flaky]]]:
    kind = type("Handler", (_Flaky,), {})
    monkeypatch.setattr(bucket, "PAUSE_S", 0.01)
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", kind
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("ranges", [True, False])
def test_web_files_are_fetched_and_tried_again(
    tmp_path: Path, web: tuple[str, type[_Flaky]], ranges: bool
) -> None:
    url, server = web
    server.ranges = ranges
    (source,) = find([f"{url}/some/a.pdf"]).sources
    assert (source.name, source.uri) == ("a.pdf", f"{url}/some/a.pdf")
    server.failures = 2
    assert got(source, tmp_path / "s") == server.data
    assert server.failures == 0
    server.failures = 100
    assert fate(source, tmp_path / "s").reason == Reason.MISSING
    assert 90 <= server.failures < 100
    assert not left_over(tmp_path / "s")


def test_an_unknown_size_is_still_capped(tmp_path: Path, web: tuple[str, type[_Flaky]]) -> None:
    url, server = web
    server.ranges = False
    source = Source("a.pdf", f"{url}/a.pdf")
    err = fate(source, tmp_path / "s", document_bytes=1 << 20)
    assert err.reason == Reason.DOCUMENT_TOO_LARGE
