"""Documents of compressed tars on local disk, for they cannot be read at random.

Documents are fetched in a shuffled order, and each would need the archive unpacked up to it. So
the first worker of a machine that needs one streams the archive once and leaves every document
as a file; whoever has read a file removes it. Disk use is at most the documents' unpacked size.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import DataError
from ..files import atomic_writer, try_lock
from ..reason import Reason
from .archive import ArchiveLimits, Contents
from .contents import open_stream
from .inflate import PIECE_BYTES, Inflated
from .input import open_input
from .tar import TarHeader, documents

_POLL_S = 0.02


@contextmanager
def spooled(
    uri: str, version: str, index: int, scratch: Path, limits: ArchiveLimits
) -> Iterator[Path]:
    """One document of a compressed tar as a file, which goes when the block ends well.

    Args:
        uri: the archive.
        version: the archive's token at listing.
        index: the entry's position in the archive.
        scratch: a folder that the workers of this machine share.
        limits: as at listing.

    Raises:
        DataError: the archive can no longer be read, or is not the one that was listed.
        OSError: the scratch folder is full or cannot be written.
    """
    key = hashlib.blake2b(f"{uri}\n{version}".encode(), digest_size=16).hexdigest()
    spool = scratch / "spool" / key
    spool.mkdir(parents=True, exist_ok=True)
    path = spool / str(index)
    while not path.exists():
        with try_lock(spool / "lock") as held:
            if held and not path.exists():
                _fill(uri, version, index, spool, limits)
        if not held:
            time.sleep(_POLL_S)
    yield path
    path.unlink(missing_ok=True)


def _fill(uri: str, version: str, index: int, spool: Path, limits: ArchiveLimits) -> None:
    """Stream the archive once and leave each of its documents in the spool.

    What is wrong with the archive behind the wanted document is the business of the others.
    """
    contents = Contents(limits)
    try:
        with open_input(uri, ahead=True) as file:
            if version and file.version and file.version != version:
                raise changed(uri)
            stream = open_stream(file, limits)
            for header, member, head in documents(stream, contents, lambda _: ""):
                if member is not None and not member.refusal:
                    _keep(stream, header, head, spool)
    except DataError:
        if not (spool / str(index)).exists():
            raise
    if not (spool / str(index)).exists():
        raise changed(uri)


def _keep(stream: Inflated, header: TarHeader, head: bytes, spool: Path) -> None:
    path = spool / str(header.index)
    if path.exists():
        return
    with atomic_writer(path, durable=False) as file:
        file.write(head)
        while stream.position < header.data_end:
            piece = stream.read(min(PIECE_BYTES, header.data_end - stream.position))
            if not piece:
                raise DataError("the archive ends inside it", reason=Reason.ARCHIVE_BROKEN)
            file.write(piece)


def changed(uri: str) -> DataError:
    """The error for a file that is not the one that was listed."""
    return DataError(
        f"{uri} has changed since it was listed; run the build again", reason=Reason.MISSING
    )
