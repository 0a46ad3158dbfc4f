"""Effects of the lamp: a shadow across the page, and light that falls off."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from .kind import EffectSheet, Parameters, between

_CELL_PX = 16
"""px that one number of a field of light covers."""


def shadow_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    return {
        "degrees": between(u[0], 0.0, 360.0, 1),
        "share": between(u[1], 0.1, 0.45),
        "soft_px": between(u[2] ** 2, 0.01 * sheet.longer, 0.25 * sheet.longer, 1),
        "depth": between(u[3], 0.15, 0.45),
    }


def shadow(image: np.ndarray, parameters: Parameters) -> None:
    """A straight edge between the lamp and the page, as of a hand or the other page of a book."""
    height, width = image.shape[:2]
    across, down = coarse_grid(width, height, _CELL_PX)
    turn = math.radians(parameters["degrees"])
    cos, sin = math.cos(turn), math.sin(turn)
    half = (abs(cos) * width + abs(sin) * height) / 2
    along = (across - width / 2) * cos + (down - height / 2) * sin
    inside = along - half * (1 - 2 * parameters["share"])
    deeper = 0.7 + 0.3 * inside / max(1.0, 2 * half * parameters["share"])
    dim(
        image,
        parameters["depth"] * smooth_step(inside / max(1.0, parameters["soft_px"]) + 0.5) * deeper,
    )


def uneven_light_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    return {
        "x_px": between(u[0], -0.2 * sheet.width, 1.2 * sheet.width, 1),
        "y_px": between(u[1], -0.2 * sheet.height, 1.2 * sheet.height, 1),
        "depth": between(u[2], 0.15, 0.45),
    }


def uneven_light(image: np.ndarray, parameters: Parameters) -> None:
    """A lamp near one place of the page: the farther from it, the darker."""
    height, width = image.shape[:2]
    across, down = coarse_grid(width, height, _CELL_PX)
    x, y = parameters["x_px"], parameters["y_px"]
    farthest = max(x, width - x) ** 2 + max(y, height - y) ** 2
    dim(image, parameters["depth"] * ((across - x) ** 2 + (down - y) ** 2) / max(1.0, farthest))


def dim(image: np.ndarray, taken: np.ndarray, tint: tuple[float, ...] = (1.0, 1.0, 1.0)) -> None:
    """The image with a share of its light taken away, by a field of any size that is enlarged."""
    height, width = image.shape[:2]
    shares = [taken] if image.ndim == 2 else [taken * channel for channel in tint]
    left = [np.rint(255 * (1 - np.clip(share, 0, 1))).astype(np.uint8) for share in shares]
    field = left[0] if image.ndim == 2 else cv2.merge(left)
    field = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    image[...] = cv2.multiply(image, field.reshape(image.shape), scale=1 / 255)


def coarse_grid(width: int, height: int, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the cells of a coarse grid, px: x `[1, columns]` and y `[rows, 1]`."""
    columns, rows = max(1, round(width / step)), max(1, round(height / step))
    across = (np.arange(columns) + 0.5) * (width / columns)
    down = (np.arange(rows) + 0.5) * (height / rows)
    return across[None, :], down[:, None]


def smooth_step(along: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, smooth between."""
    inside = np.clip(along, 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside))
