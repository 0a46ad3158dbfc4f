"""Patches back to pixels: the picture as a model gets it.

The inverse of `model/image_processing.py`: a thumbnail, and the slices laid out in their grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class PatchPicture:
    """What the slices of one page show; uint8 [height, width, 3] each."""

    thumbnail: np.ndarray
    """The whole page, small; without a grid the page itself."""
    grid: np.ndarray | None
    """All slices side by side; None where the page is not cut."""
    cols: int
    rows: int

    @property
    def largest(self) -> np.ndarray:
        """The one that shows most."""
        return self.thumbnail if self.grid is None else self.grid


def picture_of(
    patches: np.ndarray,
    tgt_sizes: np.ndarray,
    cols: int,
    *,
    mean: Sequence[float],
    std: Sequence[float],
) -> PatchPicture:
    """The picture of one sample.

    Args:
        patches: [slices, patches, 3 · p · p], bytes or normalised floats.
        tgt_sizes: (height, width) of each slice in patches, the thumbnail first.
        cols: of the grid.
        mean: that floats were normalised with, a number a channel.
        std: the same.
    """
    images = [
        image_of(slice_patches, height, width, mean, std)
        for slice_patches, (height, width) in zip(patches, tgt_sizes.tolist(), strict=True)
    ]
    thumbnail, slices = images[0], images[1:]
    if not slices:
        return PatchPicture(thumbnail, None, 1, 1)
    rows = [np.hstack(slices[at : at + cols]) for at in range(0, len(slices), cols)]
    return PatchPicture(thumbnail, np.vstack(rows), cols, len(rows))


def image_of(
    patches: np.ndarray, height: int, width: int, mean: Sequence[float], std: Sequence[float]
) -> np.ndarray:
    """One slice of height by width patches as uint8 [px, px, 3]; filling behind them is left."""
    side = round((patches.shape[-1] / 3) ** 0.5)
    cells = patches[: height * width].reshape(height, width, 3, side, side)
    image = cells.transpose(0, 3, 1, 4, 2).reshape(height * side, width * side, 3)
    if image.dtype == np.uint8:
        return image
    values = (image * np.asarray(std) + np.asarray(mean)) * 255
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)
