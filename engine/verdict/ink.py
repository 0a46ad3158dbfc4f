"""Where the page has ink that looks like text, and whether the words lie on it.

Everything here works on a small copy of the page, on which a word is eight pixels high.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

_WORD_ROWS = 8
"""Height of a median word on the small copy, px."""
_LONG_SIDE = (200, 1200)
"""Bounds of the small copy's longer side, px."""
_DETAIL = 13
"""px of the small copy; strokes narrower than this stand out from what is around them."""
_FAINT = 5.0
"""Mean contrast in a word's box, of 255, under which it shows no ink."""
_STRONG = 40
"""Contrast, of 255, from which on a pixel counts as ink outside the words."""
_TRIFLE = 0.08
"""Ink outside the words, relative to the words' area, that is not worth a closer look."""


@dataclass(frozen=True, slots=True)
class InkMap:
    """The contrast of text-sized detail, and the scale of this copy."""

    contrast: np.ndarray
    """uint8 [height, width]."""
    factor: float
    """Pixels of the page per pixel of this map."""
    flat: float
    """Share of the page that has exactly its commonest grey; low for grey scans and photos."""


def ink_map(grey: np.ndarray, boxes: np.ndarray) -> InkMap:
    """The page's text-sized detail, dark on light or light on dark.

    Args:
        grey: uint8 [height, width].
        boxes: float32 [words, 4], px.
    """
    longer = max(grey.shape)
    word_rows = float(np.median(_short_side(boxes))) if len(boxes) else longer / 60
    factor = max(1.0, word_rows / _WORD_ROWS, longer / _LONG_SIDE[1])
    factor = float(max(1, round(min(factor, longer / _LONG_SIDE[0]))))
    small = _shrink(grey, round(factor))
    kernel = np.ones((_DETAIL, _DETAIL), np.uint8)
    dark = cv2.morphologyEx(small, cv2.MORPH_BLACKHAT, kernel)
    if small.min() < 128:
        dark = _light_on_dark(small, dark, kernel)
    sample = np.ascontiguousarray(grey[::6, ::6])
    greys = cv2.calcHist([sample], [0], None, [256], [0, 256])
    return InkMap(dark, factor, float(greys.max()) / sample.size)


def _light_on_dark(small: np.ndarray, dark: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """`dark`, with the light detail instead wherever the surroundings are dark."""
    coarse: np.ndarray = cv2.blur(_shrink(small, 4), (_DETAIL // 2, _DETAIL // 2))
    if coarse.min() >= 128:
        return dark
    around = cv2.resize(coarse, small.shape[::-1], interpolation=cv2.INTER_LINEAR)
    light = cv2.morphologyEx(small, cv2.MORPH_TOPHAT, kernel)
    return np.asarray(cv2.copyTo(light, cv2.inRange(around, 0, 127), dark))


def _shrink(grey: np.ndarray, factor: int) -> np.ndarray:
    """Means over whole blocks, the ragged edge left out.

    OpenCV resizes fast only by a factor of 2, and has fast running means only of 3 by 3.
    """
    if factor > 2 and factor % 2 == 0:
        return _shrink(_shrink(grey, 2), factor // 2)
    height, width = (max(1, side // factor) for side in grey.shape)
    if factor == 3 and min(grey.shape) >= 3:
        return np.ascontiguousarray(cv2.blur(grey, (3, 3))[1::3, 1::3][:height, :width])
    whole = grey[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))


def _short_side(boxes: np.ndarray) -> np.ndarray:
    return np.asarray(np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]))


def contrast_of(ink: InkMap, boxes: np.ndarray) -> np.ndarray:
    """Mean contrast in each box, float64 [n], 0 to 255."""
    total = cv2.integral(ink.contrast)
    size = np.array(ink.contrast.shape[::-1])
    low = np.floor(boxes[:, :2] / ink.factor).astype(np.int64).clip(0, size - 1)
    high = np.ceil(boxes[:, 2:] / ink.factor).astype(np.int64).clip(low + 1, size)
    (x0, y0), (x1, y1) = low.T, high.T
    summed = total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]
    return np.asarray(summed / ((x1 - x0) * (y1 - y0)), np.float64)


def inked_share(ink: InkMap, boxes: np.ndarray) -> float:
    """Share of the boxes' area whose box has ink in it; 1 without boxes."""
    if not len(boxes):
        return 1.0
    area = np.maximum(1.0, (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    return float(area[contrast_of(ink, boxes) >= _FAINT].sum() / area.sum())


def uncovered_share(ink: InkMap, boxes: np.ndarray) -> float:
    """Share of all that looks like lines of text which no word covers, by area.

    Ink outside the words counts where, smeared along the line, it forms long, low and evenly
    filled strips of the height of words: rules, charts and photographs do not.
    """
    strong = (ink.contrast >= _STRONG).astype(np.uint8)
    grown = np.rint(boxes / ink.factor + np.array([-1, -1, 1, 1])).astype(np.int64)
    inner = np.maximum(grown[:, 2:] - grown[:, :2] - 2, 0)
    covered = float(inner[:, 0] @ inner[:, 1])
    for x0, y0, x1, y1 in np.maximum(grown, 0).tolist():
        strong[y0:y1, x0:x1] = 0
    if cv2.countNonZero(strong) <= _TRIFLE * covered:
        return 0.0
    rows, columns = (np.flatnonzero(strong.any(axis=axis)) for axis in (1, 0))
    strong = strong[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    smeared = cv2.morphologyEx(strong, cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(smeared, connectivity=8)
    width, height = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    filled = stats[1:, cv2.CC_STAT_AREA] / np.maximum(1, width * height)
    line = (height >= 3) & (height <= 2 * _WORD_ROWS) & (width >= 2 * height) & (filled > 0.4)
    line &= filled < 0.97
    uncovered = float((width * height)[line].sum())
    return uncovered / max(1.0, uncovered + covered)


def best_shift(
    ink: InkMap, boxes: np.ndarray, reach: float
) -> tuple[tuple[float, float], float, float]:
    """Where the boxes would have to move to lie on ink.

    Args:
        boxes: float32 [n, 4], px.
        reach: the longest way tried along either axis, px.

    Returns:
        The shift, px; the mean contrast there; the mean contrast where the boxes are.
    """
    field = _shrink(ink.contrast, 2).astype(np.float32)
    factor = 2 * ink.factor
    height, width = field.shape
    mask = np.zeros((height, width), np.float32)
    for x0, y0, x1, y1 in np.maximum(np.rint(boxes / factor), 0).astype(int).tolist():
        mask[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] = 1
    area = float(mask.sum())
    if not area:
        return (0.0, 0.0), 0.0, 0.0
    steps = max(1, min(round(reach / factor), min(height, width) // 2 - 1))
    padded = cv2.copyMakeBorder(field, steps, steps, steps, steps, cv2.BORDER_CONSTANT)
    score = cv2.matchTemplate(padded, mask, cv2.TM_CCORR) / area
    _, best, _, (column, row) = cv2.minMaxLoc(score)
    here = float(score[steps, steps])
    return ((column - steps) * factor, (row - steps) * factor), float(best), here


def boxes_of(boxes: Sequence[Sequence[float]]) -> np.ndarray:
    """float32 [n, 4], also for no boxes."""
    return np.array(boxes, np.float32).reshape(-1, 4)
