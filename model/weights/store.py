"""Checkpoint folders: tensors known by their headers, read one by one, written shard by shard.

Reads what `transformers` reads: `model.safetensors`, its shards with an index, and the older
`pytorch_model.bin`. Writes safetensors that `from_pretrained` finds.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ...engine.errors import CheckpointError, ConfigError

INDEX = "model.safetensors.index.json"
WEIGHTS = ("model.safetensors", INDEX, "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Where weights may be, in the order in which they are looked for."""

DTYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}

POINTER = b"version https://git-lfs"
"""How a file begins that only says where the weights are."""


@dataclass(frozen=True, slots=True)
class TensorHeader:
    """What a file says about a tensor before the tensor is read."""

    path: Path
    shape: tuple[int, ...]
    dtype: torch.dtype


@dataclass(frozen=True, slots=True)
class TensorPart:
    """A tensor to be written."""

    name: str
    bytes: int
    make: Callable[[], Tensor]
    """Reads or makes it, when its turn comes."""


class Store:
    """The tensors of a checkpoint folder; opening it reads headers only.

    Args:
        folder: holds the weights.

    Raises:
        CheckpointError: weights are missing, cut off or damaged; the message names the file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[Path, SafeFile | TorchFile] = {}
        self.headers: dict[str, TensorHeader] = {}
        for path, names in weight_files(folder).items():
            self.files[path] = opened(path)
            headers = self.files[path].headers(path)
            absent = [name for name in names if name not in headers]
            if absent:
                raise CheckpointError(
                    f"{path} does not hold {absent[0]}, which the index beside it says is there "
                    f"({len(absent)} such tensors): shards and index are of different checkpoints. "
                    "Copy or download all of them again."
                )
            self.headers.update(headers)

    def read(self, name: str) -> Tensor:
        """One tensor; of safetensors it is a view of the file, paged in as it is read."""
        return self.files[self.headers[name].path].read(name)


class SafeFile:
    """A safetensors file."""

    def __init__(self, path: Path) -> None:
        self.handle: Any = safe_open(path, framework="pt")

    def headers(self, path: Path) -> dict[str, TensorHeader]:
        """The headers of all its tensors."""
        slices = {name: self.handle.get_slice(name) for name in self.handle.keys()}  # noqa: SIM118
        return {
            name: TensorHeader(path, tuple(tensor.get_shape()), dtype_of(tensor.get_dtype(), path))
            for name, tensor in slices.items()
        }

    def read(self, name: str) -> Tensor:
        """One tensor."""
        tensor: Tensor = self.handle.get_tensor(name)
        return tensor


class TorchFile:
    """A file of `torch.save`, mapped into memory; nothing but tensors is let in."""

    def __init__(self, path: Path) -> None:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        if not isinstance(content, dict):
            raise ValueError(f"it holds {type(content).__name__}, not tensors by name")
        self.tensors: dict[str, Any] = content

    def headers(self, path: Path) -> dict[str, TensorHeader]:
        """The headers of all its tensors."""
        return {
            name: TensorHeader(path, tuple(tensor.shape), tensor.dtype)
            for name, tensor in self.tensors.items()
            if isinstance(tensor, Tensor)
        }

    def read(self, name: str) -> Tensor:
        """One tensor."""
        tensor: Tensor = self.tensors[name]
        return tensor.clone(memory_format=torch.contiguous_format)


def opened(path: Path) -> SafeFile | TorchFile:
    """The file, its headers read.

    Raises:
        CheckpointError: it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(len(POINTER)) == POINTER:
            raise CheckpointError(
                f"{path} is a Git LFS pointer, not the weights: run `git lfs pull` there, "
                "or download the file itself"
            )
    try:
        return SafeFile(path) if path.suffix == ".safetensors" else TorchFile(path)
    except (SafetensorError, UnpicklingError, RuntimeError, ValueError, EOFError) as err:
        reason = str(err).partition("\n")[0]
        raise CheckpointError(
            f"{path} ({path.stat().st_size:,} bytes) is cut off or damaged: {reason}. "
            "Copy or download it again."
        ) from err


def dtype_of(code: str, path: Path) -> torch.dtype:
    """The type that a safetensors header names.

    Raises:
        CheckpointError: it names another one than we know.
    """
    if code not in DTYPES:
        raise CheckpointError(
            f"{path} holds tensors of type {code}; there are: {', '.join(DTYPES)}. "
            "Convert the checkpoint to one of them first."
        )
    return DTYPES[code]


def weight_files(folder: Path) -> dict[Path, list[str]]:
    """The files with weights in a folder, and the tensors that an index says are in each.

    Raises:
        CheckpointError: there are none, or one that the index names is missing.
    """
    found = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if found is None:
        raise CheckpointError(f"{folder} holds no weights: expected one of {', '.join(WEIGHTS)}")
    if found.suffix != ".json":
        return {found: []}
    files: dict[Path, list[str]] = {}
    weight_map = read_json(found).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{found} has no weight_map: copy or download it again")
    for name, file in weight_map.items():
        files.setdefault(folder / Path(str(file)).name, []).append(name)
    for path, names in files.items():
        if not path.is_file():
            raise CheckpointError(
                f"{path} is missing: {found.name} says that {len(names)} tensors are in it. "
                "Copy or download it to the others."
            )
    return dict(sorted(files.items()))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        CheckpointError: the file is missing or holds none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as err:
        raise CheckpointError(
            f"{path} is missing: a checkpoint is a folder with {path.name} beside its weights"
        ) from err
    except ValueError as err:
        raise CheckpointError(f"{path} is no JSON ({err}): copy or download it again") from err
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds no JSON object: copy or download it again")
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON object in its own order of keys."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def refuse_full(out: Path) -> None:
    """Refuse a place that holds something already.

    Raises:
        CheckpointError: it is a file, or a folder that is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CheckpointError(f"{out} exists and is not empty: name another folder, or remove it")


@contextmanager
def building(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its name when all went well, and goes away otherwise.

    A run that is killed leaves `.NAME.PID.part` behind, and no `out`.

    Raises:
        CheckpointError: `out` exists and is not empty.
    """
    out = out.absolute()
    refuse_full(out)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    try:
        yield part
        refuse_full(out)
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_shards(
    folder: Path,
    parts: Sequence[TensorPart],
    *,
    shard_bytes: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write tensors into files of at most `shard_bytes`, and the index if there are several.

    One shard is in memory at a time. A tensor that is larger than `shard_bytes` gets a file of
    its own.

    Raises:
        ConfigError: `shard_bytes` is below 1.
        CheckpointError: the disk has too little room.
    """
    if shard_bytes < 1:
        raise ConfigError(f"shard_bytes is {shard_bytes}; it must be at least 1")
    total = sum(part.bytes for part in parts)
    free = shutil.disk_usage(folder).free
    if free < total:
        raise CheckpointError(f"{folder.parent} has {free:,} bytes free, {total:,} are needed")
    shards = grouped(parts, shard_bytes)
    names = shard_names(len(shards))
    done = 0
    for name, shard in zip(names, shards, strict=True):
        tensors = {}
        for part in shard:
            tensors[part.name] = part.make()
            done += part.bytes
            if progress is not None:
                progress(done, total)
        save_file(tensors, folder / name, metadata={"format": "pt"})
        del tensors
    if len(shards) > 1:
        places = {
            part.name: name for name, shard in zip(names, shards, strict=True) for part in shard
        }
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        write_json(folder / INDEX, index)


def grouped(parts: Sequence[TensorPart], shard_bytes: int) -> list[list[TensorPart]]:
    """Parts in shards of at most `shard_bytes`, in their order."""
    shards: list[list[TensorPart]] = [[]]
    held = 0
    for part in parts:
        if shards[-1] and held + part.bytes > shard_bytes:
            shards.append([])
            held = 0
        shards[-1].append(part)
        held += part.bytes
    return shards


def shard_names(count: int) -> list[str]:
    """File names as `from_pretrained` expects them."""
    if count == 1:
        return ["model.safetensors"]
    return [f"model-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]


def nbytes(shape: Sequence[int], dtype: torch.dtype) -> int:
    """Bytes of a tensor."""
    return math.prod(shape) * dtype.itemsize
