"""Checkpoints written whole or not at all, in the background.

Every rank writes the pieces whose number it divides, and a marker that says so; rank 0 waits for
all markers, writes the summary, and gives the folder its name.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import torch
from safetensors.torch import save_file
from torch import Tensor

from ...engine.errors import CheckpointError
from ...engine.files import sync, write_atomic
from .format import (
    MODEL,
    PART,
    PIECES,
    SCHEMA,
    SUMMARY,
    Checkpoint,
    checksum,
    folder_name,
    pieces_name,
)
from .reader import read_checkpoint

RANKS_DEADLINE_S = 1800.0
"""Within which the other ranks must have written their files."""
POLL_S = 0.02


@dataclass(slots=True)
class Snapshot:
    """What a rank has to write, in memory of its own."""

    step: int
    state: dict[str, Any]
    pieces: dict[str, Tensor]
    write_model: Callable[[Path], None] | None
    """Writes the model into a new folder; on rank 0 alone."""


@dataclass(slots=True)
class CheckpointWriter:
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
    on_complete: Callable[[Checkpoint, float], None] | None = None
    """Called with a complete checkpoint and the seconds it took, on rank 0."""
    _thread: threading.Thread | None = field(default=None)
    _error: BaseException | None = field(default=None)

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
        error, self._error = self._error, None
        if error is not None:
            raise CheckpointError(f"a checkpoint could not be written: {error}") from error

    def _run(self, snapshot: Snapshot) -> None:
        try:
            self._write(snapshot)
        except Exception as err:  # noqa: BLE001 - a thread's error would be lost; `wait` raises it
            self._error = err

    def _write(self, snapshot: Snapshot) -> None:
        began = time.perf_counter()
        final = self.folder / folder_name(snapshot.step)
        part = self.folder / f"{final.name}{PART}"
        part.mkdir(parents=True, exist_ok=True)
        marker = self._marker(part, self.rank)
        (part / SUMMARY).unlink(missing_ok=True)
        pieces = pieces_name(self.rank, self.ranks)
        save_file(snapshot.pieces, part / pieces)
        written = [pieces]
        if snapshot.write_model is not None:
            shutil.rmtree(part / MODEL, ignore_errors=True)
            snapshot.write_model(part / MODEL)
            model_files = sorted(path for path in (part / MODEL).rglob("*") if path.is_file())
            written += [str(path.relative_to(part)) for path in model_files]
        files = {name: flush(part / name) for name in written}
        write_json(marker, {"step": snapshot.step, "files": files})
        if self.rank == 0:
            self._complete(snapshot, part, final, began)

    def _complete(self, snapshot: Snapshot, part: Path, final: Path, began: float) -> None:
        """On rank 0: wait for the others, write the summary, give the folder its name."""
        files: dict[str, tuple[int, int]] = {}
        for rank in range(self.ranks):
            marker = read_when_there(self._marker(part, rank), began + RANKS_DEADLINE_S)
            files |= orjson.loads(marker)["files"]
        for path in part.glob("rank-*.json"):
            path.unlink()
        for path in part.glob(f"{PIECES}*.safetensors"):
            if path.name not in files:
                path.unlink()
        write_json(
            part / SUMMARY,
            {"schema": SCHEMA, "step": snapshot.step, "state": snapshot.state, "files": files},
        )
        if final.exists():
            shutil.rmtree(final)
        part.rename(final)
        sync(self.folder)
        if self.on_complete is not None:
            self.on_complete(read_checkpoint(final), time.perf_counter() - began)

    def _marker(self, part: Path, rank: int) -> Path:
        """The file by which a rank says that its files are there."""
        return part / f"rank-{rank:02d}-of-{self.ranks:02d}-{self.attempt}.json"


def pieces_of_rank(
    pieces: Iterable[tuple[str, str, Tensor]], rank: int, ranks: int
) -> dict[str, Tensor]:
    """Copies of the pieces that a rank writes; every rank goes through all of them."""
    return {
        f"{kind}:{name}": tensor.detach().to("cpu", torch.float32, copy=True).contiguous()
        for number, (name, kind, tensor) in enumerate(pieces)
        if number % ranks == rank
    }


def flush(path: Path) -> tuple[int, int]:
    """(bytes, crc32c) of a file, once it is on the disk for good."""
    sync(path)
    return path.stat().st_size, checksum(path)


def write_json(path: Path, tree: Mapping[str, Any]) -> None:
    """JSON under its name only once it is whole."""
    write_atomic(path, orjson.dumps(tree, option=orjson.OPT_INDENT_2))


def read_when_there(path: Path, deadline: float) -> bytes:
    """The bytes of a file that another rank writes.

    Raises:
        CheckpointError: it does not come.
    """
    while not path.is_file():
        if time.perf_counter() > deadline:
            raise CheckpointError(
                f"{path.name} did not come within {RANKS_DEADLINE_S:.0f} s: is the folder shared?"
            )
        time.sleep(POLL_S)
    return path.read_bytes()
