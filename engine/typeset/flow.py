"""Words into lines, lines onto a canvas."""

from __future__ import annotations

import random
from collections.abc import Sequence

from .canvas import Canvas, Style

StyledWord = tuple[str, Style]

_VOWELS = frozenset("aeiouyäöüáéíóúàèìòùâêîôûãõåæøœąęěůý")
_LOOSE = 2.2
"""A line whose spaces would be wider than this many is not justified."""


def break_lines(
    pieces: Sequence[StyledWord],
    width_px: float,
    *,
    indent_px: float = 0.0,
    hyphenate: bool = False,
    limit: int | None = None,
) -> list[list[StyledWord]]:
    """Lines as full as they get, in order; a word wider than a line is left out.

    Args:
        pieces: the words.
        width_px: of every line.
        indent_px: taken from the first line.
        hyphenate: part words at line ends where that fills a line; the hyphen is in the text.
        limit: most lines; what does not fit is left out.
    """
    lines: list[list[StyledWord]] = []
    current: list[StyledWord] = []
    left = width_px - indent_px
    queue = list(reversed(pieces))
    while queue:
        text, style = queue.pop()
        width = style.width(text)
        gap = style.space if current else 0.0
        if width + gap <= left:
            current.append((text, style))
            left -= width + gap
            continue
        if hyphenate and (parted := _hyphenated(text, style, left - gap)) is not None:
            head, tail = parted
            current.append((head, style))
            queue.append((tail, style))
        elif current:
            queue.append((text, style))
        else:
            continue
        lines.append(current)
        if limit is not None and len(lines) == limit:
            return lines
        current, left = [], width_px
    if current:
        lines.append(current)
    return lines


def set_line(
    canvas: Canvas,
    line: Sequence[StyledWord],
    x: float,
    baseline: float,
    width_px: float,
    *,
    align: str = "left",
    last: bool = False,
) -> tuple[float, float]:
    """Put a line on the canvas; returns where its words begin and end.

    Args:
        canvas: to write on.
        line: its words.
        x: of the left edge.
        baseline: y of the line.
        width_px: from the left edge to the right one.
        align: `left`, `right`, `center` or `justify`.
        last: whether it ends a paragraph, and is not justified.
    """
    widths = [style.width(text) for text, style in line]
    gaps = [style.space for _, style in line[1:]]
    total = sum(widths) + sum(gaps)
    start, stretch = x, 0.0
    if align == "right":
        start = x + width_px - total
    elif align == "center":
        start = x + (width_px - total) / 2
    elif align == "justify" and not last and gaps:
        extra = (width_px - total) / sum(gaps)
        stretch = extra if extra < _LOOSE else 0.0
    xs, at = [], start
    for number, width in enumerate(widths):
        xs.append(at)
        at += width
        if number < len(gaps):
            at += gaps[number] * (1 + stretch)
    canvas.line(line, xs, baseline)
    return start, at


def set_paragraph(
    canvas: Canvas,
    lines: Sequence[Sequence[StyledWord]],
    x: float,
    y: float,
    width_px: float,
    *,
    leading_px: float,
    align: str = "left",
    indent_px: float = 0.0,
    room_px: float = float("inf"),
) -> tuple[float, int]:
    """Put lines on the canvas from the top y on; returns the bottom and how many fitted."""
    size = max((style.size_px for line in lines for _, style in line), default=0.0)
    for number, line in enumerate(lines):
        if (number + 1) * leading_px > room_px:
            return y + number * leading_px, number
        shift = indent_px if number == 0 else 0.0
        baseline = y + number * leading_px + (leading_px + size * 0.62) / 2
        end = number == len(lines) - 1
        set_line(canvas, line, x + shift, baseline, width_px - shift, align=align, last=end)
    return y + len(lines) * leading_px, len(lines)


def styled(
    words: Sequence[str],
    style: Style,
    *,
    other: Style | None = None,
    rng: random.Random | None = None,
    share: float = 0.1,
) -> list[StyledWord]:
    """Words in one style, with runs of one to four in another where one is given."""
    if other is None or rng is None:
        return [(word, style) for word in words]
    pieces: list[StyledWord] = []
    left = 0
    for word in words:
        if not left and rng.random() < share / 2.5:
            left = rng.randint(1, 4)
        use_other = left > 0 and other.font.face.draws(word)
        pieces.append((word, other if use_other else style))
        left = max(0, left - 1)
    return pieces


def _hyphenated(text: str, style: Style, room_px: float) -> tuple[str, str] | None:
    """The longest head that fits with a hyphen, and the tail; between a vowel and a consonant."""
    if len(text) < 6 or not text.isalpha():
        return None
    lower = text.lower()
    for at in range(len(text) - 3, 2, -1):
        if lower[at - 1] in _VOWELS and lower[at] not in _VOWELS:
            head = text[:at] + "-"
            if style.width(head) <= room_px:
                return head, text[at:]
    return None
