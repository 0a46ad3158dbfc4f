"""One listed document as a local file, hashed while its bytes pass."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import DataError
from ..reason import Reason
from .archive import ArchiveLimits, too_large
from .input import open_input
from .listing import Source
from .location import InputFile, is_remote, to_path
from .spool import changed, spooled
from .zip import unpack

_CHUNK_BYTES = 1 << 20
_REMOTE_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document on this machine."""

    path: Path
    sha256: str
    size: int
    """Bytes, counted."""


@contextmanager
def fetch(
    source: Source, *, scratch: Path, limits: ArchiveLimits | None = None
) -> Iterator[Fetched]:
    """The document as a local file while the block runs; memory does not grow with its size.

    A plain local file is hashed where it lies; everything else is copied once, under a name
    that owes nothing to the source's, into the scratch folder, and removed afterwards. A member
    of a compressed tar survives a block that ends with an error, for a second try.

    Args:
        source: as `find` listed it.
        scratch: a local folder, shared by the workers of this machine.
        limits: as at listing.

    Raises:
        DataError: `.reason` says why: the source's refusal, `missing`, `document_too_large`,
            `archive_broken`, `archive_size_lie`.
        OSError: the scratch folder is full or cannot be written.
    """
    limits = limits or ArchiveLimits()
    scratch.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            fetched = _acquire(source, scratch, limits, stack)
        except DataError as err:
            where = f"{source.uri}!{source.member}" if source.member else source.uri
            message = str(err) if source.uri in str(err) else f"{where}: {err}"
            raise DataError(message, key=source.name, reason=err.reason) from err
        yield fetched


def _acquire(source: Source, scratch: Path, limits: ArchiveLimits, stack: ExitStack) -> Fetched:
    if source.refusal:
        raise DataError(source.message, reason=source.refusal)
    kind, _, place = source.locator.partition(" ")
    if kind == "spool":
        version = source.version.rpartition("@")[0]
        path = stack.enter_context(spooled(source.uri, version, int(place), scratch, limits))
        with open_input(str(path)) as file:
            return _hashed(path, _read(file, file.size), limits)
    with open_input(source.uri) as file:
        listed = source.version.rpartition("@")[0] if kind else source.version
        if listed and file.version and listed != file.version:
            raise changed(source.uri)
        if not kind and not is_remote(source.uri):
            return _in_place(source.uri, file, limits)
        copy = stack.enter_context(_temporary(scratch))
        fetched = _hashed(Path(copy.name), _bytes(source, file), limits, copy)
        copy.flush()
        return fetched


def _temporary(scratch: Path) -> AbstractContextManager[IO[bytes]]:
    return tempfile.NamedTemporaryFile(dir=scratch, prefix="document-")


def _in_place(uri: str, file: InputFile, limits: ArchiveLimits) -> Fetched:
    fetched = _hashed(Path(to_path(uri)), _read(file, -1), limits)
    with open_input(uri) as again:
        if fetched.size != file.size or again.version != file.version:
            raise changed(uri)
    return fetched


def _bytes(source: Source, file: InputFile) -> Iterator[bytes]:
    """The bytes of a remote file or of an archive's member."""
    kind, _, place = source.locator.partition(" ")
    if kind == "zip":
        return unpack(file, source.locator, source.size)
    if kind == "tar":
        file.seek(int(place))
        return _read(file, source.size)
    return _read(file, file.size)


def _read(file: InputFile, size: int) -> Iterator[bytes]:
    """The next `size` bytes, or all that there are where it is negative."""
    chunk_bytes = _REMOTE_CHUNK_BYTES if is_remote(file.uri) else _CHUNK_BYTES
    left = size
    while left:
        data = file.read(chunk_bytes if left < 0 else min(chunk_bytes, left))
        if data:
            yield data
            left -= len(data) if left > 0 else 0
        elif left > 0:
            message = f"it ends {left} bytes early; fetch it again"
            raise DataError(message, reason=Reason.ARCHIVE_BROKEN)
        else:
            return


def _hashed(
    path: Path, chunks: Iterable[bytes], limits: ArchiveLimits, copy: IO[bytes] | None = None
) -> Fetched:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        refusal, message = too_large(size, limits)
        if refusal:
            raise DataError(message, reason=refusal)
        digest.update(chunk)
        if copy is not None:
            copy.write(chunk)
    return Fetched(path, digest.hexdigest(), size)
