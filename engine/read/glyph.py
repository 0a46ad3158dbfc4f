"""Spans of painted characters, as MuPDF traces them, into arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..page import Glyphs

_NO_UNICODE = 0xFFFD
_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)
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
    total = len(chars)
    codepoint = np.fromiter((char[0] for char in chars), np.int32, total)
    known = np.fromiter((char[1] for char in chars), np.int32, total) >= 0
    box = np.fromiter(chain.from_iterable(char[3] for char in chars), np.float32, 4 * total)
    box = box.reshape(total, 4)
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
    )


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
        return float(np.dot(_LUMINANCE, colour))
    return float(colour[0]) if len(colour) == 1 else 0.0
