"""Do the pictures of the glyphs look like the characters that the text layer claims?

Every pair of font and character on a page is cut out of the image a few times, averaged to a
small picture and compared with the reference pictures of the claimed character and of the
others that it might be. A character whose claimed picture fits worse than many others is a
mismatch. One glyph proves nothing, a font's worth of them leaves no doubt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .likeness import ABOVE, ACROSS, compare, reduce_groups
from .mark import Marks, is_blank, sample
from .reference import ALPHABETIC, EAST_ASIAN, expected_width, is_wide, reference

_PER_CHARACTER = 3
"""Cut-outs averaged for one character of one font."""
_CUT_OUTS = 320
"""Cut-outs on one page, unless there are more than half as many different characters."""
_CHARACTERS = 144
"""Pairs of font and character judged on one page, the most frequent first."""
_FAINT = 0.06
"""Contrast under which a cut-out shows nothing."""
_CROWDED = 0.5
"""Ink in the rows well above or below a glyph, from which on its surroundings are not paper."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One row per pair of font and character, with what its picture says of the claim."""

    codepoint: np.ndarray
    """int64 [n]."""
    font: np.ndarray
    """int64 [n]."""
    count: np.ndarray
    """int64 [n]: how often it stands on the page."""
    judged: np.ndarray
    """bool [n]: the reference has the character, and the picture has ink."""
    rank: np.ndarray
    """float64 [n]: share of other characters that fit better than the claimed one, 0 to 1."""
    claim: np.ndarray
    """float32 [n]: correlation with the claimed character."""
    best: np.ndarray
    """float32 [n]: correlation with the best of all candidates."""
    contrast: np.ndarray
    """float64 [n]: darkest to lightest pixel of its cut-outs, 0 to 1."""
    width_em: np.ndarray
    """float64 [n]: advance width."""
    expected_em: np.ndarray
    """float32 [n]: the reference's advance width; NaN where unknown."""
    wander: float
    """How much cut-outs of one character differ, relative to their contrast: 0.1 where a backend
    paints, 0.4 and more where a scan's text is laid out again by an OCR program."""


def judge_shapes(grey: np.ndarray, at: Marks) -> Shape:
    """Compare the page's glyphs with the characters claimed.

    Costs about 2 ms on a page of text, whatever its length.

    Args:
        grey: uint8 [height, width].
        at: where the characters are.
    """
    index, group = _choose(grey, at)
    if not len(index):
        return _nothing()
    ink, contrast = _cut(grey, at, index)
    starts = _starts(group)
    weight = np.diff(np.append(starts, len(group))).astype(np.float32)
    mean = reduce_groups(np.add, ink, starts) / weight[:, None, None]
    wander = _wander(ink, mean, weight)
    contrast = reduce_groups(np.add, contrast, starts) / weight
    codepoint, font = at.codepoint[index[starts]], at.font[index[starts]]
    fits = np.full((3, len(starts)), np.nan, np.float32)
    wide = is_wide(codepoint)
    for grid, mine in ((ALPHABETIC, ~wide), (EAST_ASIAN, wide)):
        if mine.any():
            fits[:, mine] = compare(mean[mine], codepoint[mine], font[mine], reference(grid))
    claim, rank, best = fits
    first = index[starts]
    return Shape(
        codepoint=codepoint,
        font=font,
        count=_count(at, codepoint, font),
        judged=~np.isnan(claim) & (contrast > _FAINT) & ~_crowded(mean),
        rank=rank,
        claim=claim,
        best=best,
        contrast=contrast,
        width_em=at.width_px[first] / at.size_px[first],
        expected_em=expected_width(codepoint),
        wander=wander,
    )


def _crowded(mean: np.ndarray) -> np.ndarray:
    """bool [n]: white letters in a small dark shape, and others without paper around them."""
    ends = mean[:, [0, 1, -2, -1]].mean(axis=2)
    return np.asarray(np.maximum(ends[:, :2].mean(axis=1), ends[:, 2:].mean(axis=1)) > _CROWDED)


def _wander(ink: np.ndarray, mean: np.ndarray, weight: np.ndarray) -> float:
    """Variance of the cut-outs around their character's mean, over their own variance."""
    degrees = float(len(ink) - len(mean))
    if degrees < 12:
        return 0.0
    energy = float(np.vdot(ink, ink))
    within = energy - float(np.einsum("ijk,ijk->i", mean, mean) @ weight)
    level = ink.reshape(len(ink), -1).mean(axis=1)
    overall = energy - ink[0].size * float(level @ level)
    return float((within / degrees) / max(overall / len(ink), 1e-6))


def _nothing() -> Shape:
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    return Shape(whole, whole, whole, real > 0, real, real, real, real, real, real, 0.0)


def _key(codepoint: np.ndarray, font: np.ndarray) -> np.ndarray:
    return np.asarray(font * 0x200000 + codepoint, np.int64)


def _count(at: Marks, codepoint: np.ndarray, font: np.ndarray) -> np.ndarray:
    wanted = _key(codepoint, font)
    key, count = np.unique(_key(at.codepoint, at.font), return_counts=True)
    return np.asarray(count[np.searchsorted(key, wanted)], np.int64)


def _starts(group: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.append(True, group[1:] != group[:-1]))


def _choose(grey: np.ndarray, at: Marks) -> tuple[np.ndarray, np.ndarray]:
    """Glyphs to cut out, sorted by font and character, and the number of each one's group.

    East Asian text in columns is left out: whether its signs stand or lie is not known.
    """
    height, width = grey.shape
    x, y = at.origin[:, 0], at.origin[:, 1]
    usable = (
        ~is_blank(at.codepoint)
        & (at.size_px >= 4)
        & (at.width_px >= 0.05 * at.size_px)
        & (at.width_px <= 4 * at.size_px)
        & (x >= -1) & (y >= 0) & (x < width) & (y < height)
        & ~(is_wide(at.codepoint) & (np.abs(at.direction[:, 1]) > 0.5))
    )  # fmt: skip
    index = np.flatnonzero(usable)
    if not len(index):
        return index, index
    key = _key(at.codepoint[index], at.font[index])
    order = np.argsort(key, kind="stable")
    index, key = index[order], key[order]
    starts = _starts(key)
    count = np.diff(np.append(starts, len(key)))
    group = np.repeat(np.arange(len(starts)), count)
    position = np.arange(len(key)) - starts[group]
    each = max(2, min(_PER_CHARACTER, _CUT_OUTS // len(starts)))
    step = np.maximum(1, count // each)[group]
    keep = (position % step == 0) & (position // step < each)
    if len(starts) > _CHARACTERS:
        frequent = np.zeros(len(starts), bool)
        frequent[np.argsort(-count, kind="stable")[:_CHARACTERS]] = True
        keep &= frequent[group]
    return index[keep], np.unique(group[keep], return_inverse=True)[1]


def _cut(grey: np.ndarray, at: Marks, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ink of each glyph, float32 [n, rows, columns], and its contrast, [n], 0 to 1."""
    pixels = sample(grey, at, index, across=ACROSS, above=ABOVE)
    inner = pixels[:, (ALPHABETIC.top > ABOVE) & (ALPHABETIC.bottom < ABOVE)]
    low = inner.min(axis=(1, 2)).astype(np.float32)
    high = inner.max(axis=(1, 2)).astype(np.float32)
    span = np.maximum(high - low, 8)
    is_dark = _ink_is_dark(at.luminance[index] * 255, low, high, inner)
    slope = np.where(is_dark, -1, 1) / span
    offset = np.where(is_dark, high / span, 1 - high / span)
    ink = pixels * slope[:, None, None].astype(np.float32)
    ink += offset[:, None, None].astype(np.float32)
    return np.clip(ink, 0, 1, out=ink), (high - low) / 255


def _ink_is_dark(
    luminance: np.ndarray, low: np.ndarray, high: np.ndarray, pixels: np.ndarray
) -> np.ndarray:
    """By the fill colour where it is known, else the rarer side of a cut-out is the ink."""
    by_colour = np.abs(luminance - high) >= np.abs(luminance - low)
    if not np.isnan(luminance).any():
        return np.asarray(by_colour)
    middle = (low + high)[:, None, None] / 2
    rarer_is_dark = (pixels > middle).mean(axis=(1, 2)) >= 0.5
    return np.asarray(np.where(np.isnan(luminance), rarer_is_dark, by_colour))


BEATEN = 0.10
"""A claim is beaten where more than this share of the other characters fits better."""
_DOUBT = 2.0
"""Characters that are taken to fit beside those seen, so that a few prove nothing."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Share of the different characters whose claim is beaten, 0 to 1, in groups."""

    every: float
    """All but East Asian characters."""
    digit: float
    small: float
    """Letters a to z."""
    capital: float
    """Letters A to Z."""
    other: float
    """All else but East Asian ones: accented letters, other scripts, punctuation."""
    wide: float
    """East Asian characters."""
    font: float
    """In the worst of the fonts, East Asian characters aside."""


def mismatch(shape: Shape) -> Mismatch:
    """How much of the text's claims the pictures contradict.

    Groups apart, because a cipher may spare most of a page: only its digits, one font, letters
    of equal width. A group counts if it has a few different characters and a small part of the
    page's text.
    """
    codepoint = shape.codepoint
    beaten = shape.judged & (np.where(shape.judged, shape.rank, 0) > BEATEN)
    total = max(1, int(shape.count.sum()))

    def share(group: np.ndarray, least: int, part: float = 0.01) -> float:
        judged = int((group & shape.judged).sum())
        if judged < least or shape.count[group].sum() < part * total:
            return 0.0
        return float((beaten & group).sum() / (judged + _DOUBT))

    wide = is_wide(codepoint)
    digit = (codepoint >= 0x30) & (codepoint <= 0x39)
    small = (codepoint >= 0x61) & (codepoint <= 0x7A)
    capital = (codepoint >= 0x41) & (codepoint <= 0x5A)
    fonts = [share((shape.font == font) & ~wide, 12, 0.03) for font in set(shape.font.tolist())]
    return Mismatch(
        every=share(~wide, 6),
        digit=share(digit, 4),
        small=share(small, 6),
        capital=share(capital, 6),
        other=share(~(digit | small | capital | wide), 8),
        wide=share(wide, 8),
        font=max(fonts, default=0.0),
    )
