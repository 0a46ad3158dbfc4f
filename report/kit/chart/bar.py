"""Bars that take whatever width they are given; drawn in per cent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from .svg import element, join

_LEAST_PERCENT = 0.4
"""A part that exists is at least a hair wide, whatever its share."""


def bar_chart(parts: Sequence[tuple[str, float]], whole: float) -> Markup:
    """A thin bar of (CSS class, amount) parts, as long together as they are of the whole."""
    pieces, start = [], 0.0
    for css, amount in parts:
        if amount > 0 and whole > 0:
            width = max(100 * amount / whole, _LEAST_PERCENT)
            pieces.append(
                element("rect", class_=css, x=f"{start:.2f}%", width=f"{width:.2f}%", height="100%")
            )
            start += width
    track = element("rect", class_="track", width="100%", height="100%")
    return element("svg", track, join(pieces), class_="bar", aria_hidden="true")


def range_chart(low: float, middle: float, high: float, *, start: float, end: float) -> Markup:
    """A range with a dot in it, on a logarithmic axis from `start` to `end`."""

    def position(value: float) -> float:
        inside = min(max(value, start), end)
        return 100 * math.log(inside / start) / math.log(end / start)

    x0, x1, x2 = position(low), position(middle), position(high)
    return element(
        "svg",
        element("rect", class_="track", y="45%", width="100%", height="10%"),
        element(
            "rect",
            class_="neutral",
            x=f"{x0:.2f}%",
            y="30%",
            width=f"{max(x2 - x0, 0.6):.2f}%",
            height="40%",
            rx=2,
        ),
        element("circle", class_="dot", cx=f"{x1:.2f}%", cy="50%", r=4),
        class_="range-bar",
        aria_hidden="true",
    )
