"""Words out of what `pdftotext -bbox-layout` prints.

Read by pattern, not by an XML parser: poppler does not escape control characters, and one of
them would cost the page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from ...geometry import Box
from ...layout.character import is_unspaced, logical
from ...layout.lines import RawWord
from ...layout.upright import LEVEL, Heading, heading_of

_TOKEN = re.compile(
    r'<(?:(line)\b|word xMin="(-?[\d.]+)" yMin="(-?[\d.]+)" xMax="(-?[\d.]+)" yMax="(-?[\d.]+)">'
    r"(.*?)</word>)",
    re.DOTALL,
)
_PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">')
_TALL_LETTERS = 3
_TALL = 1.8
"""Height over width from which a lone word of three letters is read upwards or downwards."""


def words_of(text: str) -> Iterator[RawWord]:
    """The words, pt from the top left of the media box as rotated, in poppler's order."""
    line: list[tuple[str, Box]] = []
    number = 0
    for match in _TOKEN.finditer(text):
        opening, x0, y0, x1, y1, word = match.groups()
        if opening:
            yield from _line(line, number)
            line, number = [], number + 1
        else:
            line.append(
                (logical(html.unescape(word)), (float(x0), float(y0), float(x1), float(y1)))
            )
    yield from _line(line, number)


def page_size_of(text: str) -> tuple[float, float] | None:
    """Width and height that pdftotext states for the page, pt, before rotation."""
    match = _PAGE.search(text)
    return (float(match[1]), float(match[2])) if match else None


def _line(line: list[tuple[str, Box]], number: int) -> Iterator[RawWord]:
    heading = (
        _heading([box for _, box in line], "".join(text for text, _ in line)) if line else LEVEL
    )
    for text, box in line:
        yield RawWord(text, box, number, 0, heading)


def _heading(boxes: list[Box], text: str) -> Heading:
    """The direction of reading, which poppler does not tell: from word to word, or by shape."""
    if len(boxes) > 1:
        steps = [
            ((b[0] + b[2] - a[0] - a[2]) / 2, (b[1] + b[3] - a[1] - a[3]) / 2)
            for a, b in pairwise(boxes)
        ]
        dx, dy = median(step[0] for step in steps), median(step[1] for step in steps)
        upright = abs(dx) >= abs(dy)
    else:
        x0, y0, x1, y1 = boxes[0]
        upright = len(text) < _TALL_LETTERS or y1 - y0 <= _TALL * max(x1 - x0, 1e-6)
        dx, dy = 0.0, -1.0
    if upright:
        return LEVEL
    if is_unspaced(text):
        return Heading(1)
    return Heading(heading_of(dx, dy).turn)
