"""Things that lie over the text: pen strokes, and a bar over part of the line's height."""

from __future__ import annotations

import cv2
import numpy as np

from .kind import Amount, CropContext
from .tone import ink_of, paper_of

_FIXED = 4
"""Bits behind the point of drawn coordinates."""


def strokes_amount(strength: float, x_height: float) -> Amount:
    return {
        "step_px": round(max(2.0, x_height * (6.0 - 5.45 * strength)), 2),
        "width_px": round(max(0.8, x_height * (0.05 + 0.2 * strength)), 2),
        "opacity": round(min(1.0, 0.1 + 2.2 * strength), 3),
    }


def strokes(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """A pen runs to and fro over each line of text, the closer the stronger."""
    out = np.ascontiguousarray(crop.copy())
    ink = ink_of(crop, paper_of(crop))
    step = amount["step_px"]
    places = np.arange(-step, crop.shape[1] + 2 * step, step)
    for number, (top, bottom) in enumerate(context.lines):
        turn = np.arange(len(places)) + (context.seed >> (number % 8)) % 2
        wave = (np.arange(len(places)) * 2654435761 + context.seed * 40503 + number) % 97 / 97.0
        reach = 0.2 * (bottom - top)
        rows = np.where(turn % 2, top + wave * reach, bottom - wave * reach)
        points = np.stack((places + (wave - 0.5) * step * 0.5, rows), axis=1)
        fixed = np.rint(points * (1 << _FIXED)).astype(np.int32)
        thick = max(1, round(amount["width_px"]))
        cv2.polylines(out, [fixed], False, ink, thick, cv2.LINE_AA, _FIXED)
    opacity = amount["opacity"]
    return out if opacity >= 1 else np.asarray(cv2.addWeighted(out, opacity, crop, 1 - opacity, 0))


def bar_amount(strength: float, x_height: float) -> Amount:
    return {"share": round(0.9 * strength, 3), "opacity": round(min(1.0, 10 * strength), 3)}


def bar(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """A bar in the colour of the paper over part of each line's height, from the middle outwards.

    Source: VCR (Visual Caption Restoration) covers 0.46-0.77 of the height for `easy`, 0.41-0.80
    for `hard`.
    """
    out = crop.copy()
    paper = paper_of(crop)
    for top, bottom in context.lines:
        half = amount["share"] * (bottom - top) / 2
        middle = (top + bottom) / 2
        y0, y1 = round(middle - half), round(middle + half)
        out[max(0, y0) : max(0, y1)] = paper
    opacity = amount["opacity"]
    return out if opacity >= 1 else np.asarray(cv2.addWeighted(out, opacity, crop, 1 - opacity, 0))
