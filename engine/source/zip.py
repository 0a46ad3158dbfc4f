"""Zip archives: the central directory, entry by entry, and one member's bytes in O(1).

`zipfile` gives up on the whole archive for one bad entry, reads a directory of any claimed size
into memory, and needs the directory again for each member; its checks of sizes are silent.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import DataError
from ..reason import Reason
from ..text import sanitize
from .archive import Contents
from .inflate import FAULTS, PIECE_BYTES, pieces
from .location import InputFile
from .sniff import HEAD_BYTES, named_document, suffix_of
from .zip_method import METHODS, decoder

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_LOCATOR = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_TAIL_BYTES = _END64.size + _END64_LOCATOR.size + _END.size + 0xFFFF
_CHUNK_BYTES = 1 << 20
_FIRST_BYTES = 1 << 16
_SNIFF_BYTES = 1 << 12
_ENCRYPTED = 0x2041
"""Traditional, strong, masked directory."""
_SIZES_FOLLOW = 0x0008
_UTF8 = 0x0800
_BROKEN = Reason.ARCHIVE_BROKEN


class ZipEntry(NamedTuple):
    """One line of the central directory."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int
    """Unix mode, 0 where the archive has none."""


def list_zip(file: InputFile, contents: Contents) -> None:
    """Gather the documents of a zip; what stops the listing is recorded in the contents."""
    entries: list[ZipEntry] = []
    fault: DataError | None = None
    try:
        directory, length, count, shift = _directory(file)
        for entry in _entries(file, directory, length, shift):
            entries.append(entry)
            if len(entries) > contents.limits.archive_members:
                break
        else:
            if (len(entries) - count) & 0xFFFF:
                message = f"its directory has {len(entries)} entries and claims {count}"
                fault = DataError(message + "; fetch the archive again.", reason=_BROKEN)
    except DataError as err:
        directory, fault = file.size, err
    overlapping = _overlapping(entries, directory)
    try:
        for index, entry in enumerate(entries):
            _admit(file, contents, entry, directory, index in overlapping)
    except DataError as err:
        fault = err
    if fault is not None:
        contents.give_up(fault)


def unpack(file: InputFile, locator: str, size: int) -> Iterator[bytes]:
    """The bytes of one member, counted and checked.

    Args:
        file: the archive.
        locator: as `Member.locator`.
        size: unpacked, as listed.

    Raises:
        DataError: `archive_size_lie` or `archive_broken`; the bytes handed out before are void.
    """
    offset, packed, method, crc = (int(word) for word in locator.split()[1:])
    entry = ZipEntry("", 0, method, crc, packed, size, offset, 0)
    return _unpack(file, entry, _FIRST_BYTES, PIECE_BYTES)


def _admit(
    file: InputFile, contents: Contents, entry: ZipEntry, directory: int, overlaps: bool
) -> None:
    if entry.name.endswith("/") and not entry.size:
        return
    obstacle = ("", "")
    unreadable = _unreadable(entry)
    if entry.mode and stat.S_IFMT(entry.mode) not in (0, stat.S_IFREG):
        obstacle = Reason.ARCHIVE_LINK, "a link or device, not a file; links are not followed"
    elif entry.offset < 0 or entry.offset + _LOCAL.size + entry.packed > directory:
        message = f"claims {entry.packed} packed bytes, more than the archive holds"
        obstacle = Reason.ARCHIVE_SIZE_LIE, message + "; fetch it again"
    elif overlaps:
        message = "shares its bytes with another member, as only a bomb does"
        obstacle = Reason.ARCHIVE_BOMB, message + "; repack the archive"
    elif unreadable[0] and suffix_of(entry.name) and not named_document(entry.name):
        contents.ignored[suffix_of(sanitize(entry.name))] += 1
        return
    elif unreadable[0]:
        obstacle = unreadable
    contents.admit(
        entry.name,
        entry.size,
        locator=f"zip {entry.offset} {entry.packed} {entry.method} {entry.crc}",
        token=f"{entry.crc:08x}",
        head=lambda: _head(file, entry),
        packed=entry.packed,
        obstacle=obstacle,
    )


def _unreadable(entry: ZipEntry) -> tuple[str, str]:
    """Reason and message where the member's bytes cannot be had, else two empty strings."""
    if entry.flags & _ENCRYPTED:
        return Reason.ARCHIVE_ENCRYPTED, "encrypted; unpack the archive with its password"
    if entry.method not in METHODS:
        advice = "repack the archive with deflate"
        return _BROKEN, f"packed with method {entry.method}, which is not known; {advice}"
    return "", ""


def _overlapping(entries: list[ZipEntry], directory: int) -> set[int]:
    """Indices of the entries that begin before an earlier one, that is no lie, has ended."""
    overlapping: set[int] = set()
    end = 0
    for index in sorted(range(len(entries)), key=lambda index: entries[index].offset):
        entry = entries[index]
        if entry.offset < end:
            overlapping.add(index)
        elif (after := entry.offset + _LOCAL.size + entry.packed) <= directory:
            end = after
    return overlapping


def _directory(file: InputFile) -> tuple[int, int, int, int]:
    """Where the central directory begins, its length, its entries, and what to add to offsets."""
    if file.size < 0:
        message = "the server does not tell its size, so its directory cannot be found"
        raise DataError(f"{message}; fetch the archive first", reason=_BROKEN)
    start = max(0, file.size - _TAIL_BYTES)
    file.seek(start)
    tail = file.read(_TAIL_BYTES)
    at = _end_record(tail)
    if at < 0:
        message = "it has no directory at its end: it is cut or no zip"
        raise DataError(f"{message}; fetch it again, or repair it with `zip -FF`", reason=_BROKEN)
    _, _, _, _, count, length, claimed, _ = _END.unpack_from(tail, at)
    end = start + at
    locator = at - _END64_LOCATOR.size
    if locator >= 0 and tail.startswith(b"PK\6\7", locator):
        record = tail.rfind(b"PK\6\6", 0, locator)
        if record < 0 or locator - record < _END64.size:
            raise DataError("its zip64 directory record is missing", reason=_BROKEN)
        count, length, claimed = _END64.unpack_from(tail, record)[-3:]
        end = start + record
    begin = end - length
    if begin < 0:
        message = f"its directory claims {length} bytes, more than the archive has"
        raise DataError(f"{message}; fetch the archive again", reason=_BROKEN)
    return begin, length, count, begin - claimed


def _end_record(tail: bytes) -> int:
    """Where the end record is: the last whose comment fills the file, else the last, else -1."""
    last = at = tail.rfind(b"PK\5\6", 0, max(0, len(tail) - _END.size + 4))
    while at >= 0 and at + _END.size + _END.unpack_from(tail, at)[-1] != len(tail):
        at = tail.rfind(b"PK\5\6", 0, at)
    return at if at >= 0 else last


def _entries(file: InputFile, directory: int, length: int, shift: int) -> Iterator[ZipEntry]:
    file.seek(directory)
    data, at, left = b"", 0, length
    while left or at < len(data):
        if len(data) - at < _ENTRY.size + 3 * 0xFFFF and left:
            more = file.read(min(left, _CHUNK_BYTES))
            left = left - len(more) if more else 0
            data, at = data[at:] + more, 0
        try:
            fields = _ENTRY.unpack_from(data, at)
        except struct.error:
            fields = (b"",)
        end = at + _ENTRY.size + sum(fields[10:13]) if fields[0] == b"PK\1\2" else len(data) + 1
        if end > len(data):
            message = "its directory is damaged after these members"
            raise DataError(f"{message}; fetch the archive again.", reason=_BROKEN)
        yield _entry(fields, data[at + _ENTRY.size : end], shift)
        at = end


def _entry(fields: tuple[int, ...], rest: bytes, shift: int) -> ZipEntry:
    (
        _,
        maker,
        _,
        flags,
        method,
        _,
        _,
        crc,
        packed,
        size,
        name,
        extra,
        _,
        _,
        _,
        mode,
        offset,
    ) = fields
    size, packed, offset = _zip64(rest[name : name + extra], (size, packed, offset))
    unix = mode >> 16 if maker >> 8 == 3 else 0  # 3: written on Unix
    return ZipEntry(
        _text(rest[:name], flags), flags, method, crc, packed, size, offset + shift, unix
    )


def _text(raw: bytes, flags: int) -> str:
    """A name as text: UTF-8 where it says so or is valid as such, else code page 437."""
    if flags & _UTF8 or raw.isascii():
        return raw.decode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _zip64(extra: bytes, values: tuple[int, ...]) -> tuple[int, ...]:
    """The values, those that overflow 32 bits taken from the zip64 extra field, in its order."""
    if 0xFFFFFFFF not in values:
        return values
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            field = extra[at + 4 : at + 4 + length]
            wide = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
            return tuple(next(wide, v) if v == 0xFFFFFFFF else v for v in values)
        at += 4 + length
    return values


def _head(file: InputFile, entry: ZipEntry) -> bytes:
    head = b""
    if entry.size:
        for piece in _unpack(file, entry, _SNIFF_BYTES, HEAD_BYTES):
            head += piece[:HEAD_BYTES]
            if len(head) >= HEAD_BYTES:
                break
    return head[:HEAD_BYTES]


def _unpack(
    file: InputFile, entry: ZipEntry, first_bytes: int, piece_bytes: int
) -> Iterator[bytes]:
    unpacker = decoder(entry.method)
    count, crc = 0, 0
    try:
        for chunk in _packed(file, entry, first_bytes):
            for piece in pieces(unpacker, chunk, piece_bytes):
                count += len(piece)
                if count > entry.size:
                    raise _lie(f"unpacks to more than the {entry.size} bytes it claims")
                crc = zlib.crc32(piece, crc)
                yield piece
    except FAULTS as err:
        raise _damaged(f"its data is damaged ({err})") from err
    if count < entry.size:
        if unpacker.eof or not entry.method:
            raise _lie(f"unpacks to {count} bytes and claims {entry.size}")
        raise _damaged("its data is cut")
    if crc != entry.crc:
        raise _damaged("its bytes do not have the checksum that the archive gives")


def _packed(file: InputFile, entry: ZipEntry, first_bytes: int) -> Iterator[bytes]:
    """The packed bytes of a member; local header and first bytes come with one read."""
    file.seek(entry.offset)
    data = file.read(_LOCAL.size + 512 + min(entry.packed, first_bytes))
    if len(data) < _LOCAL.size or not data.startswith(b"PK\3\4"):
        raise _damaged("there is no member where the directory points")
    _, _, flags, _, _, _, _, packed, size, name, extra = _LOCAL.unpack_from(data)
    begin = _LOCAL.size + name + extra
    if not flags & _SIZES_FOLLOW:
        size, packed = _zip64(data[_LOCAL.size + name : begin], (size, packed))
        if (size, packed) != (entry.size, entry.packed):
            raise _lie(f"has {size} bytes by its own header and {entry.size} by the directory")
    left = entry.packed
    if begin >= len(data):
        file.seek(entry.offset + begin)
    data = data[begin : begin + left]
    while left:
        if not data and not (data := file.read(min(left, _CHUNK_BYTES))):
            raise _damaged("the archive ends inside it")
        left -= len(data)
        yield data
        data = b""


def _lie(problem: str) -> DataError:
    return DataError(f"the member {problem}; repack the archive", reason=Reason.ARCHIVE_SIZE_LIE)


def _damaged(problem: str) -> DataError:
    return DataError(
        f"the member cannot be unpacked: {problem}; fetch the archive again", reason=_BROKEN
    )
