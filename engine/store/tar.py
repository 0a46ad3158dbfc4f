"""The tar blocks of a shard: headers that never vary, and a scan that survives damage.

Every member is a ustar file with mode 0644, owner 0, no names and mtime 0; two zero blocks
end the file. `tarfile` takes defaults of its own for what is not said, chooses another header for
long names, and its reader ends at the first damaged header; here the bytes of a shard are fixed by
its samples, and what lies behind damage is still found.

Source: POSIX.1-1988 (ustar), as in IEEE Std 1003.1, `pax`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..errors import ShardError

BLOCK_BYTES = 512
TRAILER_BYTES = 2 * BLOCK_BYTES
_MEMBER_LIMIT_BYTES = 8**11
_NAME_LIMIT_BYTES = 100
_READ_BYTES = 16 << 20
_SKIP_BYTES = 1 << 20
_ZERO_BLOCK = bytes(BLOCK_BYTES)
_CHECKSUM = slice(148, 156)
_FIELDS = slice(100, 156)
_PLAIN_TYPES = (b"0", b"\0")
_FOREIGN_TYPES = frozenset(b"1234567xgLKSDMV")


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class TarMember:
    """One file of a tar, as it was found."""

    name: str
    offset: int
    """Of the header, bytes from the start of the tar."""
    data: bytes
    header_ok: bool = True
    """False: the header is damaged, name and size are what the index says."""
    padding_ok: bool = True
    """False: the bytes that fill the last block are not zero."""
    canonical: bool = True
    """The header is the one that `header` makes."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a tar that is not a member, a padding or the end mark."""

    kind: str
    """`cut_at_member`, `cut_in_member`, `bit_flip` or `foreign`."""
    offset: int
    name: str
    """Of the member it is in, where that is known."""
    message: str


def member_bytes(size: int) -> int:
    """What a member of `size` bytes takes in a tar: header, data, padding."""
    return BLOCK_BYTES + size + (-size % BLOCK_BYTES)


def tar_bytes(sizes: Iterable[int]) -> int:
    """The exact size of a tar file with members of these sizes."""
    return sum(map(member_bytes, sizes)) + TRAILER_BYTES


def header(name: str, size: int) -> bytes:
    """The 512 bytes before a member's data.

    Raises:
        ShardError: the name is longer than 100 bytes, or the size 8 GiB or more.
    """
    encoded = name.encode()
    if len(encoded) > _NAME_LIMIT_BYTES:
        raise ShardError(f"{name}: a member's name has at most 100 bytes", key=name)
    if size >= _MEMBER_LIMIT_BYTES:
        raise ShardError(f"{name}: a member has less than 8 GiB, this one {size} bytes", key=name)
    block = bytearray(BLOCK_BYTES)
    block[: len(encoded)] = encoded
    mode, owner, octal_size, mtime = (
        b"0000644\0",
        b"0000000\0",
        b"%011o\0" % size,
        b"0" * 11 + b"\0",
    )
    block[_FIELDS] = mode + owner + owner + octal_size + mtime + b" " * 8
    block[156:157] = b"0"
    block[257:265] = b"ustar\x0000"
    block[_CHECKSUM] = b"%06o\0 " % sum(block)
    return bytes(block)


def scan(
    stream: Readable, expected: Mapping[int, tuple[str, int]] | None = None
) -> Iterator[TarMember | Damage]:
    """Members in the order of the file, and what is wrong between them.

    Reads the stream once, to its end. After a damaged header the scan goes on at the next
    member: where the index knows it, else at the next block that is a valid header.

    Args:
        stream: the tar, from its first byte.
        expected: header offset → (name, size), from an index.
    """
    expected = expected or {}
    blocks = _Blocks(stream)
    offset = 0
    while True:
        block = blocks.read(BLOCK_BYTES)
        if len(block) < BLOCK_BYTES:
            yield _cut_header(block, offset, expected)
            return
        if block == _ZERO_BLOCK and blocks.at_end(expected.get(offset)):
            yield from _end(blocks, offset)
            return
        parsed = _parse(block)
        if parsed is None and offset not in expected:
            yield Damage("bit_flip", offset, "", f"the header at byte {offset} is damaged")
            offset, block = _resync(blocks, offset, expected)
            if not block:
                return
            parsed = _parse(block)
        name, size, kind = parsed if parsed is not None else (*expected[offset], b"0")
        data = blocks.read(size)
        padding = blocks.read(-size % BLOCK_BYTES) if size % BLOCK_BYTES else b""
        if len(data) < size or len(padding) < -size % BLOCK_BYTES:
            missing = member_bytes(size) - BLOCK_BYTES - len(data) - len(padding)
            message = f"the file ends inside {name}: {missing} bytes are lost"
            yield Damage("cut_in_member", offset, name, message)
            return
        if kind in _PLAIN_TYPES:
            yield TarMember(
                name,
                offset,
                data,
                header_ok=parsed is not None,
                padding_ok=not padding.strip(b"\0"),
                canonical=size < _MEMBER_LIMIT_BYTES and block == header(name, size),
            )
        else:
            yield Damage("foreign", offset, name, f"{name} is not a plain file")
        offset += member_bytes(size)


class _Blocks:
    """A stream that can look one block ahead."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._ahead = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; a size that is a lie allocates no more than there is."""
        pieces, self._ahead = [self._ahead[:size]], self._ahead[size:]
        size -= len(pieces[0])
        while size and (piece := self._stream.read(min(size, _READ_BYTES))):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces) if pieces[0] or len(pieces) != 2 else pieces[1]

    def at_end(self, expected: tuple[str, int] | None) -> bool:
        """Is a zero block the end mark, not a member's header that was zeroed?"""
        if expected is None:
            return True
        self._ahead = self._stream.read(BLOCK_BYTES)
        return not self._ahead.strip(b"\0")


def _cut_header(block: bytes, offset: int, expected: Mapping[int, tuple[str, int]]) -> Damage:
    name = expected.get(offset, ("", 0))[0]
    if block.strip(b"\0") or (block and name):
        return Damage("cut_in_member", offset, name, f"the file ends inside a header at {offset}")
    return Damage(
        "cut_at_member", offset, name, f"the file ends at byte {offset} without an end mark"
    )


def _end(stream: _Blocks, offset: int) -> Iterator[Damage]:
    """The end mark's second block, and whatever follows; only zeros may."""
    second = stream.read(BLOCK_BYTES)
    if len(second) < BLOCK_BYTES:
        yield Damage("cut_at_member", offset, "", "the end mark is cut; all members are there")
    clean = not second.strip(b"\0")
    while rest := stream.read(_SKIP_BYTES):
        clean = clean and not rest.strip(b"\0")
    if not clean:
        yield Damage("bit_flip", offset, "", f"there are bytes after the end mark at {offset}")


def _resync(
    stream: _Blocks, offset: int, expected: Mapping[int, tuple[str, int]]
) -> tuple[int, bytes]:
    """The next offset with a valid or expected header, and its block; empty at the end."""
    while True:
        offset += BLOCK_BYTES
        block = stream.read(BLOCK_BYTES)
        if len(block) < BLOCK_BYTES:
            return offset, b""
        if offset in expected or _parse(block) is not None:
            return offset, block


def _parse(block: bytes) -> tuple[str, int, bytes] | None:
    """Name, size and type of a header; None where its checksum or a field is wrong."""
    try:
        claimed = int(block[_CHECKSUM].strip(b" \0"), 8)
        size = int(block[124:136].strip(b" \0") or b"0", 8)
        name = block[:100].split(b"\0", 1)[0].decode()
    except ValueError:
        return None
    actual = sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ")
    kind = block[156:157]
    known_type = kind in _PLAIN_TYPES or kind[0] in _FOREIGN_TYPES
    if claimed != actual or not name or size < 0 or not known_type or block[257:262] != b"ustar":
        return None
    return name, size, kind
