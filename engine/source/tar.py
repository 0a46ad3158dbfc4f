"""Tar archives read header by header: nothing is believed that has not been bounded.

`tarfile` reads extended headers into memory whole, however large they claim to be, and takes a
damaged header for the end of the archive. So only its parser of the 512 header bytes is used.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ..errors import DataError
from ..reason import Reason
from .archive import ArchiveMember, Contents
from .location import InputFile
from .sniff import HEAD_BYTES

_BLOCK = tarfile.BLOCKSIZE
_EXTENSION_BYTES = 1 << 20
_EXTENSIONS_IN_A_ROW = 16
_ZEROS_BYTES = 1 << 20
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_LINKS = (tarfile.LNKTYPE, tarfile.SYMTYPE)
_DEVICES = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
_EXTENSIONS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE, *_PAX)
_VOLUME_LABEL, _OTHER_VOLUME = b"V", b"M"
_BROKEN = Reason.ARCHIVE_BROKEN


class TarCursor(Protocol):
    """A file read front to back: `PlainCursor`, or `inflate.Inflated`."""

    @property
    def position(self) -> int: ...
    def read(self, size: int) -> bytes: ...
    def skip_to(self, position: int) -> None: ...


class PlainCursor:
    """A file that is not compressed: skipping is seeking."""

    def __init__(self, file: InputFile) -> None:
        self.position = 0
        self._file = file

    def read(self, size: int) -> bytes:
        """The next bytes, fewer only at the end."""
        data = self._file.read(size)
        self.position += len(data)
        return data

    def skip_to(self, position: int) -> None:
        """Go on at a position.

        Raises:
            DataError: `archive_broken`, the file ends before.
        """
        if 0 <= self._file.size < position:
            raise DataError("the archive ends inside this member; fetch it again", reason=_BROKEN)
        if position != self.position:
            self._file.seek(position)
            self.position = position


@dataclass(frozen=True, slots=True)
class TarHeader:
    """One entry of a tar, extended headers applied."""

    index: int
    name: str
    kind: bytes
    size: int
    offset: int
    """Where its data begins."""
    link: str
    sparse: bool

    @property
    def data_end(self) -> int:
        """Where its data ends."""
        bodiless = self.kind in (*_LINKS, *_DEVICES, tarfile.DIRTYPE)
        return self.offset + (0 if bodiless else self.size)

    @property
    def end(self) -> int:
        """Where the next header begins: data fill whole blocks."""
        return self.data_end + -(self.data_end - self.offset) % _BLOCK


def headers(cursor: TarCursor) -> Iterator[TarHeader]:
    """The entries in order; between two of them the cursor may be read up to `TarHeader.end`.

    Several tars in a row are read as one.

    Raises:
        DataError: `archive_broken` after the entries before the damage; also where the end
            mark is missing, for then the archive may be cut.
    """
    long: dict[str, str] = {}
    extensions = index = 0
    while (parsed := _next_info(cursor)) is not None:
        info, block = parsed
        if info.type in _EXTENSIONS:
            extensions += 1
            if extensions > _EXTENSIONS_IN_A_ROW:
                raise DataError("more extended headers in a row than any tar has", reason=_BROKEN)
            long.update(_extension(info, cursor))
            continue
        header = _header(index, info, block, long, cursor)
        long, extensions, index = {}, 0, index + 1
        yield header
        cursor.skip_to(header.end)


def documents(
    cursor: TarCursor, contents: Contents, locate: Callable[[TarHeader], str]
) -> Iterator[tuple[TarHeader, ArchiveMember | None, bytes]]:
    """Each file entry with its judgement and the bytes of it that were read for that.

    The rest of the entry may be read from the cursor. A member cut short by the end of the
    archive is noticed when the next is asked for.
    """
    for header in headers(cursor):
        empty_folder = header.name.endswith("/") and not header.size
        if header.kind in (tarfile.DIRTYPE, _VOLUME_LABEL) or empty_folder:
            continue
        head = b""

        def read_head(size: int = header.size) -> bytes:
            nonlocal head
            head = cursor.read(min(HEAD_BYTES, size))
            return head

        member = contents.admit(
            header.name,
            header.size,
            locator=locate(header),
            token=str(header.index),
            head=read_head,
            obstacle=_obstacle(header),
        )
        yield header, member, head


def list_tar(cursor: TarCursor, contents: Contents, *, random_access: bool) -> None:
    """Gather the documents of a tar; what stops the listing is recorded in the contents."""

    def locate(header: TarHeader) -> str:
        return f"tar {header.offset}" if random_access else f"spool {header.index}"

    try:
        for header, member, _ in documents(cursor, contents, locate):
            try:
                cursor.skip_to(header.data_end)
            except DataError as err:
                if member is not None:
                    contents.refuse_last(err)
                raise
    except DataError as err:
        contents.give_up(err)


def _next_info(cursor: TarCursor) -> tuple[tarfile.TarInfo, bytes] | None:
    """The next 512 bytes, parsed and as they are; None after the end mark."""
    start = cursor.position
    block = cursor.read(_BLOCK)
    ended = False
    while block.count(0) == _BLOCK:
        ended = True
        if cursor.position - start > _ZEROS_BYTES:
            return None
        block = cursor.read(_BLOCK)
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if info.size < 0:
            raise ValueError(f"it claims {info.size} bytes")
        return info, block
    except (tarfile.HeaderError, ValueError, OverflowError) as err:
        if ended:
            return None
        if not block and not start:
            problem = "it is empty"
        elif not block:
            problem = "it has no end mark: it may have been cut"
        elif len(block) < _BLOCK:
            problem = f"it ends at byte {cursor.position}, inside a header"
        else:
            problem = f"the header at byte {start} is damaged ({err})"
        message = f"{problem}; fetch the archive again, or repack it."
        raise DataError(message, reason=_BROKEN) from err


def _extension(info: tarfile.TarInfo, cursor: TarCursor) -> dict[str, str]:
    """What a long-name or PAX header says about the entry after it."""
    if info.size > _EXTENSION_BYTES:
        raise DataError(
            f"an extended header claims {info.size} bytes, more than {_EXTENSION_BYTES}; "
            "repack the archive",
            reason=_BROKEN,
        )
    end = cursor.position + -(-info.size // _BLOCK) * _BLOCK
    payload = cursor.read(info.size)
    cursor.skip_to(end)
    if info.type == tarfile.XGLTYPE:
        return {}
    if info.type in _PAX:
        return _pax(payload)
    text = payload.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
    return {"path" if info.type == tarfile.GNUTYPE_LONGNAME else "linkpath": text}


def _pax(payload: bytes) -> dict[str, str]:
    """The records `LENGTH KEY=VALUE\\n` of a PAX header."""
    records: dict[str, str] = {}
    at = 0
    while at < len(payload) and payload[at]:
        digits = payload[at : at + 20].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        record = payload[at + len(digits) + 1 : at + length]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n") or at + length > len(payload):
            raise DataError("a PAX header is damaged; repack the archive", reason=_BROKEN)
        records[key.decode("utf-8", "surrogateescape")] = value[:-1].decode(
            "utf-8", "surrogateescape"
        )
        at += length
    return records


def _header(
    index: int, info: tarfile.TarInfo, block: bytes, long: dict[str, str], cursor: TarCursor
) -> TarHeader:
    sparse = info.type == tarfile.GNUTYPE_SPARSE or any(
        key.startswith("GNU.sparse.") for key in long
    )
    if info.type == tarfile.GNUTYPE_SPARSE:
        more = block[482]
        while more:
            block = cursor.read(_BLOCK)
            more = len(block) == _BLOCK and block[504]
    size = long.get("size", "")
    if size and not (size.isdecimal() and size.isascii() and len(size) < 20):
        raise DataError(f"a PAX header claims {size[:40]!r} bytes; repack it", reason=_BROKEN)
    return TarHeader(
        index=index,
        name=long.get("GNU.sparse.name") or long.get("path", info.name),
        kind=info.type,
        size=int(size) if size else info.size,
        offset=cursor.position,
        link=long.get("linkpath", info.linkname),
        sparse=sparse,
    )


def _obstacle(header: TarHeader) -> tuple[str, str]:
    if header.kind in _LINKS:
        return Reason.ARCHIVE_LINK, f"a link to {header.link!r}; links are not followed"
    if header.kind in _DEVICES:
        return Reason.ARCHIVE_LINK, "a device or pipe, not a file"
    if header.kind == _OTHER_VOLUME:
        return _BROKEN, "the rest of a file that began in another volume; join the volumes"
    if header.sparse:
        advice = "repack the archive without --sparse"
        return Reason.ARCHIVE_SIZE_LIE, f"stored with holes left out; {advice}"
    return "", ""
