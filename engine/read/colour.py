"""Has a page colour? One rule for every engine, on a low-resolution RGB rendering.

A pixel is coloured where its channels differ by more than `SPREAD` of 255 after the paper's own
tint is divided out (the median colour, where it is bright and nearly grey: yellowed paper, JPEG
tints and off-white backgrounds are grey pages). A page has colour where coloured pixels at
`PROBE_DPI` cover at least `INK_SQUARE_INCH` of paper: about half a word of coloured body text.
"""

from __future__ import annotations

import numpy as np

from ..geometry import POINTS_PER_INCH

PROBE_DPI = 36.0
SPREAD = 40
INK_SQUARE_INCH = 0.012
_PROBE_MIN_PX = 64
_PROBE_MAX_PX = 1200
_PAPER_MIN = 150
_PAPER_SPREAD = 60


def has_colour(rgb: np.ndarray, dpi: float = PROBE_DPI) -> bool:
    """Whether a rendering shows colour by the rule above.

    Args:
        rgb: uint8 [height, width, 3].
        dpi: resolution of the rendering.
    """
    need = max(3.0, INK_SQUARE_INCH * dpi * dpi)
    spread = _spread(rgb)
    if np.count_nonzero(spread > SPREAD) < need:
        return False
    paper = np.median(rgb.reshape(-1, 3), axis=0)
    tint = float(paper.max() - paper.min())
    if paper.min() < _PAPER_MIN or not 2 < tint <= _PAPER_SPREAD:
        return True
    balanced = np.minimum(rgb * (paper.max() / paper), 255.0).astype(np.uint8)
    return bool(np.count_nonzero(_spread(balanced) > SPREAD) >= need)


def _spread(rgb: np.ndarray) -> np.ndarray:
    red, green, blue = (np.ascontiguousarray(rgb[..., channel]) for channel in range(3))
    high = np.maximum(np.maximum(red, green), blue)
    return np.asarray(high - np.minimum(np.minimum(red, green), blue))


def probe_dpi(width_pt: float, height_pt: float) -> float:
    """The resolution to look for colour at: `PROBE_DPI`, less on giant pages, more on tiny."""
    longer = max(width_pt, height_pt, 1.0)
    return float(
        min(
            max(PROBE_DPI, _PROBE_MIN_PX * POINTS_PER_INCH / longer),
            _PROBE_MAX_PX * POINTS_PER_INCH / longer,
        )
    )
