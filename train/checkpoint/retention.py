"""What a run keeps: which checkpoint it may go on from, and which ones stay."""

from __future__ import annotations

import logging
import shutil
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ...engine.errors import CheckpointError
from ..adapter import merged_weights
from ..backend.protocol import Backend
from ..ranks import Ranks, broadcast
from ..recipe import Recipe
from .export import write_model
from .format import DAMAGED, FOLDER, Checkpoint
from .listing import best_checkpoints, complete_checkpoints, newest_checkpoint, prune, sweep
from .reader import read_checkpoint
from .writer import CheckpointWriter, Snapshot, pieces_of_rank

log = logging.getLogger(__name__)

OnSaved = Callable[[Checkpoint, bool, float, float], None]
"""Called with a complete checkpoint, whether it is the best, seconds of standstill and writing."""


class CheckpointRetention:
    """Checkpoints of one run.

    Args:
        folder: of the run.
        recipe: of the run.
        ranks: this process among those of the run.
        on_saved: called on rank 0.
    """

    def __init__(self, folder: Path, recipe: Recipe, ranks: Ranks, on_saved: OnSaved) -> None:
        self.folder = folder / FOLDER
        self.config = recipe.checkpoint
        self.ranks = ranks
        self.on_saved = on_saved
        self.stall_s = 0.0
        self.writer = CheckpointWriter(
            self.folder,
            ranks.rank,
            ranks.ranks,
            background=self.config.background,
            attempt=broadcast(uuid.uuid4().hex[:12], ranks),
            on_complete=self.remove_others,
        )

    def newest(self) -> Path | None:
        """The newest complete checkpoint, the same on every rank."""
        path = str(newest_checkpoint(self.folder) or "") if self.ranks.first else ""
        path = broadcast(path, self.ranks)
        return Path(path) if path else None

    def find(self, *, resume: bool) -> Checkpoint | None:
        """The checkpoint to go on from, all its files checked.

        A damaged one is set aside, and named in the log, where an older one is whole.

        Raises:
            CheckpointError: there is a run, and it is not to be resumed; or none is whole.
        """
        path = self.newest()
        if path is None:
            return None
        if not resume:
            raise CheckpointError(
                f"{self.folder.parent} holds a run with the checkpoint {path.name}: go on with "
                "--resume, or name another folder with --out"
            )
        fault = broadcast(self.set_aside_damaged() if self.ranks.first else "", self.ranks)
        if fault:
            raise CheckpointError(fault)
        path = self.newest()
        assert path is not None
        return read_checkpoint(path)

    def set_aside_damaged(self) -> str:
        """On rank 0: rename what is damaged until the newest is whole; the fault if none is."""
        faults: dict[Path, str] = {}
        for path in reversed(complete_checkpoints(self.folder)):
            try:
                read_checkpoint(path, check=True)
            except CheckpointError as err:
                faults[path] = str(err)
                continue
            for damaged, fault in faults.items():
                aside = damaged.with_name(f"{damaged.name}{DAMAGED}")
                shutil.rmtree(aside, ignore_errors=True)
                damaged.rename(aside)
                log.warning(
                    "%s. It is now called %s, and the run goes on from %s",
                    fault.removesuffix(": take another one"), aside.name, path.name,
                )  # fmt: skip
            return ""
        return next(iter(faults.values()))

    def save(
        self, step: int, state: dict[str, Any], backend: Backend, config: Any, processor: Any
    ) -> None:
        """Write a checkpoint; the run stands still only until everything is copied.

        Args:
            step: behind which it is.
            state: everything beside tensors, as JSON.
            backend: has the tensors.
            config: of the model.
            processor: of the model.
        """
        self.writer.wait()
        began = time.perf_counter()
        pieces = pieces_of_rank(backend.pieces(), self.ranks.rank, self.ranks.ranks)
        weights = backend.weights()
        write = None
        if self.ranks.first:
            write = partial(
                write_model,
                weights=merged_weights(weights, backend.model),
                config=config,
                processor=processor,
                generation=getattr(backend.model, "generation_config", None),
            )
        self.stall_s = time.perf_counter() - began
        self.writer.save(Snapshot(step, state, pieces, write))

    def wait(self) -> None:
        """Until the last checkpoint is written.

        Raises:
            CheckpointError: it could not be.
        """
        self.writer.wait()

    def remove_others(self, checkpoint: Checkpoint, seconds: float) -> None:
        """On rank 0, once a checkpoint is complete: remove what is not to be kept."""
        best = best_checkpoints(complete_checkpoints(self.folder), self.config)
        prune(self.folder, keep_last=self.config.keep_last, best=best)
        sweep(self.folder, checkpoint.step)
        self.on_saved(checkpoint, checkpoint.path in best[:1], self.stall_s, seconds)
