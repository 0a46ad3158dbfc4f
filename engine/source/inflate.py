"""Compressed bytes, unpacked in bounded pieces: streams read front to back, and their decoders."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol, cast

from ..errors import DataError
from ..reason import Reason
from .archive import ArchiveLimits, bomb_message, inflated
from .location import InputFile

PIECE_BYTES = 1 << 20
_INPUT_BYTES = 1 << 16
_XZ_MEMORY_BYTES = 512 << 20
_BROKEN = Reason.ARCHIVE_BROKEN
FAULTS = (zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
"""What decoders raise on damaged input."""


class Decoder(Protocol):
    """One compressed stream; the interface of `bz2.BZ2Decompressor`."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Deflate:
    """zlib behind the interface of the other decoders.

    Args:
        wbits: -15 for raw deflate, 31 for gzip with its checksum.
    """

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        tail = self._inner.unconsumed_tail
        piece = self._inner.decompress(tail + data if tail else data, max_length)
        self._full = len(piece) == max_length
        return piece


def pieces(decoder: Decoder, data: bytes, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
    """All that this input unpacks to, at most `piece_bytes` at a time."""
    while not decoder.eof:
        piece = decoder.decompress(data, piece_bytes)
        data = b""
        if piece:
            yield piece
        if decoder.needs_input:
            return


_STREAMS: dict[str, tuple[bytes, Callable[[], Decoder]]] = {
    "gz": (b"\x1f\x8b", lambda: Deflate(31)),
    "bz2": (b"BZh", lambda: cast(Decoder, bz2.BZ2Decompressor())),
    "xz": (
        b"\xfd7zXZ\0",
        lambda: cast(Decoder, lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)),
    ),
}


class Inflated:
    """A compressed file read front to back, with the manners of a bounded bomb disposal.

    Args:
        file: the compressed file, at its start.
        kind: `gz`, `bz2`, `xz` or `zst`.
        limits: where to stop: ratio and total.
    """

    def __init__(self, file: InputFile, kind: str, limits: ArchiveLimits) -> None:
        self.position = 0
        """Unpacked bytes handed out."""
        self._input = _Input(file)
        self._limits = limits
        self._made = 0
        self._piece, self._at = b"", 0
        self._pieces = _zstd(self._input) if kind == "zst" else _streams(self._input, kind)

    def read(self, size: int) -> bytes:
        """The next bytes, fewer than `size` only at the end.

        Raises:
            DataError: `archive_broken`, or `archive_bomb` when it grows beyond the limits.
        """
        parts: list[bytes] = []
        wanted = size
        while wanted and (self._at < len(self._piece) or self._advance()):
            part = self._piece[self._at : self._at + wanted]
            self._at += len(part)
            parts.append(part)
            wanted -= len(part)
        data = b"".join(parts)
        self.position += len(data)
        return data

    def skip_to(self, position: int) -> None:
        """Unpack and drop everything before a position.

        Raises:
            DataError: as `read`; also where the stream ends before.
        """
        while self.position < position:
            if self._at == len(self._piece) and not self._advance():
                raise DataError(
                    "the archive ends inside this member; fetch it again", reason=_BROKEN
                )
            step = min(len(self._piece) - self._at, position - self.position)
            self._at += step
            self.position += step

    def _advance(self) -> bool:
        try:
            self._piece, self._at = next(self._pieces, b""), 0
        except FAULTS as err:
            raise DataError(
                f"the compressed data is damaged after {self._made} unpacked bytes ({err}); "
                "fetch the archive again",
                reason=_BROKEN,
            ) from err
        self._made += len(self._piece)
        if inflated(self._made, self._input.count, self._limits):
            message = bomb_message(self._made, self._input.count, self._limits)
            raise DataError(message, reason=Reason.ARCHIVE_BOMB)
        if self._made > self._limits.archive_bytes:
            raise DataError(
                f"the archive unpacks to more than limits.archive_bytes = "
                f"{self._limits.archive_bytes}; raise it if you trust the archive",
                reason=Reason.ARCHIVE_BOMB,
            )
        return bool(self._piece)


class _Input:
    """The compressed bytes, counted; enough of a file for pyarrow."""

    closed = False

    def __init__(self, file: InputFile) -> None:
        self._file = file
        self.count = 0

    def read(self, size: int = _INPUT_BYTES) -> bytes:
        data = self._file.read(size)
        self.count += len(data)
        return data

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """The file belongs to the caller."""


def _streams(source: _Input, kind: str) -> Iterator[bytes]:
    """One or more compressed streams in a row; what follows that is none of them is left."""
    magic, make = _STREAMS[kind]
    data = source.read()
    while True:
        decoder = make()
        while not decoder.eof:
            if not data:
                raise EOFError("it ends in the middle")
            yield from pieces(decoder, data)
            data = decoder.unused_data if decoder.eof else source.read()
        data = data.lstrip(b"\0")
        while len(data) < len(magic) and (more := source.read()):
            data = (data + more).lstrip(b"\0")
        if not data.startswith(magic):
            return


def _zstd(source: _Input) -> Iterator[bytes]:
    import pyarrow

    stream = pyarrow.CompressedInputStream(pyarrow.PythonFile(source, mode="r"), "zstd")
    while data := stream.read(PIECE_BYTES):
        yield data
