"""Faults planted into a corpus, and what verify says of them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from pagemill.engine.store.place import Place
from pagemill.engine.store.tar import BLOCK_BYTES, header
from pagemill.engine.verify.corpus import verify

SHARD = "train-000000"

Members = list[tuple[str, bytes]]


def found(place: Place, *, deep: bool = True) -> list[tuple[str, str, str]]:
    return [(fault.shard, fault.key, str(fault.kind)) for fault in verify(place, deep=deep)]


def members(samples, shard: str = SHARD) -> Members:
    return [(f"{key}.{ext}", data) for key, parts in samples[shard] for ext, data in parts]


def tar_path(corpus: Place, shard: str = SHARD) -> Path:
    path = corpus.local_path(f"shards/{shard}.tar")
    assert path is not None
    return path


def ours(content: Members) -> bytes:
    """A tar as the product writes it, with any names."""
    body = b"".join(
        header(name, len(data)) + data + bytes(-len(data) % BLOCK_BYTES) for name, data in content
    )
    return body + bytes(1024)


def pythons(content: Members) -> bytes:
    """A tar as people rewrite it: other times, extended headers, padded to 10 KiB."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for name, data in content:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.uname = len(data), 1.7e9 + 0.5, "someone"
            tar.addfile(info, io.BytesIO(data))
    return sink.getvalue()


WRITERS = pytest.mark.parametrize("write", [ours, pythons])
