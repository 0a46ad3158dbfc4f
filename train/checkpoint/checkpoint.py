"""Checkpoints: written whole or not at all, in the background, and read by any number of ranks.

    checkpoints/step-000300/
      checkpoint.json        written last: step, state, and every file with its size and checksum
      model/                 what `from_pretrained` reads, the processor included
      pieces-00-of-02.safetensors   float32 weights and moments of what learns, by name

Every rank writes the pieces whose number it divides; a folder under its own name is complete, one
that ends in `.part` is not. Weights and moments carry their names, not their place in a shared-out
buffer, so that another number of ranks or another ZeRO stage reads them as well.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c
import orjson
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ...engine.errors import CheckpointError

log = logging.getLogger(__name__)

SCHEMA = "pagemill.checkpoint.1"
SUMMARY = "checkpoint.json"
MODEL = "model"
FOLDER = re.compile(r"step-(\d{6,})")
PART = ".part"
WAIT_S = 1800.0
"""Within which the other ranks must have written their files."""
BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Saved:
    """A complete checkpoint."""

    path: Path
    step: int
    state: dict[str, Any]
    """Everything that is neither weight nor moment."""
    files: dict[str, tuple[int, int]]
    """(bytes, crc32c) of every file, by its path in the folder."""

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(size for size, _ in self.files.values())


@dataclass(slots=True)
class Snapshot:
    """What a rank has to write, in memory of its own."""

    step: int
    state: dict[str, Any]
    pieces: dict[str, Tensor]
    export: Callable[[Path], None] | None
    """Writes the model; on rank 0 alone."""


@dataclass(slots=True)
class Writer:
    """Writes checkpoints of one run, one at a time.

    Args:
        folder: of the checkpoints.
        rank: which of the ranks; rank 0 completes them.
        ranks: how many there are. All must see the same folder.
        background: whether `save` returns before files are written.
    """

    folder: Path
    rank: int = 0
    ranks: int = 1
    background: bool = True
    attempt: str = "0"
    """Of all ranks together; tells files of this process from those that a killed one left."""
    done: Callable[[Saved, float], None] | None = None
    """Called with a complete checkpoint and the seconds it took, on rank 0."""
    _thread: threading.Thread | None = field(default=None)
    _fault: BaseException | None = field(default=None)

    def save(self, snapshot: Snapshot) -> None:
        """Write a checkpoint, after the one before it.

        Raises:
            CheckpointError: the one before, or this one without `background`, was not written.
        """
        self.wait()
        if not self.background:
            self._run(snapshot)
            self._raise()
            return
        self._thread = threading.Thread(target=self._run, args=(snapshot,), daemon=False)
        self._thread.start()

    def wait(self) -> None:
        """Until nothing is being written.

        Raises:
            CheckpointError: it was not written.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._raise()

    def _raise(self) -> None:
        fault, self._fault = self._fault, None
        if fault is not None:
            raise CheckpointError(f"a checkpoint could not be written: {fault}") from fault

    def _run(self, snapshot: Snapshot) -> None:
        try:
            self._write(snapshot)
        except Exception as err:  # noqa: BLE001 - a thread's fault would be lost; `wait` raises it
            self._fault = err

    def _write(self, snapshot: Snapshot) -> None:
        began = time.perf_counter()
        final = self.folder / name_of(snapshot.step)
        part = self.folder / f"{final.name}{PART}"
        part.mkdir(parents=True, exist_ok=True)
        mine = self._mark(part, self.rank)
        (part / SUMMARY).unlink(missing_ok=True)
        own = f"pieces-{self.rank:02d}-of-{self.ranks:02d}.safetensors"
        save_file(snapshot.pieces, part / own)
        written = [own]
        if snapshot.export is not None:
            shutil.rmtree(part / MODEL, ignore_errors=True)
            snapshot.export(part / MODEL)
            written += [
                str(one.relative_to(part)) for one in sorted((part / MODEL).rglob("*"))
                if one.is_file()
            ]  # fmt: skip
        files = {name: flushed(part / name) for name in written}
        write_whole(mine, {"step": snapshot.step, "files": files})
        if self.rank == 0:
            self._complete(snapshot, part, final, began)

    def _complete(self, snapshot: Snapshot, part: Path, final: Path, began: float) -> None:
        """On rank 0: wait for the others, write the summary, give the folder its name."""
        files: dict[str, tuple[int, int]] = {}
        for rank in range(self.ranks):
            files |= orjson.loads(waited_for(self._mark(part, rank), began + WAIT_S))["files"]
        for mark in part.glob("rank-*.json"):
            mark.unlink()
        for stray in part.glob("pieces-*.safetensors"):
            if stray.name not in files:
                stray.unlink()
        write_whole(
            part / SUMMARY,
            {"schema": SCHEMA, "step": snapshot.step, "state": snapshot.state, "files": files},
        )
        if final.exists():
            shutil.rmtree(final)
        part.rename(final)
        sync_folder(self.folder)
        if self.done is not None:
            self.done(read_saved(final), time.perf_counter() - began)

    def _mark(self, part: Path, rank: int) -> Path:
        """The file by which a rank says that its files are there."""
        return part / f"rank-{rank:02d}-of-{self.ranks:02d}-{self.attempt}.json"


def own_share(
    pieces: Iterable[tuple[str, str, Tensor]], rank: int, ranks: int
) -> dict[str, Tensor]:
    """Copies of the pieces that a rank writes; every rank goes through all of them."""
    return {
        f"{kind}:{name}": tensor.detach().to("cpu", torch.float32, copy=True).contiguous()
        for number, (name, kind, tensor) in enumerate(pieces)
        if number % ranks == rank
    }


def read_pieces(saved: Saved) -> dict[tuple[str, str], Tensor]:
    """All pieces of a checkpoint by (name, kind), float32 on the CPU."""
    found: dict[tuple[str, str], Tensor] = {}
    for name in saved.files:
        if not name.startswith("pieces-"):
            continue
        with safe_open(saved.path / name, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - not a mapping
                kind, _, parameter = key.partition(":")
                found[parameter, kind] = file.get_tensor(key)
    return found


def complete(folder: Path) -> list[Path]:
    """Complete checkpoints in a folder, the oldest first."""
    if not folder.is_dir():
        return []
    found = [
        (int(match.group(1)), one)
        for one in folder.iterdir()
        if (match := FOLDER.fullmatch(one.name)) and (one / SUMMARY).is_file()
    ]
    return [one for _, one in sorted(found)]


def newest(folder: Path) -> Path | None:
    """The newest complete checkpoint; half-written ones are named in the log."""
    if folder.is_dir():
        for one in sorted(folder.iterdir()):
            if one.name.endswith(PART) or (
                FOLDER.fullmatch(one.name) and one not in complete(folder)
            ):
                log.warning("%s is half-written and left out", one)
    found = complete(folder)
    return found[-1] if found else None


def step_of(path: Path) -> int:
    """The step in the name of a complete checkpoint's folder."""
    match = FOLDER.fullmatch(path.name)
    assert match is not None
    return int(match[1])


def read_saved(path: Path, *, check: bool = False) -> Saved:
    """A checkpoint, without its tensors.

    Args:
        path: its folder.
        check: whether all files are read and compared with their checksums.

    Raises:
        CheckpointError: it is not one, is half-written, or a file is missing, cut off or changed.
    """
    summary = path / SUMMARY
    if not path.is_dir():
        raise CheckpointError(f"there is no checkpoint {path}")
    if not summary.is_file():
        raise CheckpointError(
            f"{path} has no {SUMMARY}: it is half-written, or no checkpoint of a run. "
            f"Complete ones are called step-000300 and so on"
        )
    try:
        tree = orjson.loads(summary.read_bytes())
    except orjson.JSONDecodeError as err:
        raise CheckpointError(f"{summary} is not JSON: {err}") from err
    schema = tree.get("schema") if isinstance(tree, dict) else None
    if schema != SCHEMA:
        raise CheckpointError(f"{path} has the schema {schema!r}; this version reads {SCHEMA!r}")
    try:
        files = {name: (int(size), int(crc)) for name, (size, crc) in tree["files"].items()}
        found = Saved(path, int(tree["step"]), dict(tree["state"]), files)
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise CheckpointError(f"{summary} is not what was written: {err!r}") from err
    for name, (size, crc) in files.items():
        compare(path / name, size, crc if check else None)
    return found


def compare(path: Path, size: int, crc: int | None) -> None:
    """Refuse a file that is not what was written.

    Raises:
        CheckpointError: it is not.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: the checkpoint is not whole, take another one")
    found = path.stat().st_size
    if found != size:
        raise CheckpointError(f"{path} has {found} bytes, {size} were written: take another one")
    if crc is not None and checksum(path) != crc:
        raise CheckpointError(f"{path} has another checksum than written: take another one")


def prune(folder: Path, *, keep_last: int, best: Iterable[Path]) -> list[Path]:
    """Remove complete checkpoints that are neither among the last nor the best; those removed."""
    found = complete(folder)
    kept = {*found[-keep_last:], *best}
    removed = [one for one in found if one not in kept]
    for one in removed:
        (one / SUMMARY).unlink()  # from here on it counts as half-written
        shutil.rmtree(one)
    return removed


def sweep(folder: Path, step: int) -> list[Path]:
    """Remove what killed processes left half-written before a step; what was removed."""
    found = []
    for one in sorted(folder.iterdir()):
        match = FOLDER.fullmatch(one.name.removesuffix(PART))
        whole = not one.name.endswith(PART) and (one / SUMMARY).is_file()
        if match and int(match.group(1)) < step and not whole:
            shutil.rmtree(one)
            found.append(one)
    return found


def differing(theirs: Mapping[str, Any], ours: Mapping[str, Any], prefix: str = "") -> list[str]:
    """`key (was a, is b)` of every value that differs between two trees."""
    found: list[str] = []
    for name in sorted({*theirs, *ours}):
        old, new = theirs.get(name), ours.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differing(old, new, f"{prefix}{name}.")
        elif old != new:
            found.append(f"{prefix}{name} (was {old!r}, is {new!r})")
    return found


def name_of(step: int) -> str:
    """Of a checkpoint's folder."""
    return f"step-{step:06d}"


def flushed(path: Path) -> tuple[int, int]:
    """(bytes, crc32c) of a file that is on the disk for good."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    return path.stat().st_size, checksum(path)


def checksum(path: Path) -> int:
    """crc32c of a file."""
    value = 0
    with path.open("rb") as stream:
        for block in blocks(stream):
            value = google_crc32c.extend(value, block)
    return value


def blocks(stream: Any) -> Iterator[bytes]:
    """A file in pieces."""
    while block := stream.read(BLOCK):
        yield block


def write_whole(path: Path, tree: Mapping[str, Any]) -> None:
    """JSON under its name only once it is whole."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as stream:
        stream.write(orjson.dumps(tree, option=orjson.OPT_INDENT_2))
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def waited_for(path: Path, until_s: float) -> bytes:
    """The bytes of a file that another rank writes.

    Raises:
        CheckpointError: it does not come.
    """
    while not path.is_file():
        if time.perf_counter() > until_s:
            raise CheckpointError(
                f"{path.name} did not come within {WAIT_S:.0f} s: is the folder shared?"
            )
        time.sleep(0.02)
    return path.read_bytes()


def sync_folder(folder: Path) -> None:
    """Make a rename last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
