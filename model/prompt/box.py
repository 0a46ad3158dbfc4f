"""Boxes as prompts write them: thousandths of a page's width and height, the same in every slice.

<box>12 34 560 789</box>
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .token import BOX, BOX_END

BOX_SCALE = 1000
"""Numbers of a box go from 0 to one less than this."""

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1), px."""

BOX_PATTERN = re.compile(rf"{BOX}(\d{{1,3}}) (\d{{1,3}}) (\d{{1,3}}) (\d{{1,3}}){BOX_END}")


def box_text(box: Sequence[float], width: float, height: float) -> str:
    """A box in thousandths of the page, without the tokens around it: `12 34 560 789`.

    Args:
        box: x0, y0, x1, y1 in px.
        width: of the page, px.
        height: of the page, px.
    """
    scale = (BOX_SCALE / width, BOX_SCALE / height) * 2
    return " ".join(
        str(min(BOX_SCALE - 1, max(0, int(value * by))))
        for value, by in zip(box, scale, strict=True)
    )


def parse_boxes(text: str) -> list[tuple[int, int, int, int]]:
    """All boxes of a text in thousandths, in their order; what is not written as one is no box."""
    return [(int(x0), int(y0), int(x1), int(y1)) for x0, y0, x1, y1 in BOX_PATTERN.findall(text)]
