"""Spans of painted characters, as MuPDF traces them, into arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..page import Glyphs

_NO_UNICODE = 0xFFFD
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114
_IGNORED = 3
"""Span type of text with render mode 3."""
_WORD_JUMP_EM = 0.15
_AXIS = 0.999
"""A direction's larger component from which on text counts as parallel to an axis."""


def glyphs_of(spans: Sequence[Mapping[str, Any]]) -> Glyphs:
    """One row per painted character, in the order of painting.

    Args:
        spans: dicts with `chars` (codepoint, glyph id, origin, box), `size`, `dir`, `wmode`,
            `type`, `opacity`, `color`, `font`; lengths in px.
    """
    names: dict[str, int] = {}
    counts = np.array([len(span["chars"]) for span in spans], dtype=np.int64)
    chars = [char for span in spans for char in span["chars"]]
    codepoint = np.array([char[0] for char in chars], np.int32)
    known = np.array([char[1] for char in chars], np.int32) >= 0
    box = _table([char[3] for char in chars], 4)
    size = np.repeat(np.array([span["size"] for span in spans], dtype=np.float32), counts)
    advance = _advance_px(spans, counts, box) / np.maximum(size, np.float32(1e-6))
    return Glyphs(
        codepoint=np.where(codepoint > 0, codepoint, _NO_UNICODE).astype(np.int32),
        box=box,
        size_px=size,
        advance_em=np.where(known, advance, np.nan).astype(np.float32),
        font=np.repeat(
            np.array([names.setdefault(span["font"], len(names)) for span in spans], np.int16),
            counts,
        ),
        hidden=np.repeat(np.array([_is_hidden(span) for span in spans], dtype=bool), counts),
        luminance=np.repeat(np.array([_luminance(s) for s in spans], np.float32), counts),
        font_names=tuple(names),
        origin=_table([char[2] for char in chars], 2),
        direction=np.repeat(
            np.array([span["dir"] for span in spans], np.float32).reshape(-1, 2), counts, axis=0
        ),
    )


def _table(rows: Sequence[Sequence[float]], width: int) -> np.ndarray:
    """Tuples as float32 [rows, width], without NumPy looking into each."""
    flat = np.fromiter(chain.from_iterable(rows), np.float32, width * len(rows))
    return flat.reshape(len(rows), width)


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


def _advance_px(
    spans: Sequence[Mapping[str, Any]], counts: np.ndarray, box: np.ndarray
) -> np.ndarray:
    """Extent of each box along its way of reading, px; NaN where that is not an axis."""
    axis = np.repeat(np.array([_axis(span) for span in spans], dtype=np.int8), counts)
    width, height = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    return np.asarray(np.where(axis == 0, width, np.where(axis == 1, height, np.nan)))


def _axis(span: Mapping[str, Any]) -> int:
    x, y = span["dir"]
    if abs(x) > _AXIS:
        return int(span["wmode"])
    return 1 - int(span["wmode"]) if abs(y) > _AXIS else 2


def _is_hidden(span: Mapping[str, Any]) -> bool:
    return bool(span["type"] == _IGNORED or span["opacity"] <= 0.0)


def _luminance(span: Mapping[str, Any]) -> float:
    colour = span["color"]
    if len(colour) == 3:
        red, green, blue = colour
        return float(_RED * red + _GREEN * green + _BLUE * blue)
    return float(colour[0]) if len(colour) == 1 else 0.0
