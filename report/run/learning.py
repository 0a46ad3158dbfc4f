"""Loss and accuracy over the steps, by level and by task."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from ..kit.chart import StepAxis, line_chart
from ..kit.numbers import axis_percent, percent
from .curves import LEVEL_NAMES, smooth_curve
from .data import RunData
from .series import bucket_steps

COLOURED_TASKS = ("read", "restore")
HEIGHT_PX = 230


@dataclass(frozen=True, slots=True)
class LearningChart:
    """A chart, and the same on a logarithmic axis where that is of use."""

    linear: Markup
    log: Markup
    """Empty where the axis is linear only."""


def learning(data: RunData, axis: StepAxis) -> list[LearningChart]:
    """The charts; those without a value are left out."""
    steps = bucket_steps(data.steps["step"])
    tasks = sorted({name.split(".")[1] for name in data.steps if name.startswith("tasks.")})
    groups = {
        "level": [(name, name, f"levels.{name}") for name in LEVEL_NAMES],
        "task": [
            (name, name if name in COLOURED_TASKS else "other", f"tasks.{name}") for name in tasks
        ],
    }
    charts = []
    for what, group in groups.items():
        for figure in ("loss", "accuracy"):
            curves = [
                smooth_curve(data, name, css, f"{column}.{figure}", f"{column}.tokens")
                for name, css, column in group
            ]
            curves.append(smooth_curve(data, "all", "all", figure, "answer_tokens"))
            title = f"{figure.capitalize()} by {what}"
            if figure == "loss":
                linear = line_chart(title, axis, steps, curves, height_px=HEIGHT_PX)
                log = line_chart(title, axis, steps, curves, log=True, height_px=HEIGHT_PX)
                charts.append(LearningChart(linear, log))
            else:
                shares = line_chart(
                    title, axis, steps, curves, value=percent, tick=axis_percent,
                    height_px=HEIGHT_PX,
                )  # fmt: skip
                charts.append(LearningChart(shares, Markup("")))
    return [chart for chart in charts if chart.linear]
