"""Errors by level and of whole pages over the evaluations, and what is read blind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from ..kit.chart import Curve, StepAxis, line_chart
from ..kit.numbers import axis_percent, count, duration, percent
from .curves import LEVEL_NAMES
from .data import Row, RunData, mapping, number, step_of

METRICS = {
    "cer": "CER",
    "wer": "WER",
    "exact": "exact",
    "jaccard": "words shared",
    "blind_exact": "exact, blind",
    "blind_jaccard": "words shared, blind",
}
"""Name in the log to heading of its column."""
PAGE_PARTS = ("clean", "corrupted")
HEIGHT_PX, SMALL_PX = 230, 120


class LoggedEstimate(NamedTuple):
    """A figure of an evaluation with its interval; NaN where it is missing."""

    value: float
    low: float
    high: float

    @property
    def missing(self) -> bool:
        """Whether there is none."""
        return math.isnan(self.value)


@dataclass(frozen=True, slots=True)
class MetricRow:
    """All figures of one level, or of whole pages."""

    name: str
    css: str
    estimates: tuple[LoggedEstimate, ...]
    cases: float


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """The section of evaluations."""

    charts: Sequence[Markup]
    blind: Sequence[Markup]
    """Charts of what is read with and without the picture."""
    step: float
    """Of the newest evaluation, which the table is of."""
    notes: Sequence[str]
    rows: Sequence[MetricRow]

    @property
    def columns(self) -> list[str]:
        """Headings of the table."""
        return ["level", *(f"#{name}" for name in METRICS.values()), "#n"]


def evaluation(data: RunData, axis: StepAxis) -> EvaluationView | None:
    """What the evaluations say; None where there is none."""
    if not data.evals:
        return None
    steps = np.array([step_of(row) for row in data.evals])

    def curve(group: str, name: str, metric: str, title: str, css: str, dashed: bool) -> Curve:
        estimates = [estimate(row, group, name, metric) for row in data.evals]
        values, low, high = np.array(estimates).T
        return Curve(
            name=title, css=css, values=values, low=low, high=high, dots=True, dashed=dashed
        )

    groups = {
        "Character error rate by level": ("levels", LEVEL_NAMES),
        "Character error rate of whole pages": ("pages", PAGE_PARTS),
    }
    charts = [
        line_chart(
            title, axis, steps, [curve(group, name, "cer", name, name, False) for name in names],
            value=percent, tick=axis_percent, height_px=HEIGHT_PX,
        )
        for title, (group, names) in groups.items()
    ]  # fmt: skip
    blind = [
        line_chart(
            f"Read exactly: {level}", axis, steps,
            [
                curve("levels", level, "blind_exact", "blind", "blind", True),
                curve("levels", level, "exact", "seen", level, False),
            ],
            value=percent, tick=axis_percent, height_px=SMALL_PX, top=1.0,
        )
        for level in LEVEL_NAMES
    ]  # fmt: skip
    newest = data.evals[-1]
    return EvaluationView(
        charts=[chart for chart in charts if chart],
        blind=[chart for chart in blind if chart],
        step=step_of(newest),
        notes=_notes(newest),
        rows=_rows(newest),
    )


def estimate(row: Row, group: str, name: str, metric: str) -> LoggedEstimate:
    """One figure of an evaluation."""
    tree = mapping(row.get("metrics"))
    for part in (group, name, metric):
        tree = mapping(tree.get(part))
    value = number(tree.get("value"))
    low, high = number(tree.get("low")), number(tree.get("high"))
    return LoggedEstimate(
        value, value if math.isnan(low) else low, value if math.isnan(high) else high
    )


def newest_light_cer(data: RunData) -> tuple[LoggedEstimate, float]:
    """The newest character error rate of the level light, and its step; NaN without one."""
    for row in reversed(data.evals):
        cer = estimate(row, "levels", "light", "cer")
        if not cer.missing:
            return cer, step_of(row)
    return LoggedEstimate(math.nan, math.nan, math.nan), math.nan


def _rows(row: Row) -> list[MetricRow]:
    metrics = mapping(row.get("metrics"))
    parts = [("levels", name, name) for name in LEVEL_NAMES]
    parts += [("pages", name, f"{name} pages") for name in PAGE_PARTS]
    return [
        MetricRow(
            title,
            name,
            tuple(estimate(row, group, name, metric) for metric in METRICS),
            _cases(mapping(mapping(metrics.get(group)).get(name))),
        )
        for group, name, title in parts
        if mapping(metrics.get(group)).get(name)
    ]


def _cases(figures: Row) -> float:
    """How many cases the estimates of a part are of."""
    counts = [number(mapping(figure).get("n")) for figure in figures.values()]
    return max((cases for cases in counts if not math.isnan(cases)), default=math.nan)


def _notes(row: Row) -> list[str]:
    metrics = mapping(row.get("metrics"))
    notes = [f"{count(number(metrics['cases']))} cases"] if metrics.get("cases") else []
    notes.append(f"took {duration(number(row.get('seconds')))}")
    if metrics.get("truncated"):
        notes.append(f"{count(number(metrics['truncated']))} answers cut off at the limit")
    return notes
