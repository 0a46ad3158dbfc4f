"""Figures from the boxes of images and vector drawings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..geometry import Box, clip
from ..page import Figure

_COVER_CELLS = 256


def image_cover(images: Sequence[Box], *, width_px: float, height_px: float) -> float:
    """Share of the page under images, 0 to 1, to 1/256 of the page's sides."""
    seen = np.zeros((_COVER_CELLS, _COVER_CELLS), dtype=bool)
    fx, fy = _COVER_CELLS / max(width_px, 1e-6), _COVER_CELLS / max(height_px, 1e-6)
    for image in images:
        x0, y0, x1, y1 = clip(image, width_px, height_px)
        seen[round(y0 * fy) : round(y1 * fy), round(x0 * fx) : round(x1 * fx)] = True
    return float(seen.mean()) if images else 0.0


def figures_of(
    images: Sequence[Box],
    vectors: Sequence[tuple[Box, bool, bool]],
    *,
    width_px: float,
    height_px: float,
    dpi: float,
) -> tuple[Figure, ...]:
    """Images on the page."""
    return tuple(Figure(clip(box, width_px, height_px), "image") for box in images)
