"""Words of MuPDF's structured text, with the style of the span that holds their first letter.

MuPDF lists words without style and spans without words; both lists come from one text page.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from ...geometry import scale, shift
from ...layout.figure import Vector
from ...layout.lines import RawWord
from ...layout.upright import LEVEL, Heading, heading_of
from ...page import WordFlag

_PAINTED = 16 | 32
"""Bits of a span's `char_flags`: filled, stroked."""
_FONT_FLAGS = (
    WordFlag.SUPERSCRIPT,
    WordFlag.ITALIC,
    WordFlag.SERIF,
    WordFlag.MONO,
    WordFlag.BOLD,
)
"""What the bits of a span's `flags` mean, from the lowest."""
_STYLES = tuple(
    sum(int(flag) for bit, flag in enumerate(_FONT_FLAGS) if bits >> bit & 1)
    for bits in range(1 << len(_FONT_FLAGS))
)
"""The flags of a word by those bits."""
_INVISIBLE = int(WordFlag.INVISIBLE)
_DELIMITERS = dict.fromkeys([*range(33), 0xA0, *range(0x202A, 0x202F)])
"""What MuPDF ends a word at."""


class SpanLine(NamedTuple):
    """What the words of a line share."""

    spans: list[tuple[str, int]]
    """Text without spaces, and flags."""
    letters: str
    """The text of all spans."""
    heading: Heading = LEVEL
    shift_px: tuple[float, float] = (0.0, 0.0)


def lines_and_vectors(
    blocks: list[dict[str, Any]], factor: float
) -> tuple[list[SpanLine], list[Vector]]:
    """Styles of the lines that have text, and the drawings, px."""
    lines: list[SpanLine] = []
    vectors: list[Vector] = []
    for block in blocks:
        for line in block.get("lines", ()):
            spans = [
                (text, _flags(span))
                for span in line["spans"]
                if (text := span["text"].translate(_DELIMITERS))
            ]
            if spans:
                heading = heading_of(*line["dir"], vertical=line["wmode"] == 1)
                letters = "".join([text for text, _ in spans])
                lines.append(SpanLine(spans, letters, heading, _rise(line, factor)))
        if "isrect" in block:
            box = scale(block["bbox"], factor)
            if block["alpha"] > 0:
                vectors.append(Vector(box, block["isrect"], block["stroked"]))
    return lines, vectors


def _rise(line: dict[str, Any], factor: float) -> tuple[float, float]:
    """How far the boxes of a vertical line are from its ink, px: MuPDF puts the top of each
    character where its baseline is.
    """
    if line["wmode"] != 1:
        return (0.0, 0.0)
    dx, dy = line["dir"]
    if abs(dx) > abs(dy):
        dx, dy = -dy, dx
    span = line["spans"][0]
    length = span["ascender"] * span["size"] * factor
    return (-dx * length, -dy * length)


def _flags(span: dict[str, Any]) -> int:
    flags: int = _STYLES[span["flags"] % len(_STYLES)]
    if span["alpha"] == 0 or not span["char_flags"] & _PAINTED:
        flags |= _INVISIBLE
    return flags


def styled_words(
    rows: list[tuple[Any, ...]], lines: list[SpanLine], factor: float
) -> list[RawWord]:
    """Words with the style of the line that has the same letters.

    Both lists come from one text page in one order; MuPDF leaves lines outside the page out
    of the one and not out of the other.
    """
    words: list[RawWord] = []
    position = 0
    for number, (_, rows_of_line) in enumerate(groupby(rows, key=itemgetter(5, 6))):
        group = list(rows_of_line)
        letters = "".join([row[4] for row in group])
        line = SpanLine([(letters, 0)], letters)
        for ahead in range(position, min(position + 8, len(lines))):
            if lines[ahead].letters == letters:
                line = lines[ahead]
                position = ahead + 1
                break
        words.extend(_styled(group, line, number, factor))
    return words


def _styled(
    group: list[tuple[Any, ...]],
    line: SpanLine,
    number: int,
    factor: float,
) -> Iterator[RawWord]:
    """The words of a line, each with the flags of the span that holds its first letter."""
    moved = line.shift_px != (0.0, 0.0)
    flags = iter(line.spans)
    text, current = next(flags)
    left = len(text)
    for x0, y0, x1, y1, word, *_ in group:
        while left <= 0:
            text, current = next(flags)
            left += len(text)
        box = (x0 * factor, y0 * factor, x1 * factor, y1 * factor)
        if moved:
            box = shift(box, *line.shift_px)
        yield RawWord(word, box, number, current, line.heading)
        left -= len(word)
