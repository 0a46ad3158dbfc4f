"""The checkpoints in a folder: which are complete, which are best, which go."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .format import PART, STEP_FOLDER, SUMMARY, step_of
from .reader import read_checkpoint

if TYPE_CHECKING:
    from ..recipe.config import CheckpointConfig

log = logging.getLogger(__name__)


def complete_checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints in a folder, the oldest first."""
    if not folder.is_dir():
        return []
    complete = [
        path
        for path in folder.iterdir()
        if STEP_FOLDER.fullmatch(path.name) and (path / SUMMARY).is_file()
    ]
    return sorted(complete, key=step_of)


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint; half-written ones are named in the log."""
    complete = complete_checkpoints(folder)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        unfinished = STEP_FOLDER.fullmatch(path.name) and path not in complete
        if path.name.endswith(PART) or unfinished:
            log.warning("%s is half-written and left out", path)
    return complete[-1] if complete else None


def best_checkpoints(paths: Sequence[Path], config: CheckpointConfig) -> list[Path]:
    """The checkpoints with the best figures, the best first."""
    sign = -1 if config.metric.startswith("+") else 1
    measured = [
        (sign * checkpoint.state["metric"], checkpoint.step, path)
        for path in paths
        if (checkpoint := read_checkpoint(path)).state["metric"] is not None
    ]
    return [path for _, _, path in sorted(measured)][: config.keep_best]


def prune(folder: Path, *, keep_last: int, best: Iterable[Path]) -> list[Path]:
    """Remove complete checkpoints that are neither among the last nor the best; those removed."""
    complete = complete_checkpoints(folder)
    kept = {*complete[-keep_last:], *best}
    removed = [path for path in complete if path not in kept]
    for path in removed:
        (path / SUMMARY).unlink()  # from here on it counts as half-written
        shutil.rmtree(path)
    return removed


def sweep(folder: Path, step: int) -> list[Path]:
    """Remove what killed processes left half-written before a step; what was removed."""
    removed = []
    for path in sorted(folder.iterdir()):
        match = STEP_FOLDER.fullmatch(path.name.removesuffix(PART))
        whole = not path.name.endswith(PART) and (path / SUMMARY).is_file()
        if match and int(match.group(1)) < step and not whole:
            shutil.rmtree(path)
            removed.append(path)
    return removed
