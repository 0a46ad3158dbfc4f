"""Archives made by hand, honest and otherwise, and what becomes of their members."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pagemill.engine.errors import DataError
from pagemill.engine.source.archive import ArchiveLimits
from pagemill.engine.source.fetch import fetch
from pagemill.engine.source.listing import Source, find

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
