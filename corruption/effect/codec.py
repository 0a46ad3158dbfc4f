"""The whole page compressed and read again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..operator.albumentations import pixel
from .kind import EffectSheet, Parameters, between, tiles

_TILE_PX = 32_768
"""Side of the largest file: JPEG ends at 65,535 px."""


def jpeg_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    return {"quality": int(between(u[0], 20, 75, 0))}


def jpeg(image: np.ndarray, parameters: Parameters) -> None:
    """Compressed and read again, in as many files as its size needs."""
    for rows, columns in tiles(image, _TILE_PX):
        part = np.ascontiguousarray(image[rows, columns])
        image[rows, columns] = pixel.image_compression(part, parameters["quality"], ".jpg")
