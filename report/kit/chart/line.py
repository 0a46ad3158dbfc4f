"""Charts over the steps of a run, drawn so that lines stretch with the page and text does not.

A chart is an SVG of 1000 x 1000 units pulled to the width of its panel, with HTML text around it.
What the hover reads out stands in `data-steps` and, curve by curve, in `data-values`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ..environment import render
from ..numbers import NONE, axis_percent, compact, significant
from .axis import ValueAxis, linear_axis, log_axis, nice
from .curve import SIDE, Curve, band_path, draw_curve
from .svg import element, join

LOW_PX = 150
"""Height below which a chart is also narrow and has few ticks."""
LABEL_PX = 17
"""Height of a curve's name beside the chart."""
_FOOT = 50
"""Height of marks at the foot, in units of the drawing."""
FormatNumber = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepAxis:
    """What the charts of a run have in common along the steps."""

    start: float
    end: float
    resumes: Sequence[float] = ()
    adaptations: Sequence[float] = ()

    def position(self, step: float) -> float:
        """Where a step stands, 0 to 1."""
        return (step - self.start) / max(self.end - self.start, 1e-9)

    def positions(self, steps: np.ndarray) -> np.ndarray:
        """Where steps stand in the drawing."""
        return SIDE * np.array([self.position(step) for step in steps])


@dataclass(frozen=True, slots=True)
class CurveLabel:
    """A curve's name and last value beside the chart, and all its values for the readout."""

    css: str
    name: str
    last: str
    top_px: float
    dashed: bool
    values: str
    """Joined by `|`."""


@dataclass(frozen=True, slots=True)
class AxisTick:
    """A text beside or below the chart."""

    text: str
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView:
    """What the template of a chart draws from."""

    title: str
    note: str
    height_px: int
    axis: StepAxis
    steps: str
    drawing: Markup
    labels: Sequence[CurveLabel]
    value_ticks: Sequence[AxisTick]
    step_ticks: Sequence[AxisTick]

    @property
    def summary(self) -> str:
        """The chart in words."""
        ends = ", ".join(f"{label.name} {label.last}" for label in self.labels)
        return f"{self.title}. At the end: {ends}"


def line_chart(
    title: str,
    axis: StepAxis,
    steps: np.ndarray,
    curves: Sequence[Curve],
    *,
    value: FormatNumber = significant,
    tick: FormatNumber = compact,
    log: bool = False,
    top: float = math.nan,
    note: str = "",
    height_px: int = 200,
    marks: Sequence[float] = (),
) -> Markup:
    """A chart of curves; empty where no curve has a value.

    Args:
        title: what it shows.
        axis: of the steps, and what happened on it.
        steps: of the points, float64 [points].
        curves: the first is drawn lowest.
        value: a value as the readout has it.
        tick: a value as the axis has it.
        log: whether each step up is a factor.
        top: least upper end of a linear axis, such as 1 for shares that may fill it.
        note: one sentence below the title.
        height_px: of the plot.
        marks: steps that are marked at the foot, such as skipped ones.
    """
    curves = [curve for curve in curves if curve.drawable]
    if not curves:
        return Markup("")
    values = log_axis(_finite(curves)) if log else linear_axis(_finite(curves, bands=True), top=top)
    across = axis.positions(steps)
    drawn = [draw_curve(across, values, curve) for curve in curves]
    return _render(
        title, axis, steps, values, curves,
        drawing=join([*drawn, _rules("resume", axis.resumes, axis), _rules("foot", marks, axis)]),
        places=[curve.last for curve in curves],
        value=value, tick=tick, note=note, height_px=height_px,
    )  # fmt: skip


def area_chart(
    title: str,
    axis: StepAxis,
    steps: np.ndarray,
    curves: Sequence[Curve],
    *,
    value: FormatNumber,
    note: str,
) -> Markup:
    """Shares on top of each other up to 1, the first at the bottom; empty where there are none."""
    curves = [curve for curve in curves if curve.drawable]
    if not curves:
        return Markup("")
    values = ValueAxis(low=0.0, high=1.0, ticks=(0.0, 0.5, 1.0))
    across = axis.positions(steps)
    base, parts, places = np.zeros(len(steps)), list[Markup](), []
    for curve in curves:
        above = base + np.nan_to_num(curve.values)
        d = band_path(across, values.heights(base), values.heights(above))
        parts.append(element("path", class_=f"area-part {curve.css}", d=d))
        places.append(float(base[-1] + above[-1]) / 2)
        base = above
    rules = [_rules("resume", axis.resumes, axis), _rules("adapt", axis.adaptations, axis)]
    return _render(
        title, axis, steps, values, curves, drawing=join([*parts, *rules]), places=places,
        value=value, tick=axis_percent, note=note, height_px=200,
    )  # fmt: skip


def _render(
    title: str,
    axis: StepAxis,
    steps: np.ndarray,
    values: ValueAxis,
    curves: Sequence[Curve],
    *,
    drawing: Markup,
    places: Sequence[float],
    value: FormatNumber,
    tick: FormatNumber,
    note: str,
    height_px: int,
) -> Markup:
    """The figure around a drawing: axes, names at the ends of curves, the readout's data."""
    heights = values.heights(np.array(values.ticks))
    grid = "".join(f"M0 {SIDE * (1 - height):.0f}H{SIDE}" for height in heights)
    wanted = [height_px * (1 - height) for height in values.heights(np.array(places))]
    tops_px = separate(wanted, height_px)
    view = ChartView(
        title=title,
        note=note,
        height_px=height_px,
        axis=axis,
        steps=" ".join(f"{step:.0f}" for step in steps),
        drawing=element("path", class_="grid", d=grid) + drawing,
        labels=[
            CurveLabel(
                curve.css, curve.name, value(curve.last), top_px, curve.dashed,
                _readout(curve, value),
            )
            for curve, top_px in zip(curves, tops_px, strict=True)
        ],
        value_ticks=[
            AxisTick(tick(at), 100 * (1 - height))
            for at, height in zip(values.ticks, heights, strict=True)
        ],
        step_ticks=step_ticks(axis, 2 if height_px < LOW_PX else 4),
    )  # fmt: skip
    return render("kit/line_chart.html.jinja", chart=view)


def _finite(curves: Sequence[Curve], *, bands: bool = False) -> np.ndarray:
    """All values of the curves, and the upper ends of bands around points."""
    parts = [curve.values for curve in curves]
    if bands:
        parts += [curve.high for curve in curves if curve.high is not None and curve.dots]
    values = np.concatenate(parts)
    return np.asarray(values[np.isfinite(values)])


def separate(tops: Sequence[float], height_px: float) -> list[float]:
    """The places moved as little as needed for names not to overlap, in the given order."""
    order = sorted(range(len(tops)), key=lambda index: tops[index])
    places = [0.0] * len(tops)
    above = -math.inf
    for index in order:
        wanted = tops[index] if math.isfinite(tops[index]) else height_px
        places[index] = above = max(wanted, above + LABEL_PX)
    below = height_px - 2.0
    for index in reversed(order):
        places[index] = below = min(places[index], below)
        below -= LABEL_PX
    return places


def step_ticks(axis: StepAxis, wanted: int) -> list[AxisTick]:
    """About as many round steps as wanted below the chart, and the last one."""
    last = AxisTick(f"{axis.end:,.0f}" if axis.end < 10_000 else compact(axis.end), 100.0)
    reach = axis.end - axis.start
    if reach <= 0:
        return [last]
    gap = max(nice(reach / wanted), 1.0)
    steps = [gap * at for at in range(math.ceil(axis.start / gap), int(axis.end / gap) + 1)]
    return [
        AxisTick(compact(step), 100 * axis.position(step))
        for step in steps
        if axis.position(step) < 1 - 0.4 / wanted and step == int(step)
    ] + [last]


def _rules(css: str, steps: Sequence[float], axis: StepAxis) -> Markup:
    """Upright lines at steps, from the foot of the chart."""
    places = sorted({round(SIDE * axis.position(step)) for step in steps})
    reach = _FOOT if css == "foot" else SIDE
    d = "".join(f"M{place} {SIDE}v-{reach}" for place in places)
    return element("path", class_=f"rule {css}", d=d) if places else Markup("")


def _readout(curve: Curve, value: FormatNumber) -> str:
    """The values as text, joined for the readout."""
    texts = []
    for index, number in enumerate(curve.values):
        text = value(float(number))
        if curve.dots and curve.low is not None and curve.high is not None and text != NONE:
            text += f" ({value(float(curve.low[index]))} to {value(float(curve.high[index]))})"
        texts.append(text)
    return "|".join(texts)
