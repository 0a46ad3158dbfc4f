"""What went wrong: skipped steps, lost samples, and the processes of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..kit.numbers import NONE
from .data import RunData, number, step_of

MOST_ROWS = 60
"""Rows of a table; the newest are shown."""
MOST_KEYS = 200
"""Keys of samples that are listed of one step."""


@dataclass(frozen=True, slots=True)
class SkippedStep:
    """A step that was not taken, why, and which samples were in it."""

    step: float
    reason: str
    loss: float
    grad_norm: float
    keys: tuple[str, ...]
    samples: int
    """In all; more than keys where there are many."""


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A start, where it went on from, and how it ended."""

    started: str
    first: float
    last: float | None
    """None where no end was written."""
    ended: str
    message: str
    device: str
    ranks: float


@dataclass(frozen=True, slots=True)
class Incidents:
    """The section "what went wrong"."""

    skipped: Sequence[SkippedStep]
    skipped_count: int
    lost: Sequence[tuple[int, str]]
    """(step, message), the newest first."""
    lost_count: int
    processes: Sequence[ProcessRow]
    resumes: int


def incidents(data: RunData) -> Incidents:
    """What the log says of it."""
    again = [index > 0 or bool(row.get("resumed")) for index, row in enumerate(data.starts)]
    return Incidents(
        skipped=_skipped(data),
        skipped_count=len(data.skipped),
        lost=data.lost[::-1],
        lost_count=data.lost_count,
        processes=_processes(data)[-MOST_ROWS:],
        resumes=sum(again),
    )


def _skipped(data: RunData) -> list[SkippedStep]:
    steps = []
    for row in data.skipped[: -MOST_ROWS - 1 : -1]:
        keys = [str(key) for key in row.get("samples") or ()]
        steps.append(
            SkippedStep(
                step_of(row),
                str(row.get("skipped", "")),
                number(row.get("loss")),
                number(row.get("grad_norm")),
                tuple(keys[:MOST_KEYS]),
                len(keys),
            )
        )
    return steps


def _processes(data: RunData) -> list[ProcessRow]:
    rows = []
    for index, (start, end) in enumerate(zip(data.starts, data.ends, strict=True)):
        newest = index == len(data.starts) - 1
        rows.append(
            ProcessRow(
                started=str(start.get("time", NONE))[:19].replace("T", " "),
                first=step_of(start),
                last=step_of(end) if end else None,
                ended=str(end.get("reason", "")) if end else "running" if newest else "killed",
                message=str(end.get("message") or "") if end else "",
                device=str(start.get("device", NONE)),
                ranks=number(start.get("ranks")),
            )
        )
    return rows
