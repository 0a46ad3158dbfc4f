"""Opaque masks. What they show depends on the rim around them, never on what they cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from . import bank
from .tone import Colour, filled, is_light

_RIM_PX = 2
"""Rows and columns around a mask that are looked at."""
_NOISE_STD = 90.0
_SMEAR_PX = 41
"""How far the colours of the rim are blurred along it."""

Cover = tuple[int, int, int, int]
"""x0, y0, x1, y1 in whole px, inside the image."""


@dataclass(frozen=True, slots=True)
class Mask:
    """One way to hide text altogether."""

    name: str
    slot: int
    """Its number in the race by which masks are chosen; never given to another one."""
    draw: Callable[[np.ndarray, Cover, int], np.ndarray]
    """Image, cover and a 32-bit seed to the pixels that replace the cover's."""


def paper(image: np.ndarray, cover: Cover, seed: int) -> np.ndarray:
    """The paper's own colour."""
    return filled(_under(image, cover), rim_colour(image, cover))


def black(image: np.ndarray, cover: Cover, seed: int) -> np.ndarray:
    """Black on light paper, white on dark: a redaction."""
    colour = rim_colour(image, cover)
    return filled(_under(image, cover), (0 if is_light(colour) else 255,) * len(colour))


def noise(image: np.ndarray, cover: Cover, seed: int) -> np.ndarray:
    """Strong noise around the paper's colour."""
    plain = paper(image, cover, seed)
    gain = _NOISE_STD / bank.STD
    tile = bank.window(bank.normal_tile(), plain.shape, seed)
    return np.asarray(cv2.addWeighted(plain, 1.0, bank.like(tile, plain), gain, -128.0 * gain))


def inpaint(image: np.ndarray, cover: Cover, seed: int) -> np.ndarray:
    """The colours along the rim, blurred, run together across the mask."""
    x0, y0, x1, y1 = cover
    height, width = y1 - y0, x1 - x0
    rows, columns = image.shape[:2]
    edge = x0 == 0 or y0 == 0 or x1 == columns or y1 == rows
    colour = rim_colour(image, cover) if edge else ()
    top = _smooth(image[y0 - 1, x0:x1] if y0 > 0 else None, width, colour)
    bottom = _smooth(image[y1, x0:x1] if y1 < rows else None, width, colour)
    left = _smooth(image[y0:y1, x0 - 1] if x0 > 0 else None, height, colour)
    right = _smooth(image[y0:y1, x1] if x1 < columns else None, height, colour)
    down = cv2.resize(np.stack((top, bottom)), (width, height), interpolation=cv2.INTER_LINEAR)
    sides = np.stack((left, right), axis=1)
    along = cv2.resize(sides, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(down, 0.5, along, 0.5, 0.0))


def rim_colour(image: np.ndarray, cover: Cover) -> Colour:
    """The commonest value of each channel just outside; white where nothing is outside."""
    x0, y0, x1, y1 = cover
    left, top = max(0, x0 - _RIM_PX), max(0, y0 - _RIM_PX)
    right, bottom = x1 + _RIM_PX, y1 + _RIM_PX
    channels = 1 if image.ndim == 2 else image.shape[2]
    parts = (
        image[top:y0, left:right], image[y1:bottom, left:right],
        image[y0:y1, left:x0], image[y0:y1, x1:right],
    )  # fmt: skip
    outside = np.concatenate([part.reshape(-1, channels) for part in parts])
    if not len(outside):
        return (255,) * channels
    return tuple(int(np.bincount(outside[:, c]).argmax()) for c in range(channels))


def _under(image: np.ndarray, cover: Cover) -> np.ndarray:
    """The covered part, for its shape alone."""
    x0, y0, x1, y1 = cover
    return image[y0:y1, x0:x1]


def _smooth(line: np.ndarray | None, length: int, colour: Colour) -> np.ndarray:
    """A row or column of the rim, blurred along itself, uint8 [length] or [length, 3]."""
    if line is None:
        shape = (length,) if len(colour) == 1 else (length, len(colour))
        return np.full(shape, colour, np.uint8)
    flat = np.ascontiguousarray(line)[:, None]
    soft = cv2.blur(flat, (1, min(length, _SMEAR_PX)), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft.reshape(line.shape))
