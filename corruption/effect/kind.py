"""What an effect is: which numbers it takes from a page, and how it is drawn or bends the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

Parameters = dict[str, Any]
"""Of one effect in px, degrees and shares; plain JSON values."""
Points = tuple[np.ndarray, np.ndarray]
"""x and y, px, float64 or float32 of shapes that broadcast."""
PointMap = Callable[[Parameters, np.ndarray, np.ndarray, float, float], Points]
"""Parameters, x, y, width and height of the page to x and y; pixel i spans i to i + 1."""

NUMBERS = 64
"""Numbers in (0, 1) that an effect is given for its parameters, the first one not counted."""
_MOST_WARP, _MOST_WARP_ACROSS = 0.006, 0.015
"""Largest displacement as a share of the longer and of the shorter side: the page never folds."""


class EffectKind(NamedTuple):
    """One effect on whole pages; it is drawn in place, or bends the page by two maps of points."""

    slot: int
    """Its number, for its draws; never given to another one."""
    amount: Callable[[EffectSheet, Sequence[float]], Parameters]
    """The page and numbers in (0, 1) to parameters."""
    draw: Callable[[np.ndarray, Parameters], None] | None = None
    """In place; None for effects that bend the page."""
    forward: PointMap | None = None
    """From the clean page to the bent one."""
    inverse: PointMap | None = None
    """From the bent page to the clean one."""


class EffectSheet(NamedTuple):
    """What effects know of a page besides its pixels."""

    width: int
    height: int
    """px."""
    x_height: float
    """px."""
    ink: tuple[float, float, float, float]
    """Box around all words, px."""

    @property
    def longer(self) -> int:
        """The longer side, px."""
        return max(self.width, self.height)

    @property
    def margin(self) -> float:
        """Least distance of a word from the edge, px."""
        x0, y0, x1, y1 = self.ink
        return max(0.0, min(x0, y0, self.width - x1, self.height - y1))

    @property
    def reach(self) -> float:
        """The most that a warp may displace: no word leaves the page."""
        shorter = min(self.width, self.height)
        return min(_MOST_WARP * self.longer, _MOST_WARP_ACROSS * shorter, self.margin)


def between(number: float, low: float, high: float, digits: int = 3) -> float:
    """A number in (0, 1) moved to a range."""
    return round(low + (high - low) * number, digits)


def tiles(image: np.ndarray, side: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the squares that an image is cut into, for what is drawn in pieces."""
    height, width = image.shape[:2]
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield slice(top, min(height, top + side)), slice(left, min(width, left + side))
