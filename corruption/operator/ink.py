"""Operators on the strokes themselves: thinner, thicker."""

from __future__ import annotations

import cv2
import numpy as np

from .albumentations import geometric
from .kind import Amount, CropContext
from .tone import is_light, paper_of


def thin_amount(strength: float, x_height: float) -> Amount:
    return {"radius_px": round(0.28 * strength * x_height, 2)}


def thin(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Strokes lose ink along their edges until nothing is left."""
    return _grow(crop, amount["radius_px"], light=is_light(paper_of(crop)))


def spread_amount(strength: float, x_height: float) -> Amount:
    return {"radius_px": round(0.6 * strength * x_height, 2)}


def spread(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Ink runs until counters and gaps are filled."""
    return _grow(crop, amount["radius_px"], light=not is_light(paper_of(crop)))


def _grow(crop: np.ndarray, radius: float, *, light: bool) -> np.ndarray:
    """The light or the dark parts grown by a radius; parts of a pixel by blending."""
    whole = int(radius)
    inner = _grown(crop, whole, light)
    part = radius - whole
    if part < 0.02:
        return inner.copy() if whole == 0 else inner
    outer = _grown(crop, whole + 1, light)
    return np.asarray(cv2.addWeighted(inner, 1 - part, outer, part, 0.0))


def _grown(crop: np.ndarray, radius: int, light: bool) -> np.ndarray:
    if radius == 0:
        return crop
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    grow = geometric.dilate if light else geometric.erode
    return np.asarray(grow(crop, kernel))
