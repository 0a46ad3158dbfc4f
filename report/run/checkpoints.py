"""What was written, and how long training stood still for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .data import RunData, number, step_of

MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """One checkpoint."""

    step: float
    path: str
    best: bool
    removed: bool
    metric: float
    stall_s: float
    write_s: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The section of checkpoints."""

    rows: Sequence[CheckpointRow]
    """The newest first; older ones than `MOST_ROWS` are left out, but not the best."""
    count: int
    stalled_s: float
    stalled_share: float
    """Of the time in steps; NaN where that is unknown."""


def checkpoints(data: RunData) -> Checkpoints | None:
    """All checkpoints that the log names; None where there is none."""
    rows = data.checkpoints
    if not rows:
        return None
    best = max((index for index, row in enumerate(rows) if row.get("best")), default=-1)
    stalls_s = [number(row.get("stall_s")) for row in rows]
    stalled_s = sum(stall_s for stall_s in stalls_s if not math.isnan(stall_s))
    steps_s = data.total("seconds")
    return Checkpoints(
        rows=[
            CheckpointRow(
                step=step_of(row),
                path=str(row.get("path", "")),
                best=index == best,
                removed=_removed(data.folder, str(row.get("path", ""))),
                metric=number(row.get("metric")),
                stall_s=stalls_s[index],
                write_s=number(row.get("write_s")),
                bytes=number(row.get("bytes")),
            )
            for index, row in enumerate(rows)
            if index == best or index >= len(rows) - MOST_ROWS
        ][::-1],
        count=len(rows),
        stalled_s=stalled_s,
        stalled_share=stalled_s / steps_s if steps_s > 0 else math.nan,
    )


def _removed(folder: Path, path: str) -> bool:
    """Whether a checkpoint is no longer there, not even where the folder was moved."""
    return not any(
        place.is_dir() for place in (folder / path, folder / "checkpoints" / Path(path).name)
    )
