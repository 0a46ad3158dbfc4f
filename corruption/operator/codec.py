"""JPEG of the crop, at a size at which its blocks are as large as letters."""

from __future__ import annotations

import cv2
import numpy as np

from .albumentations import pixel
from .kind import Amount, CropContext

_SMALLEST_X_PX = 1.8
"""x-height at which blocks of 8 px hold several letters."""
_FAINT = 0.1
"""Strength up to which the result is laid over the crop, so that 0 is nothing."""


def jpeg_amount(strength: float, x_height: float) -> Amount:
    coarsest = max(1.0, x_height / _SMALLEST_X_PX)
    return {
        "quality": float(round(96 - 93 * strength**0.5)),
        "factor": round(1 + strength * (coarsest - 1), 3),
        "opacity": round(min(1.0, strength / _FAINT), 3),
    }


def jpeg(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Compressed small, then enlarged again."""
    height, width = crop.shape[:2]
    factor = amount["factor"]
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = crop if factor <= 1 else cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    small = np.ascontiguousarray(small)
    packed = pixel.image_compression(small, int(amount["quality"]), ".jpg")
    if factor > 1:
        packed = cv2.resize(packed, (width, height), interpolation=cv2.INTER_LINEAR)
    opacity = amount["opacity"]
    return np.asarray(
        packed if opacity >= 1 else cv2.addWeighted(packed, opacity, crop, 1 - opacity, 0.0)
    )
