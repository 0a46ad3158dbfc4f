"""Charts over the steps of a run, drawn so that lines stretch with the page and text does not.

A chart is an SVG of 1000 x 1000 units pulled to the width of its panel, with HTML text around it.
What the hover reads out stands in `data-x` and, line by line, in `data-say`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .markup import NONE, compact, esc, percent_tick, plain

SIDE = 1000
MOST_DOTS = 40
"""Points of a line that are marked one by one."""
LOW_PX = 150
"""Height below which a chart is also narrow and has few ticks."""
LABEL_PX = 17
"""Height of a line's name beside the chart."""
NICE = (1, 2, 2.5, 5, 10)
Say = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One series on a chart's axis."""

    name: str
    css: str
    "Class that has its colour."
    values: np.ndarray
    "float64 [points]; NaN is a gap."
    low: np.ndarray | None = None
    "Lower end of a band around it."
    high: np.ndarray | None = None
    faint: np.ndarray | None = None
    "What it is the smooth form of."
    dots: bool = False
    "Whether each point is marked, as where there are few."
    dashed: bool = False

    @property
    def now(self) -> float:
        """The last value."""
        known = self.values[np.isfinite(self.values)]
        return float(known[-1]) if known.size else math.nan

    @property
    def known(self) -> bool:
        """Whether there is anything to draw."""
        return bool(np.isfinite(self.values).any())


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the charts of a run have in common along the steps."""

    start: float
    end: float
    resumes: Sequence[float] = ()
    adaptations: Sequence[float] = ()

    def across(self, step: float) -> float:
        """Where a step stands, 0 to 1."""
        return (step - self.start) / max(self.end - self.start, 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The values from bottom to top."""

    low: float
    high: float
    log: bool = False
    ticks: Sequence[float] = field(default_factory=tuple)

    def up(self, values: np.ndarray) -> np.ndarray:
        """Where values stand, 0 to 1; beyond the ends at the ends."""
        if self.log:
            with np.errstate(invalid="ignore", divide="ignore"):
                parts = np.log(values / self.low) / math.log(self.high / self.low)
        else:
            parts = (values - self.low) / (self.high - self.low)
        return np.clip(parts, 0.0, 1.0)


def chart(
    title: str,
    frame: Frame,
    x: np.ndarray,
    lines: Sequence[Curve],
    *,
    say: Say = plain,
    tick: Say = compact,
    log: bool = False,
    top: float = math.nan,
    note: str = "",
    height_px: int = 200,
    adapted: bool = False,
    marks: Sequence[float] = (),
) -> str:
    """A chart of lines; empty where no line has a value.

    Args:
        title: what it shows.
        frame: the axis of steps, and what happened on it.
        x: steps of the points, float64 [points].
        lines: the first is drawn lowest.
        say: a value as the readout has it.
        tick: a value as the axis has it.
        log: whether each step up is a factor.
        top: least upper end of a linear axis, such as 1 for shares that may fill it.
        note: one sentence below the title.
        height_px: of the plot.
        adapted: whether changes of the levels' shares are marked.
        marks: steps that are marked at the foot, such as skipped ones.
    """
    lines = [one for one in lines if one.known]
    if not lines:
        return ""
    axis = log_axis(lines) if log else linear_axis(lines, top)
    across = SIDE * np.array([frame.across(step) for step in x])
    inner = "".join(drawn(one, across, axis) for one in lines)
    return panel(
        title, frame, x, axis, inner, [(one.css, one.name, one.now) for one in lines],
        [said(one, say) for one in lines], say=say, tick=tick, note=note, height_px=height_px,
        rules=(frame.resumes, frame.adaptations if adapted else (), marks),
        dashed=frozenset(one.name for one in lines if one.dashed),
    )  # fmt: skip


def stacked(
    title: str, frame: Frame, x: np.ndarray, lines: Sequence[Curve], *, say: Say, note: str
) -> str:
    """Shares on top of each other up to 1, the first at the bottom; empty where there are none."""
    lines = [one for one in lines if one.known]
    if not lines:
        return ""
    axis = Axis(low=0.0, high=1.0, ticks=(0.0, 0.5, 1.0))
    across = SIDE * np.array([frame.across(step) for step in x])
    base, inner, places = np.zeros(len(x)), "", []
    for one in lines:
        above = base + np.nan_to_num(one.values)
        inner += f'<path class="pile {one.css}" d="{band(across, base, above, axis)}"/>'
        places.append(float(base[-1] + above[-1]) / 2)
        base = above
    return panel(
        title, frame, x, axis, inner, [(one.css, one.name, one.now) for one in lines],
        [said(one, say) for one in lines], say=say, tick=percent_tick, note=note,
        height_px=200, rules=(frame.resumes, frame.adaptations, ()), places=places,
    )  # fmt: skip


def panel(
    title: str,
    frame: Frame,
    x: np.ndarray,
    axis: Axis,
    inner: str,
    names: Sequence[tuple[str, str, float]],
    readout: Sequence[str],
    *,
    say: Say,
    tick: Say,
    note: str,
    height_px: int,
    rules: tuple[Sequence[float], Sequence[float], Sequence[float]],
    places: Sequence[float] | None = None,
    dashed: frozenset[str] = frozenset(),
) -> str:
    """The figure around what is drawn: axes, names at the ends of lines, the readout's data."""
    heights = axis.up(np.array(list(axis.ticks)))
    grid = "".join(f"M0 {SIDE * (1 - up):.0f}H{SIDE}" for up in heights)
    left = "".join(
        f'<span style="top:{100 * (1 - up):.1f}%">{esc(tick(value))}</span>'
        for value, up in zip(axis.ticks, heights, strict=True)
    )
    wanted = list(axis.up(np.array(places if places is not None else [one[2] for one in names])))
    tops = apart([height_px * (1 - up) for up in wanted], height_px)
    right = "".join(
        f'<span class="{css}{" dashed" * (name in dashed)}" style="top:{top_px:.0f}px">'
        f"<i></i>{esc(name)} <b>{esc(say(now))}</b></span>"
        for (css, name, now), top_px in zip(names, tops, strict=True)
    )
    told = ", ".join(f"{name} {say(now)}" for _, name, now in names)
    series = "".join(
        f'<data class="{css}" data-name="{esc(name)}" data-say="{one}"></data>'
        for (css, name, _), one in zip(names, readout, strict=True)
    )
    below = step_ticks(frame, 2 if height_px < LOW_PX else 4)
    steps = " ".join(f"{step:.0f}" for step in x)
    return (
        f'<figure class="chart" data-x="{steps}" data-start="{frame.start:.0f}" '
        f'data-end="{frame.end:.0f}"><figcaption><b>{esc(title)}</b>'
        f"{f'<span>{note}</span>' if note else ''}</figcaption>"
        f'<div class="plot" style="--high:{height_px}px"><div class="ys">{left}</div>'
        f'<div class="area" tabindex="0" role="img" aria-label="{esc(title)}. At the end: '
        f'{esc(told)}">'
        f'<svg viewBox="0 0 {SIDE} {SIDE}" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="grid" d="{grid}"/>{inner}{ruled("resume", rules[0], frame)}'
        f"{ruled('adapt', rules[1], frame)}{ruled('foot', rules[2], frame, reach=50)}</svg></div>"
        f'<div class="names">{right}</div><div class="xs">{below}</div></div>{series}</figure>'
    )


def drawn(line: Curve, across: np.ndarray, axis: Axis) -> str:
    """Band, faint form, line and dots of one series."""
    parts = ""
    if line.low is not None and line.high is not None:
        parts += f'<path class="band {line.css}" d="{band(across, line.low, line.high, axis)}"/>'
    if line.faint is not None:
        parts += f'<path class="faint {line.css}" d="{path(across, axis.up(line.faint))}"/>'
    css = f"line {line.css}{' dashed' * line.dashed}"
    parts += f'<path class="{css}" d="{path(across, axis.up(line.values))}"/>'
    count = int(np.isfinite(line.values).sum())
    if count == 1 or (line.dots and count <= MOST_DOTS):
        dots = "".join(
            f"M{x:.0f} {SIDE * (1 - up):.0f}h0"
            for x, up in zip(across, axis.up(line.values), strict=True)
            if math.isfinite(up)
        )
        parts += f'<path class="dots {line.css}" d="{dots}"/>'
    return parts


def path(across: np.ndarray, up: np.ndarray) -> str:
    """Points joined, with a gap where one is missing."""
    parts, pen = [], "M"
    for x, one in zip(across, up, strict=True):
        if math.isfinite(one):
            parts.append(f"{pen}{x:.0f} {SIDE * (1 - one):.0f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(parts)


def band(across: np.ndarray, low: np.ndarray, high: np.ndarray, axis: Axis) -> str:
    """The surface between two series, in pieces where either has a gap."""
    bottom, top = axis.up(low), axis.up(high)
    fine = np.isfinite(bottom) & np.isfinite(top)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], fine, [False]]).astype(int)))
    pieces = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        there = path(across[start:stop], top[start:stop])
        back = path(across[start:stop][::-1], bottom[start:stop][::-1])
        pieces.append(f"{there}L{back[1:]}Z")
    return "".join(pieces)


def linear_axis(lines: Sequence[Curve], top: float) -> Axis:
    """From 0, or what is below it, to a round number above all lines, and bands of points."""
    parts = [one.values for one in lines]
    parts += [one.high for one in lines if one.high is not None and one.dots]
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    high = max(float(values.max()), 0.0 if math.isnan(top) else top)
    low = min(0.0, float(values.min()))
    if high <= low:
        high = low + 1
    step = nice((high - low) / 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(step * one for one in range(first, last + 1))
    return Axis(low=ticks[0], high=ticks[-1], ticks=ticks)


def log_axis(lines: Sequence[Curve]) -> Axis:
    """Around all positive values, with ticks at 1, 2 and 5 or at powers of ten."""
    values = np.concatenate([one.values for one in lines])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return Axis(low=0.1, high=1.0, log=True, ticks=(0.1, 1.0))
    low, high = float(values.min()) / 1.1, float(values.max()) * 1.1
    factors = (1, 2, 5) if high / low < 200 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = tuple(f * 10.0**p for p in powers for f in factors if low <= f * 10.0**p <= high)
    return Axis(low=low, high=high, log=True, ticks=ticks[:: max(1, len(ticks) // 6)])


def nice(value: float) -> float:
    """The next round number that is not smaller."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in NICE if step * power >= value * (1 - 1e-9))


def apart(tops: Sequence[float], height_px: float) -> list[float]:
    """The places moved as little as needed for names not to overlap, in the given order."""
    order = sorted(range(len(tops)), key=lambda at: tops[at])
    places = [0.0] * len(tops)
    above = -math.inf
    for at in order:
        wanted = tops[at] if math.isfinite(tops[at]) else height_px
        places[at] = above = max(wanted, above + LABEL_PX)
    below = height_px - 2.0
    for at in reversed(order):
        places[at] = below = min(places[at], below)
        below -= LABEL_PX
    return places


def step_ticks(frame: Frame, wanted: int) -> str:
    """About as many round steps as wanted below the chart, and the last one."""
    reach = frame.end - frame.start
    if reach <= 0:
        return f'<span style="left:100%">{short(frame.end)}</span>'
    gap = max(nice(reach / wanted), 1.0)
    ticks = [gap * at for at in range(math.ceil(frame.start / gap), int(frame.end / gap) + 1)]
    ticks = [step for step in ticks if frame.across(step) < 1 - 0.4 / wanted and step == int(step)]
    return "".join(
        f'<span style="left:{100 * frame.across(step):.2f}%">{esc(text)}</span>'
        for step, text in [*((one, compact(one)) for one in ticks), (frame.end, short(frame.end))]
    )


def short(step: float) -> str:
    """A step in full while there is room."""
    return f"{step:,.0f}" if step < 10_000 else compact(step)


def ruled(css: str, steps: Sequence[float], frame: Frame, reach: int = SIDE) -> str:
    """Upright lines at steps, from the foot of the chart."""
    places = sorted({round(SIDE * frame.across(step)) for step in steps})
    if not places:
        return ""
    rules = "".join(f"M{place} {SIDE}v-{reach}" for place in places)
    return f'<path class="rule {css}" d="{rules}"/>'


def said(line: Curve, say: Say) -> str:
    """The values as text, joined for the readout."""
    texts = []
    for at, value in enumerate(line.values):
        text = say(float(value))
        if line.dots and line.low is not None and line.high is not None and text != NONE:
            text += f" ({say(float(line.low[at]))} to {say(float(line.high[at]))})"
        texts.append(text)
    return esc("|".join(texts))
