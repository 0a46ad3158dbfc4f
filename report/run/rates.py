"""How fast it went, what that cost, and what steered it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..kit.chart import Curve, StepAxis, area_chart, line_chart
from ..kit.numbers import axis_percent, compact, percent, scientific, size
from .curves import LEVEL_NAMES, smooth_curve, trace_of
from .data import RunData, mapping, number, shares_of, step_of
from .series import bucket_steps

MOST_ADAPTATIONS = 100


@dataclass(frozen=True, slots=True)
class AdaptationRow:
    """A change of the levels' shares, by their losses."""

    step: float
    window: float
    shares: tuple[float, ...]
    losses: tuple[float, ...]


ADAPTATION_COLUMNS = (
    "#step",
    "#window",
    *(f"#{level}" for level in LEVEL_NAMES),
    *(f"#loss, {level}" for level in LEVEL_NAMES),
)


def rates(data: RunData, axis: StepAxis) -> list[Markup]:
    """The charts; those without a value are left out."""
    steps = bucket_steps(data.steps["step"])

    def curve(column: str, name: str = "", css: str = "all") -> list[Curve]:
        return [smooth_curve(data, name, css, column)]

    skipped = [step_of(row) for row in data.skipped]
    shares = [
        Curve(name=level, css=level, values=trace_of(data, f"shares.{level}").mean)
        for level in LEVEL_NAMES
    ]
    lost = curve("wait", "data wait", "moderate") + curve("padding", "padding", "light")
    charts = (
        line_chart("Tokens per second", axis, steps, curve("tokens_per_s"), value=compact),
        line_chart("Pages per second", axis, steps, curve("pages_per_s"), value=compact),
        line_chart(
            "Model FLOPs utilisation", axis, steps, curve("mfu"), value=percent, tick=axis_percent
        ),
        line_chart(
            "What is lost to waiting and padding", axis, steps, lost, value=percent,
            tick=axis_percent, note="Share of the time, share of the packs.",
        ),
        line_chart(
            "Memory of the device", axis, steps, curve("memory_bytes"), value=size, tick=size
        ),
        line_chart(
            "Gradient norm", axis, steps,
            [smooth_curve(data, "", "all", "grad_norm", geometric=True)], log=True, marks=skipped,
            note="Marks at the foot: skipped steps." if skipped else "",
        ),
        line_chart(
            "Learning rate", axis, steps,
            [Curve(name="", css="all", values=trace_of(data, "lr").mean)],
            value=scientific, tick=scientific,
        ),
        area_chart(
            "Levels of corruption", axis, steps, shares, value=percent,
            note="Long dashes: the losses changed the shares." if data.adaptations else "",
        ),
    )  # fmt: skip
    return [chart for chart in charts if chart]


def adaptations(data: RunData) -> Sequence[AdaptationRow]:
    """The newest changes of the levels' shares."""
    rows = []
    for row in data.adaptations[-MOST_ADAPTATIONS:]:
        shares, losses = shares_of(row.get("shares")), mapping(row.get("losses"))
        rows.append(
            AdaptationRow(
                step_of(row),
                number(row.get("window")),
                tuple(shares.get(level, math.nan) for level in LEVEL_NAMES),
                tuple(number(losses.get(level)) for level in LEVEL_NAMES),
            )
        )
    return rows
