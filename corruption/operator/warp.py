"""Operators that move pixels inside a region: shuffled strips, waves."""

from __future__ import annotations

import cv2
import numpy as np

from .albumentations import geometric
from .kind import Amount, CropContext
from .tone import paper_of


def strips_amount(strength: float, x_height: float) -> Amount:
    return {
        "strip_px": float(max(2, round(0.42 * x_height))),
        "lift_px": round(0.8 * strength * x_height, 2),
        "shuffled": float(strength > 0.8),
    }


def strips(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Upright strips lifted and lowered by turns; shuffled among their neighbours where strong."""
    width = crop.shape[1]
    strip = max(1, int(amount["strip_px"]))
    columns = np.arange(width)
    number = columns // strip
    out = crop
    if amount["shuffled"] and width >= 4 * strip:
        order = np.array(_ORDERS[context.seed % len(_ORDERS)])
        count = width // strip // 4 * 4
        target = number // 4 * 4 + order[number % 4]
        inside = number < count
        out = crop[:, np.where(inside, target * strip + columns % strip, columns)]
    lift = amount["lift_px"]
    if lift < 0.05:
        return out.copy()
    rows, fill = crop.shape[0], paper_of(crop)
    lifted, lowered = (_shifted(out, sign * lift, fill, rows) for sign in (-1, 1))
    return np.where(
        (number % 2 == 0)[None, :, None] if crop.ndim == 3 else number % 2 == 0, lifted, lowered
    )


_ORDERS = ((2, 3, 0, 1), (3, 1, 2, 0), (1, 3, 0, 2), (2, 0, 3, 1))


def _shifted(crop: np.ndarray, down: float, fill: tuple[int, ...], rows: int) -> np.ndarray:
    matrix = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, down]])
    size = (crop.shape[1], rows)
    border = fill if len(fill) > 1 else fill[0]
    return np.asarray(
        cv2.warpAffine(
            crop,
            matrix,
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=border,
        )
    )


def wave_amount(strength: float, x_height: float) -> Amount:
    return {
        "swing_px": round(0.95 * strength * x_height, 2),
        "length_px": round((3.2 - 2.0 * strength) * x_height, 2),
    }


def wave(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Rows and columns swing along short waves."""
    height, width = crop.shape[:2]
    turn = 2 * np.pi / max(2.0, amount["length_px"])
    phase = context.seed % 628 / 100
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    swing = np.float32(amount["swing_px"])
    map_x = x[None, :] + swing * np.sin(y * turn + 2 * phase).astype(np.float32)[:, None]
    map_y = y[:, None] + swing * np.sin(x * turn + phase).astype(np.float32)[None, :]
    return np.asarray(geometric.remap(crop, map_x, map_y, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE))
