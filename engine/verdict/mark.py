"""Where each character of a page was painted, and the pixels there.

From the backend where it tells, else guessed from the word boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..layout.character import direction as text_direction
from ..page import Glyphs, TextLayer, Word
from .reference import expected_width, is_wide

_FAR = 1e6
"""px; nothing on a page is farther away or larger, whatever a damaged file says."""
_BOX_OF_SIZE = 1.15
"""Height of a word's box over its font size."""
_BLANK = np.zeros(0x110000, bool)
_BLANK[
    [
        *range(0x21),
        *(0x7F, 0xA0, 0xAD, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF),
        *range(0x2000, 0x2010),
        0xFFFD,
    ]
] = True
"""Characters without a picture of their own."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Where each character was painted: what is needed to cut it out."""

    codepoint: np.ndarray
    origin: np.ndarray
    """float32 [n, 2], px: the pen on the baseline."""
    direction: np.ndarray
    """float32 [n, 2]: unit vector along the baseline."""
    size_px: np.ndarray
    width_px: np.ndarray
    font: np.ndarray
    luminance: np.ndarray
    """float32 [n]; NaN where unknown."""
    exact: bool
    """The backend's positions, not guessed from word boxes."""


def marks(layer: TextLayer) -> Marks:
    """The positions of a page's characters, from the backend or guessed from the word boxes."""
    if layer.glyphs is not None and len(layer.glyphs.codepoint):
        return _marks_of_glyphs(layer.glyphs)
    return _marks_of_words(layer.words)


def _marks_of_glyphs(glyphs: Glyphs) -> Marks:
    size = glyphs.size_px.astype(np.float32)
    direction, origin = glyphs.direction, glyphs.origin
    if direction is None:
        direction = np.tile(np.array([1, 0], np.float32), (len(size), 1))
    if origin is None:
        origin = np.stack([glyphs.box[:, 0], glyphs.box[:, 3] - 0.2 * size], axis=1)
    size, origin, direction = (_finite(values) for values in (size, origin, direction))
    width = glyphs.advance_em.clip(-_FAR, _FAR) * size
    unknown = np.isnan(width)
    if unknown.any():
        width = np.where(unknown, _pitch(origin, direction, glyphs.font), width)
    return Marks(
        codepoint=np.where(_is_character(glyphs.codepoint), glyphs.codepoint, 0xFFFD).astype(
            np.int64
        ),
        origin=np.asarray(origin, np.float32),
        direction=np.asarray(direction, np.float32),
        size_px=size,
        width_px=np.asarray(width, np.float32),
        font=glyphs.font.astype(np.int64),
        luminance=glyphs.luminance.astype(np.float32),
        exact=True,
    )


def _finite(values: np.ndarray) -> np.ndarray:
    """The values within `_FAR`, 0 for NaN."""
    near = values.clip(-_FAR, _FAR)
    return np.nan_to_num(near) if np.isnan(near).any() else near


def _is_character(codepoint: np.ndarray) -> np.ndarray:
    """bool [n]: inside Unicode; damaged files have code points that are not."""
    return np.asarray((codepoint >= 0) & (codepoint < len(_BLANK)))


def _pitch(origin: np.ndarray, direction: np.ndarray, font: np.ndarray) -> np.ndarray:
    """From each pen position to the next on the same baseline, px; 0 where there is none."""
    if len(origin) < 2:
        return np.zeros(len(origin), np.float32)
    step = np.diff(origin, axis=0)
    along = (step * direction[:-1]).sum(axis=1)
    off = np.abs(step[:, 0] * direction[:-1, 1] - step[:, 1] * direction[:-1, 0])
    same = (off < 1) & (along > 0) & (font[1:] == font[:-1])
    return np.append(np.where(same, along, 0), 0).astype(np.float32)


def _marks_of_words(words: tuple[Word, ...]) -> Marks:
    """Each word's box shared out among its characters by their usual widths, or evenly.

    Words that stand upright are left out, and all of them where these prevail: their way of
    reading is not known.
    """
    lying = tuple(word for word in words if _lies(word))
    words = lying if 2 * len(lying) > len(words) else ()
    texts = [word.text[::-1] if text_direction(word.text) < 0 else word.text for word in words]
    length = np.array([len(text) for text in texts], np.int64)
    codepoint = np.array([ord(char) for text in texts for char in text], np.int64)
    box = np.array([word.box for word in words], np.float32).reshape(-1, 4)
    owner = np.repeat(np.arange(len(words)), length)
    size = (box[:, 3] - box[:, 1]) / _BOX_OF_SIZE
    share = _shares(codepoint, owner, length, (box[:, 2] - box[:, 0]) / np.maximum(size, 1))
    after = np.cumsum(share)
    before_word = np.append(0, after)[np.cumsum(length) - length]
    total = np.bincount(owner, share, minlength=len(words))
    scale = (box[:, 2] - box[:, 0]) / np.maximum(total, 1e-3)
    origin_x = box[owner, 0] + (after - share - before_word[owner]) * scale[owner]
    origin_y = (box[:, 3] - 0.23 * size)[owner]
    ones = np.ones(len(codepoint), np.float32)
    return Marks(
        codepoint=codepoint,
        origin=np.stack([origin_x, origin_y], axis=1).astype(np.float32),
        direction=np.stack([ones, 0 * ones], axis=1),
        size_px=size[owner].astype(np.float32),
        width_px=(share * scale[owner]).astype(np.float32),
        font=np.zeros(len(codepoint), np.int64),
        luminance=ones * np.float32(np.nan),
        exact=False,
    )


def _lies(word: Word) -> bool:
    """The word's box is as a horizontal word's would be."""
    width, height = word.box[2] - word.box[0], word.box[3] - word.box[1]
    return width > 0 and height > 0 and width > 0.3 * height * min(3, len(word.text) - 1)


def _shares(
    codepoint: np.ndarray, owner: np.ndarray, length: np.ndarray, width_em: np.ndarray
) -> np.ndarray:
    """Width of each character, em: the usual one, or one for all where the page is monospaced."""
    usual = expected_width(codepoint)
    usual = np.where(np.isnan(usual), np.where(is_wide(codepoint), 1.0, 0.6), usual)
    total = np.bincount(owner, usual, minlength=len(length))
    long = length >= 4
    if long.sum() < 8:
        return usual
    even, proportional = width_em[long] / length[long], width_em[long] / total[long]
    is_even = even.std() / even.mean() < 0.5 * proportional.std() / proportional.mean()
    return np.full_like(usual, 0.6) if is_even else usual


def is_blank(codepoint: np.ndarray) -> np.ndarray:
    """bool [n]: characters without a picture of their own; all must be inside Unicode."""
    return np.asarray(_BLANK[codepoint])


def sample(
    image: np.ndarray, at: Marks, index: np.ndarray, *, across: np.ndarray, above: np.ndarray
) -> np.ndarray:
    """The pixels around some characters, uint8 [len(index), len(above), len(across), ...].

    Args:
        image: uint8 [height, width] or [height, width, 3].
        at: where the characters are.
        index: which of them, fewer than 32768 (OpenCV's limit on rows).
        across: places along the advance width, 0 to 1.
        above: places above the baseline, in font sizes.
    """
    along = at.direction[index] * at.width_px[index, None]
    up = np.stack([at.direction[index, 1], -at.direction[index, 0]], 1) * at.size_px[index, None]
    start = at.origin[index] - np.float32(0.5)
    every_across, every_above = np.tile(across, len(above)), np.repeat(above, len(across))
    x, y = (
        start[:, axis, None] + along[:, axis, None] * every_across + up[:, axis, None] * every_above
        for axis in (0, 1)
    )
    pixels = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.reshape(pixels, (len(index), len(above), len(across), *image.shape[2:]))
