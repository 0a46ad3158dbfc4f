"""A model as it is handed on: one floating point type, in files of a size that travels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from ...engine.errors import ConfigError
from .store import (
    INDEX,
    Store,
    TensorPart,
    building,
    nbytes,
    read_json,
    refuse_full,
    weight_files,
    write_json,
    write_shards,
)

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

HEADER_BYTES = 1 << 16
"""Room for the header of a file."""


def pack_model(
    source: Path,
    out: Path,
    *,
    dtype: str = "bfloat16",
    shard_bytes: int,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Copy a model, its weights in another type and in small files; the bytes of its weights.

    Args:
        source: a folder that `from_pretrained` reads.
        out: a folder that does not exist yet, or is empty.
        dtype: of floating point weights: float32, bfloat16 or float16.
        shard_bytes: most bytes of one file.
        progress: called with the bytes done and the bytes in all, after every tensor.

    Raises:
        ConfigError: an unknown type, or no room for a single tensor in a file.
        CheckpointError: the source is incomplete or damaged, or `out` holds something already.
    """
    if dtype not in DTYPES:
        raise ConfigError(f"dtype is {dtype!r}; there are: {', '.join(DTYPES)}")
    refuse_full(out)
    store = Store(source)
    parts = [part_of(store, name, DTYPES[dtype]) for name in sorted(store.headers)]
    largest = max(parts, key=lambda part: part.bytes)
    room = shard_bytes - HEADER_BYTES
    if largest.bytes > room:
        raise ConfigError(
            f"{largest.name} has {largest.bytes:,} bytes in {dtype}; "
            f"files of at most {shard_bytes:,} cannot hold it"
        )
    weights = {path.name for path in weight_files(source)} | {INDEX}
    with building(out) as folder:
        write_shards(folder, parts, shard_bytes=room, progress=progress)
        for path in sorted(source.iterdir()):
            if path.is_file() and path.name not in weights:
                shutil.copyfile(path, folder / path.name)
        config = read_json(folder / "config.json")
        write_json(folder / "config.json", retyped(config, dtype))
    return sum(part.bytes for part in parts)


def part_of(store: Store, name: str, dtype: torch.dtype) -> TensorPart:
    """A tensor of the store, in another type where it is a floating point one."""
    header = store.headers[name]
    target = dtype if header.dtype.is_floating_point else header.dtype
    return TensorPart(name, nbytes(header.shape, target), lambda: store.read(name).to(target))


def retyped(config: dict[str, object], dtype: str) -> dict[str, object]:
    """A configuration, and those inside it, whose weights have another type."""
    copied: dict[str, object] = json.loads(json.dumps(config))
    for settings in (copied, *(inner for inner in copied.values() if isinstance(inner, dict))):
        if "dtype" in settings:
            settings["dtype"] = dtype
    return copied
