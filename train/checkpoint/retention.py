"""What a run keeps: which checkpoint it may go on from, and which ones stay."""

from __future__ import annotations

import logging
import shutil
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...engine.config import to_tree, upgraded
from ...engine.errors import CheckpointError
from ..backend.torch import Backend
from ..ranks import Ranks, agreed
from ..recipe import Recipe
from ..recipe.recipe import CheckpointConfig
from .checkpoint import (  # fmt: skip
    Saved,
    Snapshot,
    Writer,
    complete,
    differing,
    newest,
    own_share,
    prune,
    read_saved,
    sweep,
)
from .export import exported, write_model

log = logging.getLogger(__name__)

DAMAGED = ".damaged"
"""After the name of a checkpoint that is set aside."""

FREE = ("log", "eval", "checkpoint", "guard", "parallel", "data")
"""Sections that a resumed run may have otherwise; `BOUND` of their keys not."""
BOUND = ("data.corpora", "data.weights", "data.names", "data.split", "data.pages", "parallel.dtype")
FOLDER = "checkpoints"

OnSaved = Callable[[Saved, bool, float, float], None]
"""Called with a complete checkpoint, whether it is the best, seconds of standstill and writing."""


class CheckpointRetention:
    """Checkpoints of one run.

    Args:
        folder: of the run.
        recipe: of the run.
        ranks: this process among those of the run.
        told: called on rank 0.
    """

    def __init__(self, folder: Path, recipe: Recipe, ranks: Ranks, told: OnSaved) -> None:
        self.folder = folder / FOLDER
        self.recipe = recipe
        self.ranks = ranks
        self.told = told
        self.stall_s = 0.0
        self.writer = Writer(
            self.folder,
            ranks.rank,
            ranks.ranks,
            background=recipe.checkpoint.background,
            attempt=agreed(uuid.uuid4().hex[:12], ranks),
            done=self.written,
        )

    def newest(self) -> Path | None:
        """The newest complete checkpoint, the same on every rank."""
        path = agreed(str(newest(self.folder) or "") if self.ranks.first else "", self.ranks)
        return Path(path) if path else None

    def find(self, *, resume: bool) -> Saved | None:
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
        fault = agreed(self.set_aside() if self.ranks.first else "", self.ranks)
        if fault:
            raise CheckpointError(fault)
        path = self.newest()
        assert path is not None
        return read_saved(path)

    def set_aside(self) -> str:
        """On rank 0: rename what is damaged until the newest is whole; the fault if none is."""
        faults: dict[Path, str] = {}
        for path in reversed(complete(self.folder)):
            try:
                read_saved(path, check=True)
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

    def refuse_foreign(self, saved: Saved, start: str) -> None:
        """Refuse a checkpoint of another run.

        Args:
            saved: the checkpoint.
            start: mark of the weights that this run begins with.

        Raises:
            CheckpointError: it is of another recipe or began with other weights.
        """
        changed = changes(upgraded(Recipe, saved.state["recipe"]), to_tree(self.recipe))
        if changed:
            raise CheckpointError(
                f"{saved.path} is of a run with another recipe: {'; '.join(changed)}. Put it back, "
                "or begin a new run with model.start at its model/ folder"
            )
        if saved.state["start"] != start:
            raise CheckpointError(
                f"{saved.path} is of a run that began with other weights than those that "
                "model.start names now"
            )

    def save(
        self, step: int, state: dict[str, Any], engine: Backend, config: Any, processor: Any
    ) -> None:
        """Write a checkpoint; the run stands still only until everything is copied.

        Args:
            step: behind which it is.
            state: everything beside tensors, as JSON.
            engine: has the tensors.
            config: of the model.
            processor: of the model.
        """
        self.writer.wait()
        began = time.perf_counter()
        pieces = own_share(engine.pieces(), self.ranks.rank, self.ranks.ranks)
        weights = engine.weights()
        export = None
        if self.ranks.first:
            copies = exported(weights, engine.model)
            generation = getattr(engine.model, "generation_config", None)

            def export(folder: Path) -> None:
                write_model(folder, copies, config, processor, generation)

        self.stall_s = time.perf_counter() - began
        self.writer.save(Snapshot(step, state, pieces, export))

    def wait(self) -> None:
        """Until the last checkpoint is written.

        Raises:
            CheckpointError: it could not be.
        """
        self.writer.wait()

    def written(self, saved: Saved, seconds: float) -> None:
        """On rank 0, once a checkpoint is complete: remove what is not to be kept."""
        config = self.recipe.checkpoint
        best = best_of(complete(self.folder), config)
        prune(self.folder, keep_last=config.keep_last, best=best)
        sweep(self.folder, saved.step)
        self.told(saved, saved.path in best[:1], self.stall_s, seconds)


def best_of(paths: Sequence[Path], config: CheckpointConfig) -> list[Path]:
    """The checkpoints with the best figures, the best first."""
    sign = -1 if config.metric.startswith("+") else 1
    known = [
        (sign * saved.state["metric"], saved.step, path)
        for path in paths
        if (saved := read_saved(path)).state["metric"] is not None
    ]
    return [path for _, _, path in sorted(known)][: config.keep_best]


def changes(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """What differs between two recipes and may not."""
    return [
        one
        for one in differing(theirs, ours)
        if one.partition(".")[0] not in FREE or one.partition(" ")[0] in BOUND
    ]
