"""How large a page's text is: the height of a lower-case x in pixels."""

from __future__ import annotations

import cv2
import numpy as np

from ..page import TextLayer
from .mark import Marks, marks, sample

_FLAT = np.array([ord(char) for char in "acemnorsuvwxzавгежзиклмнопстхчшяικνοπσςω"])
"""Letters that neither rise above the x-height nor descend."""
_SAMPLES = 48
_STEP = 0.02
"""em between measured rows."""
_USUAL = 0.48
"""x-height over font size, where no letter shows it."""
_PLAUSIBLE = (0.25, 0.75)
"""x-height over font size."""


def x_height(image: np.ndarray, layer: TextLayer) -> float:
    """Median height of a lower-case x over the page's characters, px; 0 without text.

    Measured on the ink of letters that have this height; where the page has none (digits, East
    Asian or Arabic script) it is what the font size usually means.

    Args:
        image: uint8 [height, width] or [height, width, 3].
        layer: the page's text, in pixels of the image.
    """
    at = marks(layer)
    size = at.size_px[at.size_px > 0]
    if not len(size):
        return 0.0
    flat = np.flatnonzero(np.isin(at.codepoint, _FLAT) & (at.size_px >= 4) & (at.width_px > 1))
    if len(flat) < 8:
        return float(np.median(size)) * _USUAL
    flat = flat[np.argsort(at.size_px[flat], kind="stable")]
    chosen = flat[np.linspace(0, len(flat) - 1, min(_SAMPLES, len(flat))).astype(int)]
    height = _ink_heights(image, at, chosen) / at.size_px[chosen]
    good = (height > _PLAUSIBLE[0]) & (height < _PLAUSIBLE[1])
    relative = float(np.median(height[good])) if good.sum() >= 4 else _USUAL
    return relative * float(np.median(at.size_px[flat]))


def _ink_heights(image: np.ndarray, at: Marks, index: np.ndarray) -> np.ndarray:
    """Height of the run of inked rows through the middle of each letter, px."""
    above = np.arange(0.95, -0.30, -_STEP, dtype=np.float32)
    across = np.linspace(0.1, 0.9, 9, dtype=np.float32)
    pixels = sample(image, at, index, across=across, above=above)
    if pixels.ndim == 4:
        flat = cv2.cvtColor(pixels.reshape(len(index), -1, 3), cv2.COLOR_RGB2GRAY)
        pixels = flat.reshape(pixels.shape[:3])
    paper = np.median(pixels.reshape(len(index), -1), axis=1)[:, None]
    ink = np.maximum(pixels.max(axis=2) - paper, paper - pixels.min(axis=2))
    inked = ink > 0.5 * ink.max(axis=1, keepdims=True)
    middle = int(np.argmin(np.abs(above - 0.2)))
    rising = np.cumprod(inked[:, middle::-1], axis=1).sum(axis=1)
    falling = np.cumprod(inked[:, middle:], axis=1).sum(axis=1)
    return np.asarray((rising + falling - 1) * _STEP * at.size_px[index])
