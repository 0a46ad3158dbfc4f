"""Has a page colour? One rule for every backend, on a low-resolution RGB rendering.

A pixel is coloured where its channels differ by more than `SPREAD` of 255 after the paper's own
tint is divided out (the median colour, where it is bright and nearly grey: yellowed paper, JPEG
tints and off-white backgrounds are grey pages). A page has colour where coloured pixels at
`PROBE_DPI` cover at least `INK_SQUARE_INCH` of paper: about half a word of coloured body text.
"""

from __future__ import annotations

import cv2
import numpy as np

from ...geometry import POINTS_PER_INCH

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
    paper = np.array([_median(channel) for channel in cv2.split(rgb)])
    tint = float(paper.max() - paper.min())
    if paper.min() < _PAPER_MIN or not 2 < tint <= _PAPER_SPREAD:
        return True
    balanced = np.minimum(rgb * (paper.max() / paper), 255.0).astype(np.uint8)
    return bool(np.count_nonzero(_spread(balanced) > SPREAD) >= need)


def _spread(rgb: np.ndarray) -> np.ndarray:
    red, green, blue = cv2.split(rgb)
    high = cv2.max(cv2.max(red, green), blue)
    return np.asarray(cv2.subtract(high, cv2.min(cv2.min(red, green), blue)))


def _median(channel: np.ndarray) -> float:
    """As `np.median`, by counting."""
    counts = cv2.calcHist([channel], [0], None, [256], [0, 256])
    middle = ((channel.size - 1) // 2, channel.size // 2)
    levels = np.searchsorted(np.cumsum(counts, dtype=np.int64), middle, side="right")
    return float(levels.mean())


def is_coloured(
    rgb: np.ndarray, dpi: float, size_pt: tuple[float, float], *, by_halves: bool = True
) -> bool:
    """Whether a rendering of any resolution shows colour: made small, then by the rule above.

    Args:
        rgb: uint8 [height, width, 3].
        dpi: resolution of the rendering.
        size_pt: width and height of the page.
        by_halves: make it small by halves, many times as fast as at once; the means differ in
            their last bit, so a backend keeps its way.
    """
    wanted = min(dpi, probe_dpi(*size_pt))
    height, width = (max(1, round(side * wanted / dpi)) for side in rgb.shape[:2])
    while by_halves and dpi >= 2 * wanted and min(rgb.shape[:2]) > 1:
        rows, columns = rgb.shape[0] // 2, rgb.shape[1] // 2
        even = rgb[: 2 * rows, : 2 * columns]
        rgb = cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA)
        dpi /= 2
    if dpi > wanted:
        rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return has_colour(rgb, wanted)


def probe_dpi(width_pt: float, height_pt: float) -> float:
    """The resolution to look for colour at: `PROBE_DPI`, less on giant pages, more on tiny."""
    longer = max(width_pt, height_pt, 1.0)
    return float(
        min(
            max(PROBE_DPI, _PROBE_MIN_PX * POINTS_PER_INCH / longer),
            _PROBE_MAX_PX * POINTS_PER_INCH / longer,
        )
    )
