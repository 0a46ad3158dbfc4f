"""Shards in, packed batches out: the same for any number of ranks, workers and restarts.

Everything is derived from (sources, seed, cursor): no file here holds a state of its own.

In reading order: `corpus` (the samples of one, in arrays; `shard_cache` keeps whole shards of a
remote one) and `conversation` (instruction data); `token_count` (lengths before pages are read);
`box` and `sample` (a page becomes a question and its answer); `order` (which samples a window
holds), `pack` (samples into sequences of one budget), `packing` (which packs a step takes, and the
cursor), `planned` (samples as they are planned), `dataset` and `worker` (where they are made),
`collate` (a `Batch` of tensors), `config`, `stream` (`PageStream`, all of it together). To look at
batches: `inspect`, and `picture` (patches back to pixels).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import StreamConfig as StreamConfig
    from .stream import PageStream as PageStream

_HOMES = {"PageStream": "stream", "StreamConfig": "config"}
"""Name to its module, which is imported when the name is asked for: it brings torch."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
