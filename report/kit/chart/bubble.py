"""Circles whose area is a count, over the outlines of known shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from .svg import element, join

SIDE = 260
_LEFT, _FLOOR = 20, SIDE - 16


def bubble_chart(
    points: Sequence[tuple[float, float, int, str]],
    *,
    frames: Sequence[tuple[float, float, str]],
    names: tuple[str, str],
    label: str,
) -> Markup:
    """Circles at (x, y), over frames drawn from the lower left corner.

    Args:
        points: (x, y, count, text on hover).
        frames: (width, height, name) of shapes to compare with, in the same unit; names stand
            at the left, above and below their upper edge in turn.
        names: of the axes, across and upward.
        label: what the chart shows, for readers who do not see it.
    """
    sides = [max(x, y) for x, y, _, _ in points] + [max(w, h) for w, h, _ in frames]
    scale = (SIDE - 30) / (1.06 * max(sides, default=1.0))
    parts = [element("path", class_="axis", d=f"M{_LEFT} {_FLOOR}H{SIDE}M{_LEFT} {_FLOOR}V6")]
    texts = []
    for number, (width, height, name) in enumerate(frames):
        x, y = _LEFT + width * scale, _FLOOR - height * scale
        parts.append(element("path", class_="frame", d=f"M{_LEFT} {y:.1f}H{x:.1f}V{_FLOOR}"))
        drop = -4 if number % 2 == 0 else 11
        texts.append(element("text", name, class_="tick", x=_LEFT + 5, y=f"{y + drop:.1f}"))
    most = max((amount for _, _, amount, _ in points), default=1)
    for across, up, amount, text in points:
        parts.append(
            element(
                "circle",
                element("title", text),
                class_="bubble",
                cx=f"{_LEFT + across * scale:.1f}",
                cy=f"{_FLOOR - up * scale:.1f}",
                r=f"{2 + 11 * math.sqrt(amount / most):.1f}",
            )
        )
    return element(
        "svg", join(parts), join(texts), _axis_names(names), class_="drawing square",
        viewBox=f"0 0 {SIDE} {SIDE}", role="img", aria_label=label,
    )  # fmt: skip


def _axis_names(names: tuple[str, str]) -> Markup:
    across, up = (f"{name} →" for name in names)
    return element("text", across, class_="tick", x=SIDE, y=SIDE - 3, text_anchor="end") + element(
        "text", up, class_="tick", transform="translate(12 6) rotate(-90)", text_anchor="end"
    )
