"""Small SVG plots: bars, histograms, spans, bubbles. Colours come from the style sheet's classes.

Plots with an axis are drawn on 360 x 150 units and scale with their column; bars are drawn in
per cent and take whatever width they are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .markup import count, esc, share

WIDTH, HEIGHT = 360, 150
SQUARE = 260
LEFT, RIGHT, TOP, BOTTOM = 6, 6, 14, 20
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
_AXES_NAMES = (
    f'<text class="tick" x="{SQUARE}" y="{SQUARE - 3}" text-anchor="end">width →</text>'
    '<text class="tick" transform="translate(12 6) rotate(-90)" text-anchor="end">height →</text>'
)
NICE_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Bins:
    """A histogram before it is drawn."""

    edges: np.ndarray
    """float64 [n + 1], ascending."""
    logarithmic: bool
    beyond: int
    """Values above the last edge, counted into the last bin."""

    def counts(self, values: np.ndarray) -> np.ndarray:
        """How many values fall into each bin; those beyond go into the last: int64 [n]."""
        inside = np.clip(values, self.edges[0], np.nextafter(self.edges[-1], -np.inf))
        return np.histogram(inside, bins=self.edges)[0]

    def position(self, value: float) -> float:
        """Where a value stands on the axis, 0 to 1."""
        edges = np.log(self.edges) if self.logarithmic else self.edges
        value = float(np.log(value)) if self.logarithmic else value
        return float(np.clip((value - edges[0]) / (edges[-1] - edges[0]), 0.0, 1.0))


def linear_bins(values: np.ndarray, *, wanted: int = 32, whole: bool = False) -> Bins:
    """Bins of one round width, from 0 to where all but 1 in 200 values end.

    Args:
        values: finite and not negative, at least one.
        wanted: about how many bins.
        whole: the values are counts, so no bin is narrower than 1.
    """
    end = float(np.percentile(values, 99.5)) if values.size else 1.0
    step = nice(max(end, 1e-9) / wanted)
    if whole:
        step = max(1.0, float(np.ceil(step)))
    bins = max(1, int(np.floor(end / step)) + 1)
    edges = np.arange(bins + 1) * step
    return Bins(edges, False, int((values >= edges[-1]).sum()))


def log_bins(values: np.ndarray, *, wanted: int = 32) -> Bins:
    """Bins of one ratio, over all positive values."""
    positive = values[values > 0]
    low, high = (float(positive.min()), float(positive.max())) if positive.size else (1.0, 10.0)
    low, high = low * 0.98, max(high * 1.02, low * 1.5)
    return Bins(np.geomspace(low, high, wanted + 1), True, 0)


def nice(value: float) -> float:
    """The next round number of 1, 2, 2.5 or 5 times a power of ten that is not smaller."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in NICE_STEPS if step * power >= value * (1 - 1e-9)))


def histogram(
    bins: Bins,
    series: Sequence[tuple[str, np.ndarray]],
    *,
    label: str,
    unit: str,
    ticks: Sequence[tuple[float, str]],
    marker: tuple[float, str] | None = None,
) -> str:
    """Columns over an axis; several series are stacked, the first at the bottom.

    Args:
        bins: the axis.
        series: (CSS class, counts [n]) of each layer.
        label: what the plot shows, for readers who do not see it.
        unit: what is counted, plural, for the text over each column.
        ticks: (value, text) below the axis.
        marker: (value, text) of a vertical rule, such as the median.
    """
    total = np.sum([counts for _, counts in series], axis=0)
    top = max(1, int(total.max()) if total.size else 1)
    step = PLOT_WIDTH / max(1, total.size)
    parts: list[str] = []
    base = np.zeros_like(total)
    for css, counts in series:
        parts += _columns(css, base, counts, top, step)
        base = base + counts
    parts += [
        f'<rect class="probe" x="{LEFT + i * step:.1f}" y="{TOP}" width="{step:.1f}" '
        f'height="{PLOT_HEIGHT}"><title>{esc(_range_text(bins, i))}: {count(n)} {esc(unit)}'
        f"</title></rect>"
        for i, n in enumerate(total)
        if n
    ]
    parts.append(f'<path class="axis" d="M{LEFT} {TOP + PLOT_HEIGHT + 0.5}h{PLOT_WIDTH}"/>')
    parts += [_tick(bins.position(value), text) for value, text in ticks]
    if marker:
        parts.append(_marker(bins.position(marker[0]), marker[1]))
    return _figure(label, parts)


def stacked_bar(parts: Sequence[tuple[str, str, float]], *, label: str) -> str:
    """One bar of the full width, cut into (CSS class, name, amount) parts."""
    whole = sum(amount for _, _, amount in parts)
    pieces, start = [], 0.0
    for css, name, amount in parts:
        if amount <= 0 or whole <= 0:
            continue
        width = 100 * amount / whole
        # A part that exists is at least a hair wide, whatever its share.
        pieces.append(
            f'<rect class="{css}" x="{start:.3f}%" width="{max(width, 0.25):.3f}%" height="100%">'
            f"<title>{esc(name)}: {count(amount)} ({share(amount, whole)})</title></rect>"
        )
        start += width
    if not pieces:
        pieces.append('<rect class="track" width="100%" height="100%"/>')
    return f'<svg class="stack" role="img" aria-label="{esc(label)}">{"".join(pieces)}</svg>'


def bar(parts: Sequence[tuple[str, float]], whole: float) -> str:
    """A thin bar of (CSS class, amount) parts, as long together as they are of the whole."""
    pieces, start = [], 0.0
    for css, amount in parts:
        if amount > 0 and whole > 0:
            width = max(100 * amount / whole, 0.4)
            pieces.append(
                f'<rect class="{css}" x="{start:.2f}%" width="{width:.2f}%" height="100%"/>'
            )
            start += width
    return (
        '<svg class="bar" aria-hidden="true"><rect class="track" width="100%" height="100%"/>'
        f"{''.join(pieces)}</svg>"
    )


def span(low: float, middle: float, high: float, *, start: float, end: float) -> str:
    """A range with a dot in it, on a logarithmic axis from `start` to `end`."""

    def at(value: float) -> float:
        value = min(max(value, start), end)
        return 100 * float(np.log(value / start) / np.log(end / start))

    x0, x1, x2 = at(low), at(middle), at(high)
    return (
        '<svg class="span" aria-hidden="true"><rect class="track" y="45%" width="100%" '
        f'height="10%"/><rect class="neutral" x="{x0:.2f}%" y="30%" '
        f'width="{max(x2 - x0, 0.6):.2f}%" height="40%" rx="2"/>'
        f'<circle class="dot" cx="{x1:.2f}%" cy="50%" r="4"/></svg>'
    )


def bubbles(
    points: Sequence[tuple[float, float, int, str]],
    *,
    frames: Sequence[tuple[float, float, str]],
    label: str,
) -> str:
    """Circles whose area is a count, at (x, y), over frames drawn from the lower left corner.

    Args:
        points: (x, y, count, text on hover).
        frames: (width, height, name) of shapes to compare with, in the same unit; names stand
            at the left, above and below their upper edge in turn.
        label: what the plot shows, for readers who do not see it.
    """
    reach = 1.06 * max(
        [max(x, y) for x, y, _, _ in points] + [max(w, h) for w, h, _ in frames], default=1.0
    )
    side = SQUARE
    scale = (side - 30) / reach
    floor = side - 16

    def place(x: float, y: float) -> tuple[float, float]:
        return 20 + x * scale, floor - y * scale

    parts = [f'<path class="axis" d="M20 {floor}H{side}M20 {floor}V6"/>']
    names = []
    for position, (width, height, name) in enumerate(frames):
        x, y = place(width, height)
        drop = -4 if position % 2 == 0 else 11
        parts.append(f'<path class="frame" d="M20 {y:.1f}H{x:.1f}V{floor}"/>')
        names.append(f'<text class="tick" x="25" y="{y + drop:.1f}">{esc(name)}</text>')
    most = max((amount for _, _, amount, _ in points), default=1)
    for x_value, y_value, amount, text in points:
        x, y = place(x_value, y_value)
        radius = 2 + 11 * float(np.sqrt(amount / most))
        parts.append(
            f'<circle class="bubble" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
            f"<title>{esc(text)}</title></circle>"
        )
    parts += [*names, _AXES_NAMES]
    return (
        f'<svg class="plot square" viewBox="0 0 {side} {side}" role="img" '
        f'aria-label="{esc(label)}">{"".join(parts)}</svg>'
    )


def sizes(
    values: Sequence[tuple[str, float, str]], *, target: float, tolerance: float, label: str
) -> str:
    """A column for each (name, size, text on hover), over the band `target ± tolerance`."""
    top = max([value for _, value, _ in values] + [target * (1 + tolerance)], default=1.0) * 1.04
    step = PLOT_WIDTH / max(1, len(values))
    floor = TOP + PLOT_HEIGHT

    def up(value: float) -> float:
        return PLOT_HEIGHT * value / top if top else 0.0

    parts = []
    if target > 0:
        high, low = up(target * (1 + tolerance)), up(target * (1 - tolerance))
        parts.append(
            f'<rect class="band" x="{LEFT}" y="{floor - high:.1f}" width="{PLOT_WIDTH}" '
            f'height="{high - low:.1f}"/>'
        )
    width = min(step * 0.82, 28.0)
    for index, (_, value, text) in enumerate(values):
        x = LEFT + index * step + (step - width) / 2
        parts.append(
            f'<rect class="neutral" x="{x:.2f}" y="{floor - up(value):.2f}" width="{width:.2f}" '
            f'height="{max(1.0, up(value)):.2f}"><title>{esc(text)}</title></rect>'
        )
    parts.append(f'<path class="axis" d="M{LEFT} {floor + 0.5}h{PLOT_WIDTH}"/>')
    if values:
        parts.append(_tick(0.0, values[0][0]))
        if len(values) > 1:
            parts.append(_tick(1.0, values[-1][0]))
    return _figure(label, parts)


def round_ticks(bins: Bins, wanted: int = 4) -> list[float]:
    """A few round values on the axis of the bins."""
    low, high = float(bins.edges[0]), float(bins.edges[-1])
    if not bins.logarithmic:
        step = nice(high / wanted)
        return [step * i for i in range(int(high / step + 1e-9) + 1)]
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 3) if high / low < 1000 else (1,)
    found = [s * 10.0**power for power in powers for s in steps]
    inside = [value for value in found if low <= value <= high]
    return inside or [low, high]


def _columns(css: str, base: np.ndarray, counts: np.ndarray, top: int, step: float) -> list[str]:
    gap = 1.0 if step > 3 else 0.0
    floor = TOP + PLOT_HEIGHT
    found = []
    for index, (below, amount) in enumerate(zip(base, counts, strict=True)):
        if amount:
            high = max(1.0, PLOT_HEIGHT * float(amount) / top)
            y = floor - PLOT_HEIGHT * float(below) / top - high
            found.append(
                f'<rect class="{css}" x="{LEFT + index * step:.2f}" y="{y:.2f}" '
                f'width="{step - gap:.2f}" height="{high:.2f}"/>'
            )
    return found


def _range_text(bins: Bins, index: int) -> str:
    low, high = bins.edges[index], bins.edges[index + 1]
    more = " and more" if bins.beyond and index == len(bins.edges) - 2 else ""
    return f"{_short(low)} to {_short(high)}{more}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _tick(position: float, text: str) -> str:
    x = LEFT + position * PLOT_WIDTH
    anchor = "start" if position < 0.06 else "end" if position > 0.94 else "middle"
    return (
        f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{esc(text)}</text>'
    )


def _marker(position: float, text: str) -> str:
    x = LEFT + position * PLOT_WIDTH
    anchor, nudge = ("end", -4) if position > 0.6 else ("start", 4)
    return (
        f'<path class="marker" d="M{x:.1f} {TOP - 10}v{PLOT_HEIGHT + 10}"/>'
        f'<text class="note" x="{x + nudge:.1f}" y="{TOP - 3}" text-anchor="{anchor}">'
        f"{esc(text)}</text>"
    )


def _figure(label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{esc(label)}">{"".join(parts)}</svg>'
    )
