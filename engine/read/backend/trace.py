"""Characters as MuPDF traces them while it paints, as arrays: the evidence for a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ...page import Glyphs

_NO_UNICODE = 0xFFFD
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114
_IGNORED = 3
"""Span type of text with render mode 3."""
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
    has_glyph = np.array([char[1] for char in chars], np.int32) >= 0
    box = _table([char[3] for char in chars], 4)
    size = np.repeat(np.array([span["size"] for span in spans], dtype=np.float32), counts)
    advance = _advance_px(spans, counts, box) / np.maximum(size, np.float32(1e-6))
    return Glyphs(
        codepoint=np.where(codepoint > 0, codepoint, _NO_UNICODE).astype(np.int32),
        box=box,
        size_px=size,
        advance_em=np.where(has_glyph, advance, np.nan).astype(np.float32),
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
