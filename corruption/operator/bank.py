"""Noise drawn once: tiles that every region takes a window of, the same bits on every machine."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from ...engine.draw import philox

ROWS, COLUMNS = 512, 2048
_GAUSS_KEY, _EVEN_KEY = 0x70616765, 0x6D696C6C
_BYTES = 8
"""Bytes added up for one normal number."""
STD = 32
"""Standard deviation of the normal tile, grey levels; its middle is 128."""


@functools.cache
def normal_tile() -> np.ndarray:
    """Normal noise around 128, uint8 [ROWS, COLUMNS]; sums of bytes, so that no float is in it."""
    counters = np.zeros((ROWS * COLUMNS // 2, 4), np.uint32)
    counters[:, 0] = np.arange(len(counters))
    sums = philox(_GAUSS_KEY, counters).view(np.uint8).reshape(-1, _BYTES).sum(1, dtype=np.int32)
    middle, spread = 255 * _BYTES // 2, 209
    tile = np.clip(128 + (sums - middle) * STD // spread, 0, 255)
    return np.ascontiguousarray(tile.reshape(ROWS, COLUMNS).astype(np.uint8))


@functools.cache
def even_tile() -> np.ndarray:
    """Even noise from 0 to 255, uint8 [ROWS, COLUMNS]."""
    counters = np.zeros((ROWS * COLUMNS // 16, 4), np.uint32)
    counters[:, 0] = np.arange(len(counters))
    return philox(_EVEN_KEY, counters).view(np.uint8).reshape(ROWS, COLUMNS)


def window(tile: np.ndarray, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A part of a tile with the height and width of `shape`; a larger one repeats the tile."""
    height, width = shape[:2]
    if height > ROWS or width > COLUMNS:
        across, down = -(-width // COLUMNS), -(-height // ROWS)
        return np.ascontiguousarray(np.tile(tile, (down, across))[:height, :width])
    top = seed % (ROWS - height + 1)
    left = (seed // 1021) % (COLUMNS - width + 1)
    return tile[top : top + height, left : left + width]


def grain(
    tile: np.ndarray, shape: tuple[int, ...], grain_px: float, seed: int, smooth: bool = False
) -> np.ndarray:
    """A part of a tile, enlarged so that one number covers `grain_px` pixels each way."""
    height, width = shape[:2]
    if grain_px <= 1.0:
        return window(tile, shape, seed)
    less = (max(1, round(height / grain_px)), max(1, round(width / grain_px)))
    small = window(tile, less, seed)
    interpolation = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(small, (width, height), interpolation=interpolation))


def like(plane: np.ndarray, crop: np.ndarray) -> np.ndarray:
    """A grey plane with as many channels as the crop has."""
    return plane if crop.ndim == 2 else np.asarray(cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB))
