"""The packing methods of zip: stored, deflate, bzip2 and LZMA, each as a `Decoder`."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable
from typing import cast

from .inflate import Decoder, Deflate

_DICTIONARY_BYTES = 256 << 20


class _Stored:
    eof = False
    needs_input = True
    unused_data = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return data


class _Lzma:
    """Raw LZMA after zip's own header: version (2), length (2) and properties (5 bytes)."""

    unused_data = b""

    def __init__(self) -> None:
        self._head = b""
        self._inner: lzma.LZMADecompressor | None = None

    @property
    def eof(self) -> bool:
        return self._inner is not None and self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._inner is None or self._inner.needs_input

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._inner is None:
            self._head += data
            if len(self._head) < 9:
                return b""
            self._inner = _raw_lzma(self._head[2:9])
            data = self._head[9:]
        return self._inner.decompress(data, max_length)


def _raw_lzma(header: bytes) -> lzma.LZMADecompressor:
    length, properties = int.from_bytes(header[:2], "little"), header[2]
    dictionary = int.from_bytes(header[3:7], "little")
    if length != 5 or properties >= 225 or dictionary > _DICTIONARY_BYTES:
        raise ValueError("its LZMA header is unknown or asks for too much memory")
    literal = {"lc": properties % 9, "lp": properties // 9 % 5, "pb": properties // 45}
    lzma1 = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, **literal}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[lzma1])


METHODS: dict[int, Callable[[], Decoder]] = {
    0: _Stored,
    8: lambda: Deflate(-15),
    12: lambda: cast(Decoder, bz2.BZ2Decompressor()),
    14: _Lzma,
}


def decoder(method: int) -> Decoder:
    """A fresh decoder for one member."""
    return METHODS[method]()
