"""Korean words apart: Korean puts spaces between words, and MuPDF sees none between CJK letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from ..page import Glyphs
from .lines import RawWord

_HANGUL = re.compile("[\uac00-\ud7a3]")
_SPACE_EM = 0.15


def split_words(words: Iterable[RawWord], glyphs: Glyphs) -> Iterator[RawWord]:
    """The words, those with Hangul split where the glyphs leave a space.

    Left alone: words that are not set from left to right, and words whose letters are not the
    glyphs inside their box.
    """
    middle = (glyphs.box[:, :2] + glyphs.box[:, 2:]) / 2
    for word in words:
        if word.text.isascii() or word.heading != (0, 0.0) or not _HANGUL.search(word.text):
            yield word
            continue
        x0, y0, x1, y1 = word.box
        inside = (middle[:, 0] > x0) & (middle[:, 0] < x1) & (middle[:, 1] > y0)
        index = np.flatnonzero(inside & (middle[:, 1] < y1))
        if "".join(map(chr, glyphs.codepoint[index])) != word.text:
            yield word
            continue
        box = glyphs.box[index]
        space = box[1:, 0] - box[:-1, 2] > _SPACE_EM * glyphs.size_px[index[1:]]
        start = 0
        for end in [*(np.flatnonzero(space) + 1), len(index)]:
            part = (float(box[start, 0]), y0, float(box[end - 1, 2]), y1)
            yield word._replace(text=word.text[start:end], box=part)
            start = end
