"""Do the pictures of the glyphs look like the characters that the text layer claims?

Every pair of font and character on a page is cut out of the image a few times, averaged to a
small picture and compared with the reference pictures of the claimed character and of the
others that it might be. A character whose claimed picture fits worse than many others is a
mismatch. One glyph proves nothing, a font's worth of them leaves no doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ..page import Glyphs, TextLayer, Word
from .character import direction as text_direction
from .reference import (
    ALPHABETIC,
    EAST_ASIAN,
    Grid,
    Reference,
    expected_width,
    is_wide,
    normalise,
    reference,
)

_PER_CHARACTER = 3
"""Cut-outs averaged for one character of one font."""
_CHARACTERS = 160
"""Pairs of font and character judged on one page, the most frequent first."""
_TOP, _BOTTOM = 1.16, -0.50
"""em around the baseline that is cut out; more than the grids span, for fonts of other scales."""
_STEP = 0.06
"""em between sampled rows."""
_ACROSS = 10
"""Samples across the advance width."""
_SCALES = (1.0, 0.65, 0.8, 0.9, 1.12, 1.25, 1.5)
"""Letter sizes relative to the font size that are tried for each font."""
_SHIFTS = (0.0, -0.06, 0.06, -0.12, 0.12)
"""em; baselines tried."""
_FAINT = 0.06
"""Contrast under which a cut-out shows nothing."""
_CROWDED = 0.5
"""Ink in the rows well above or below a glyph, from which on its surroundings are not paper."""
_BOX_OF_SIZE = 1.15
"""Height of a word's box over its font size."""
_MARGIN = 0.02
"""Another character must fit better by this much to count against a claim."""
_POOL = 8
"""Fonts with fewer different characters than this are aligned together."""
_OTHERS = {
    ALPHABETIC.name: np.arange(0x21, 0x7F),
    EAST_ASIAN.name: np.arange(0x3041, 0xD7A4, 97),
}
"""Characters that every glyph might be instead of the claimed one, beside the page's own."""
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
class Shape:
    """One row per pair of font and character, with what its picture says of the claim."""

    codepoint: np.ndarray
    """int64 [n]."""
    font: np.ndarray
    """int64 [n]."""
    count: np.ndarray
    """int64 [n]: how often it stands on the page."""
    known: np.ndarray
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
    """How much cut-outs of one character differ, relative to their contrast: 0.1 where an engine
    paints, 0.4 and more where a scan's text is laid out again by an OCR program."""


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
    """Engine's positions, not guessed from word boxes."""


def marks(layer: TextLayer) -> Marks:
    """The positions of a page's characters, from the engine or guessed from the word boxes."""
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
    width = glyphs.advance_em * size
    width = np.where(np.isnan(width), _pitch(origin, direction, glyphs.font), width)
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
    mean = np.add.reduceat(ink, starts, axis=0) / weight[:, None, None]
    wander = _wander(ink, mean, weight)
    contrast = np.add.reduceat(contrast, starts) / weight
    codepoint, font = at.codepoint[index[starts]], at.font[index[starts]]
    fits = np.full((3, len(starts)), np.nan, np.float32)
    wide = is_wide(codepoint)
    for grid, mine in ((ALPHABETIC, ~wide), (EAST_ASIAN, wide)):
        if mine.any():
            fits[:, mine] = _compare(mean[mine], codepoint[mine], font[mine], reference(grid))
    claim, rank, best = fits
    first = index[starts]
    return Shape(
        codepoint=codepoint,
        font=font,
        count=_count(at, codepoint, font),
        known=~np.isnan(claim) & (contrast > _FAINT) & ~_crowded(mean),
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
    energy = float(np.einsum("ijk,ijk->", ink, ink))
    within = energy - float(np.einsum("ijk,ijk,i->", mean, mean, weight))
    level = ink.mean(axis=(1, 2))
    own = energy - ink[0].size * float(level @ level)
    return (within / degrees) / max(own / len(ink), 1e-6)


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
    """Glyphs to cut out, sorted by font and character, and the number of each one's group."""
    height, width = grey.shape
    x, y = at.origin[:, 0], at.origin[:, 1]
    usable = (
        ~_BLANK[at.codepoint]
        & (at.size_px >= 4)
        & (at.width_px >= 0.05 * at.size_px)
        & (at.width_px <= 4 * at.size_px)
        & (x >= -1) & (y >= 0) & (x < width) & (y < height)
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
    step = np.maximum(1, count // _PER_CHARACTER)[group]
    keep = (position % step == 0) & (position // step < _PER_CHARACTER)
    if len(starts) > _CHARACTERS:
        frequent = np.zeros(len(starts), bool)
        frequent[np.argsort(-count, kind="stable")[:_CHARACTERS]] = True
        keep &= frequent[group]
    return index[keep], np.unique(group[keep], return_inverse=True)[1]


def _cut(grey: np.ndarray, at: Marks, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ink of each glyph, float32 [n, sampled rows, _ACROSS], and its contrast, [n], 0 to 1."""
    across = (np.arange(_ACROSS, dtype=np.float32) + 0.5) / _ACROSS
    above = _sampled_rows()
    along = at.direction[index] * at.width_px[index, None]
    up = np.stack([at.direction[index, 1], -at.direction[index, 0]], 1) * at.size_px[index, None]
    centre = at.origin[index] - np.float32(0.5)
    x, y = (
        (
            centre[:, axis, None, None]
            + along[:, axis, None, None] * across[None, None, :]
            + up[:, axis, None, None] * above[None, :, None]
        ).reshape(-1, _ACROSS)
        for axis in (0, 1)
    )
    pixels = _remap(grey, x, y).reshape(len(index), len(above), _ACROSS)
    inner = pixels[:, (above < 0.95) & (above > -0.3)]
    low = inner.min(axis=(1, 2)).astype(np.float32)
    high = inner.max(axis=(1, 2)).astype(np.float32)
    dark = (high[:, None, None] - pixels) / np.maximum(high - low, 8)[:, None, None]
    is_dark = _ink_is_dark(at.luminance[index] * 255, low, high, inner)
    ink = np.where(is_dark[:, None, None], dark, 1 - dark)
    return np.clip(ink, 0, 1), (high - low) / 255


def _remap(grey: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear samples, in pieces that fit OpenCV's limit of 32767 rows."""
    pieces = [
        cv2.remap(
            grey,
            x[start : start + 32000],
            y[start : start + 32000],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for start in range(0, len(x), 32000)
    ]
    return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]


def _ink_is_dark(
    luminance: np.ndarray, low: np.ndarray, high: np.ndarray, pixels: np.ndarray
) -> np.ndarray:
    """By the fill colour where it is known, else the rarer side of a cut-out is the ink."""
    by_colour = np.abs(luminance - high) >= np.abs(luminance - low)
    if not np.isnan(luminance).any():
        return by_colour
    middle = (low + high)[:, None, None] / 2
    rarer_is_dark = (pixels > middle).mean(axis=(1, 2)) >= 0.5
    return np.where(np.isnan(luminance), rarer_is_dark, by_colour)


def _sampled_rows() -> np.ndarray:
    """em above the baseline, top down."""
    return np.arange(_TOP, _BOTTOM, -_STEP, dtype=np.float32)


@lru_cache(maxsize=2)
def _row_operators(grid: Grid) -> np.ndarray:
    """float32 [variants, grid.rows, sampled rows]: the grid's rows for each scale and shift."""
    sampled = _sampled_rows()
    edges = grid.top - (grid.top - grid.bottom) / grid.rows * np.arange(grid.rows + 1)
    edges = np.stack([edges * scale + shift for scale in _SCALES for shift in _SHIFTS])
    upper, lower = edges[:, :-1, None], edges[:, 1:, None]
    overlap = np.minimum(upper, sampled + _STEP / 2) - np.maximum(lower, sampled - _STEP / 2)
    overlap = np.maximum(overlap, 0)
    return np.asarray(overlap / np.maximum(overlap.sum(-1, keepdims=True), 1e-6), np.float32)


@lru_cache(maxsize=2)
def _column_operator(grid: Grid) -> np.ndarray:
    """float32 [_ACROSS, grid.columns]: means of the samples that fall into each column."""
    left = np.arange(_ACROSS)[:, None] / _ACROSS
    edge = np.arange(grid.columns)[None] / grid.columns
    overlap = np.minimum(left + 1 / _ACROSS, edge + 1 / grid.columns) - np.maximum(left, edge)
    overlap = np.maximum(overlap, 0)
    return np.asarray(overlap / overlap.sum(axis=0), np.float32)


def _compare(
    ink: np.ndarray, codepoint: np.ndarray, font: np.ndarray, table: Reference
) -> np.ndarray:
    """Float32 [3, n]: correlation with the claim, its rank, best correlation; NaN if unknown."""
    grid = table.grid
    found = table.find(codepoint)
    candidates = table.find(np.unique(np.append(_OTHERS[grid.name], codepoint)))
    candidates = candidates[candidates >= 0]
    variant = _align(ink.mean(axis=2), found, font, table)
    cells = np.matmul(_row_operators(grid)[variant], ink @ _column_operator(grid))
    picture = normalise(cells.reshape(len(ink), -1), grid)
    count = table.start[candidates + 1] - table.start[candidates]
    offset = np.cumsum(count) - count
    rows = np.repeat(table.start[candidates] - offset, count) + np.arange(count.sum())
    fit = np.maximum.reduceat(picture @ table.picture[rows].T, offset, axis=1)
    own = np.searchsorted(candidates, np.maximum(found, candidates[0]))
    claim = np.where(found >= 0, fit[np.arange(len(fit)), own], np.nan)
    better = (fit > claim[:, None] + _MARGIN).sum(axis=1)
    rank = np.where(found >= 0, better / max(1, len(candidates) - 1), np.nan)
    return np.stack([claim, rank, fit.max(axis=1)]).astype(np.float32)


def _align(
    profile: np.ndarray, found: np.ndarray, font: np.ndarray, table: Reference
) -> np.ndarray:
    """Int64 [n]: for each glyph its font's scale and baseline, as an index of the operators.

    The ink per row of a font's glyphs, all taken together, is laid against what the claimed
    characters would give together. A permutation of characters hardly changes either, so the
    choice does not help a false claim.
    """
    known = found >= 0
    _, index = np.unique(font, return_inverse=True)
    different = np.bincount(index, known)
    index = np.where(different[index] >= _POOL, index, index.max() + 1)
    groups = int(index.max()) + 1
    operators = _row_operators(table.grid)
    seen = np.zeros((groups, profile.shape[1]), np.float32)
    np.add.at(seen, index[known], profile[known])
    expected = np.zeros((groups, table.grid.rows), np.float32)
    np.add.at(expected, index[known], table.profile[found[known]])
    rows = _centred(np.einsum("vrs,gs->gvr", operators, seen))
    fit = np.einsum("gvr,gr->gv", rows, _centred(expected))
    fit[:, 0] += 0.02
    return np.asarray(fit.argmax(axis=1)[index])


def _centred(rows: np.ndarray) -> np.ndarray:
    rows = rows - rows.mean(axis=-1, keepdims=True)
    norm = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(norm, 1e-6))


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
    beaten = shape.known & (np.where(shape.known, shape.rank, 0) > BEATEN)
    total = max(1, int(shape.count.sum()))

    def share(group: np.ndarray, least: int, part: float = 0.01) -> float:
        known = int((group & shape.known).sum())
        if known < least or shape.count[group].sum() < part * total:
            return 0.0
        return float((beaten & group).sum() / (known + _DOUBT))

    wide = is_wide(codepoint)
    digit = (codepoint >= 0x30) & (codepoint <= 0x39)
    small = (codepoint >= 0x61) & (codepoint <= 0x7A)
    capital = (codepoint >= 0x41) & (codepoint <= 0x5A)
    fonts = [share((shape.font == font) & ~wide, 12, 0.03) for font in np.unique(shape.font)]
    return Mismatch(
        every=share(~wide, 6),
        digit=share(digit, 4),
        small=share(small, 6),
        capital=share(capital, 6),
        other=share(~(digit | small | capital | wide), 8),
        wide=share(wide, 8),
        font=max(fonts, default=0.0),
    )
