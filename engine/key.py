"""Content keys and counter-based randomness: every draw is a pure function of its name."""

from __future__ import annotations

import hashlib
import re
from typing import BinaryIO

import numpy as np

PAGE_KEY = re.compile(r"[0-9a-f]{20}_[0-9]{5,}")
_CHUNK_BYTES = 1 << 20


def page_key(doc_sha256: str, page_index: int) -> str:
    """The WebDataset key of a page: `{sha256[:20]}_{page:05d}`, 0-based, never a dot."""
    return f"{doc_sha256[:20]}_{page_index:05d}"


def sha256_of(stream: BinaryIO) -> str:
    """The sha256 of all that is left in a stream, in hex, read in chunks of 1 MiB."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def keyed_hash(*parts: str | int) -> int:
    """A 64-bit integer that depends on every part and on nothing else.

    Parts are joined with their lengths and types, so ("ab", "c") and ("a", "bc") differ,
    and so do (1,) and ("1",).
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = f"{type(part).__name__}:{part}".encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return int.from_bytes(digest.digest(), "little")


def keyed_unit(*parts: str | int) -> float:
    """A number in [0, 1) that depends on every part and on nothing else."""
    return (keyed_hash(*parts) >> 11) * 2.0**-53


def keyed_stream(*parts: str | int) -> np.random.Philox:
    """A Philox counter stream keyed by the parts: raw bits, the same on every platform."""
    return np.random.Philox(key=[keyed_hash("lo", *parts), keyed_hash("hi", *parts)])
