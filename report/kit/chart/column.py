"""Upright columns over an axis: histograms, and a column for each thing that has a size.

Drawn on 360 x 150 units; the chart scales with the column of the page it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import Markup

from ..numbers import plural
from .axis import Bins
from .svg import element, join

WIDTH, HEIGHT = 360, 150
LEFT, RIGHT, TOP, BOTTOM = 6, 6, 14, 20
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
FLOOR = TOP + PLOT_HEIGHT
_WIDEST = 28.0


def histogram_chart(
    bins: Bins,
    series: Sequence[tuple[str, np.ndarray]],
    *,
    label: str,
    unit: str,
    ticks: Sequence[tuple[float, str]],
    marker: tuple[float, str] | None = None,
) -> Markup:
    """Columns over an axis; several series are stacked, the first at the bottom.

    Args:
        bins: the axis.
        series: (CSS class, counts [n]) of each layer.
        label: what the chart shows, for readers who do not see it.
        unit: what is counted, singular, for the text over each column.
        ticks: (value, text) below the axis.
        marker: (value, text) of a vertical rule, such as the median.
    """
    total = np.sum([counts for _, counts in series], axis=0)
    top = max(1, int(total.max()) if total.size else 1)
    step = PLOT_WIDTH / max(1, total.size)
    parts: list[Markup] = []
    base = np.zeros_like(total)
    for css, counts in series:
        parts += _layer(css, base, counts, top, step)
        base = base + counts
    parts += _hover_texts(bins, total, step, unit)
    parts.append(_floor_line())
    parts += [_tick(bins.position(value), text) for value, text in ticks]
    if marker:
        parts.append(_marker(bins.position(marker[0]), marker[1]))
    return _drawing(label, parts)


def column_chart(
    columns: Sequence[tuple[str, float, str]], *, target: float, tolerance: float, label: str
) -> Markup:
    """A column for each (name, size, text on hover), over the band `target ± tolerance`."""
    sizes = [value for _, value, _ in columns]
    top = max([*sizes, target * (1 + tolerance)], default=1.0) * 1.04
    step = PLOT_WIDTH / max(1, len(columns))

    def height(value: float) -> float:
        return PLOT_HEIGHT * value / top if top else 0.0

    parts = []
    if target > 0:
        high, low = height(target * (1 + tolerance)), height(target * (1 - tolerance))
        parts.append(_rect("target-band", LEFT, FLOOR - high, PLOT_WIDTH, high - low))
    width = min(step * 0.82, _WIDEST)
    for index, (_, value, text) in enumerate(columns):
        x = LEFT + index * step + (step - width) / 2
        tall = max(1.0, height(value))
        parts.append(_rect("neutral", x, FLOOR - height(value), width, tall, text))
    parts.append(_floor_line())
    if columns:
        parts.append(_tick(0.0, columns[0][0]))
    if len(columns) > 1:
        parts.append(_tick(1.0, columns[-1][0]))
    return _drawing(label, parts)


def _layer(
    css: str, base: np.ndarray, counts: np.ndarray, top: int, step: float
) -> Iterator[Markup]:
    gap = 1.0 if step > 3 else 0.0
    for index, (below, amount) in enumerate(zip(base, counts, strict=True)):
        if amount:
            high = max(1.0, PLOT_HEIGHT * float(amount) / top)
            y = FLOOR - PLOT_HEIGHT * float(below) / top - high
            yield _rect(css, LEFT + index * step, y, step - gap, high)


def _hover_texts(bins: Bins, total: np.ndarray, step: float, unit: str) -> Iterator[Markup]:
    for index, amount in enumerate(total):
        if amount:
            text = f"{_range_text(bins, index)}: {plural(amount, unit)}"
            yield _rect("probe", LEFT + index * step, TOP, step, PLOT_HEIGHT, text)


def _rect(css: str, x: float, y: float, width: float, height: float, text: str = "") -> Markup:
    title = [element("title", text)] if text else []
    return element(
        "rect", *title, class_=css, x=f"{x:.2f}", y=f"{y:.2f}", width=f"{width:.2f}",
        height=f"{height:.2f}",
    )  # fmt: skip


def _range_text(bins: Bins, index: int) -> str:
    low, high = bins.edges[index], bins.edges[index + 1]
    more = " and more" if bins.beyond and index == len(bins.edges) - 2 else ""
    return f"{_short(low)} to {_short(high)}{more}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _floor_line() -> Markup:
    return element("path", class_="axis", d=f"M{LEFT} {FLOOR + 0.5}h{PLOT_WIDTH}")


def _tick(position: float, text: str) -> Markup:
    x = LEFT + position * PLOT_WIDTH
    anchor = "start" if position < 0.06 else "end" if position > 0.94 else "middle"
    return element("text", text, class_="tick", x=f"{x:.1f}", y=HEIGHT - 6, text_anchor=anchor)


def _marker(position: float, text: str) -> Markup:
    x = LEFT + position * PLOT_WIDTH
    anchor, nudge = ("end", -4) if position > 0.6 else ("start", 4)
    rule = element("path", class_="marker", d=f"M{x:.1f} {TOP - 10}v{PLOT_HEIGHT + 10}")
    return rule + element(
        "text", text, class_="marker-text", x=f"{x + nudge:.1f}", y=TOP - 3, text_anchor=anchor
    )


def _drawing(label: str, parts: Sequence[Markup]) -> Markup:
    return element(
        "svg", join(parts), class_="drawing", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img",
        aria_label=label,
    )  # fmt: skip
