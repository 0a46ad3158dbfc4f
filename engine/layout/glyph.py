"""Words that the glyphs of a page form, where the text layer alone does not show them."""

from __future__ import annotations

import numpy as np

from ..page import Glyphs

_WORD_JUMP_EM = 0.15


def words_outside(glyphs: Glyphs, *, width_px: float, height_px: float) -> int:
    """How many words have no glyph that reaches into the page.

    A word ends at a space, at a turn of the baseline and where the pen jumps.
    """
    box = glyphs.box
    out = (box[:, 2] <= 0) | (box[:, 3] <= 0) | (box[:, 0] >= width_px) | (box[:, 1] >= height_px)
    if not out.any() or glyphs.origin is None or glyphs.direction is None:
        return 0
    letter = ~np.isin(glyphs.codepoint, (0x20, 0xA0))
    pen = (
        glyphs.origin
        + glyphs.direction * (np.nan_to_num(glyphs.advance_em, nan=1.0) * glyphs.size_px)[:, None]
    )
    jump = np.abs(glyphs.origin[1:] - pen[:-1]).max(axis=1) > _WORD_JUMP_EM * glyphs.size_px[1:]
    first = np.ones(len(out), dtype=bool)
    first[1:] = jump | ~letter[:-1] | ~letter[1:]
    word = np.cumsum(first) - 1
    reaching = np.bincount(word, weights=letter & ~out)
    hidden = np.bincount(word, weights=letter & out)
    return int(np.count_nonzero((hidden > 0) & (reaching == 0)))
