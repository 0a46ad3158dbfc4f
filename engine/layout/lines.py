"""Words as a backend found them into the words, lines and blocks of a text layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import NamedTuple

from ..geometry import Box, union
from ..page import Block, Figure, Glyphs, Line, TextLayer, Word, WordFlag
from ..text import LIMIT_CHARS, sanitize
from .character import REPLACEMENT, clean, direction, is_unspaced, prose_units
from .order import reading_order
from .segment import Segment, joined
from .upright import LEVEL, Heading, by_heading, upright
from .whitespace import WORD_GAP, merged

_JOIN = 1.5
"""White space up to which neighbours in a row of a column are one line."""
_BLOCK_GAP = 0.4
"""White space above the usual between two lines, in heights, from which a block ends."""
_BLOCK_RATIO = 1.3
"""Ratio of line heights from which a block ends: a heading over its text."""
_TOUCH = 0.12
"""White space, in letter sizes, across which words of a script without spaces are one."""
_VERTICAL = int(WordFlag.VERTICAL)
_RIGHT_TO_LEFT = int(WordFlag.RIGHT_TO_LEFT)
"""As plain integers: operators of enums cost a microsecond, and a page has hundreds of words."""


class RawWord(NamedTuple):
    """A word before it has a place in the reading order."""

    text: str
    box: Box
    line: int
    """The backend's own line; words of a line come in the order of reading."""
    flags: int = 0
    heading: Heading = LEVEL


def text_layer(
    raw: Iterable[RawWord],
    *,
    width_px: float,
    height_px: float,
    figures: tuple[Figure, ...] = (),
    image_cover: float = 0.0,
    glyphs: Glyphs | None = None,
    outside: int = 0,
) -> TextLayer:
    """The text layer of a page, in reading order, from words in any order.

    Words without a visible character and words wholly outside the page are left out; the
    latter are counted, on top of `outside`. Boxes are cut to the page, and words that are longer
    than any word to `text.LIMIT_CHARS`.
    """
    words, more = _visible(raw, width_px, height_px)
    arranged = arrange(words, width_px=width_px, height_px=height_px)
    return TextLayer(
        *arranged,
        figures=figures,
        glyphs=glyphs,
        unmapped=sum(word.text.count(REPLACEMENT) for word in words),
        outside=outside + more,
        image_cover=image_cover,
    )


def _visible(
    raw: Iterable[RawWord], width_px: float, height_px: float
) -> tuple[list[RawWord], int]:
    """Words that have letters on the page, cut to it, and how many lie outside."""
    words: list[RawWord] = []
    outside = 0
    for word in raw:
        text, box, line, flags, heading = word
        if not (text.isascii() and text.isprintable()):
            text = clean(text)
        text = text.strip()
        if not text:
            continue
        if len(text) > LIMIT_CHARS:
            text = sanitize(text)
        x0, y0, x1, y1 = box
        if x1 <= 0 or y1 <= 0 or x0 >= width_px or y0 >= height_px:
            outside += 1
            continue
        if x0 < 0 or y0 < 0 or x1 > width_px or y1 > height_px:
            box = (max(x0, 0.0), max(y0, 0.0), min(x1, width_px), min(y1, height_px))
        if heading[0] in (1, 3):
            flags |= _VERTICAL
        if not text.isascii() and direction(text) < 0:
            flags |= _RIGHT_TO_LEFT
        words.append(RawWord(text, box, line, flags, heading))
    return words, outside


def arrange(
    words: Sequence[RawWord], *, width_px: float, height_px: float
) -> tuple[tuple[Word, ...], tuple[Line, ...], tuple[Block, ...]]:
    """Words, lines and blocks in reading order, with consistent indices.

    Words that are read another way than most of the page (stamps in the margin, axis labels)
    come after the others.
    """
    builder = _Builder(words)
    for heading, members in by_heading([word.heading for word in words]):
        boxes = upright(((i, words[i].box) for i in members), heading, width_px, height_px)
        right_to_left = _base(words, members) < 0
        segments = _segments(words, members, boxes)
        for leaf in reading_order(segments, right_to_left=right_to_left):
            builder.add(leaf, boxes, right_to_left)
    return tuple(builder.words), tuple(builder.lines), tuple(builder.blocks)


def _base(words: Sequence[RawWord], members: Sequence[int]) -> int:
    """-1 where words of right-to-left scripts prevail, else 1; numbers have no say."""
    if not any(words[index].flags & _RIGHT_TO_LEFT for index in members):
        return 1
    return -1 if sum(direction(words[index].text) for index in members) < 0 else 1


def _segments(words: Sequence[RawWord], members: list[int], boxes: dict[int, Box]) -> list[Segment]:
    """The backend's lines, split where white space is aligned, joined where it is not."""
    pieces: list[Segment] = []
    lines: list[int] = []
    for line, group in groupby(members, key=lambda index: words[index].line):
        current: Segment | None = None
        for index in group:
            x0, y0, x1, y1 = boxes[index]
            text = words[index].text
            units = 1.0 if text.isascii() else prose_units(text)
            if current is not None and _adjoins(current, x0, y0, x1, y1):
                current.add(x0, y0, x1, y1)
                current.units += units
                current.words.append(index)
            else:
                current = Segment(x0, y0, x1, y1, units, index, [index])
                pieces.append(current)
                lines.append(line)
    for piece in pieces:
        piece.settle()
    return merged(pieces, lines)


def _adjoins(current: Segment, x0: float, y0: float, x1: float, y1: float) -> bool:
    """Whether a box stands beside a segment as the next word of a line does."""
    gap = x0 - current.x1 if x0 > current.x1 else current.x0 - x1
    level = (y1 if y1 < current.y1 else current.y1) - (y0 if y0 > current.y0 else current.y0)
    low, high = y1 - y0, current.y1 - current.y0
    if low > high:
        low, high = high, low
    return gap <= WORD_GAP * high and level >= 0.3 * low


class _Builder:
    """Collects leaves of the reading order as words, lines and blocks."""

    def __init__(self, raw: Sequence[RawWord]) -> None:
        self.raw = raw
        self.words: list[Word] = []
        self.lines: list[Line] = []
        self.blocks: list[Block] = []

    def add(self, leaf: list[list[Segment]], boxes: dict[int, Box], right_to_left: bool) -> None:
        """One leaf: a block of lines, or several where white space or size part them."""
        start = len(self.lines)
        previous: list[Segment] = []
        usual = _usual_gap(leaf)
        for row in leaf:
            if previous and _parted(previous, row, usual):
                self._close(start)
                start = len(self.lines)
            for segment in _lines_of(row, right_to_left):
                self._line(segment.words, boxes, right_to_left)
            previous = row
        self._close(start)

    def _line(self, members: list[int], boxes: dict[int, Box], right_to_left: bool) -> None:
        raw, first, number = self.raw, len(self.words), len(self.lines)
        order = logical_order(raw, members, boxes, right_to_left=right_to_left)
        ordered = [raw[index] for index in order]
        text = " ".join([w.text for w in ordered])
        if not text.isascii():
            ordered = _unparted(raw, order, boxes)
            text = " ".join([w.text for w in ordered])
        self.words.extend([Word(w.text, w.box, number, w.flags) for w in ordered])
        box = union([w.box for w in ordered])
        self.lines.append(Line(text, box, (first, len(self.words)), len(self.blocks)))

    def _close(self, start: int) -> None:
        lines = self.lines[start:]
        if lines:
            self.blocks.append(Block(union([x.box for x in lines]), (start, len(self.lines))))


def _unparted(raw: Sequence[RawWord], members: list[int], boxes: dict[int, Box]) -> list[RawWord]:
    """The words of a line; those of scripts without spaces that touch are one."""
    words: list[RawWord] = []
    end = 0.0
    for index in members:
        word, box = raw[index], boxes[index]
        if words and not word.text.isascii():
            before = words[-1]
            if (
                -_TOUCH <= (box[0] - end) / max(box[3] - box[1], 1e-6) <= _TOUCH
                and is_unspaced(before.text[-1])
                and is_unspaced(word.text[0])
            ):
                whole = union((before.box, word.box))
                words[-1] = before._replace(text=before.text + word.text, box=whole)
                end = box[2]
                continue
        words.append(word)
        end = box[2]
    return words


def _gap(above: list[Segment], below: list[Segment]) -> float:
    return min([s.y0 for s in below]) - max([s.y1 for s in above])


def _usual_gap(leaf: list[list[Segment]]) -> float:
    """White space between most lines of a leaf, px; 0 where they overlap or are few."""
    return max(0.0, median([_gap(a, b) for a, b in pairwise(leaf)])) if len(leaf) > 3 else 0.0


def _parted(above: list[Segment], below: list[Segment], usual: float) -> bool:
    """Whether a block ends between two rows."""
    high = median([s.height for s in above])
    low = median([s.height for s in below])
    if max(high, low) > _BLOCK_RATIO * min(high, low):
        return True
    return _gap(above, below) - usual > _BLOCK_GAP * min(high, low)


def _lines_of(row: list[Segment], right_to_left: bool) -> list[Segment]:
    """Segments of a row, those close together joined."""
    lines: list[list[Segment]] = []
    for segment in row:
        if lines:
            last = lines[-1][-1]
            gap = last.x0 - segment.x1 if right_to_left else segment.x0 - last.x1
            if gap <= _JOIN * max(last.height, segment.height):
                lines[-1].append(segment)
                continue
        lines.append([segment])
    return [line[0] if len(line) == 1 else joined(line) for line in lines]


def logical_order(
    words: Sequence[RawWord],
    members: list[int],
    boxes: dict[int, Box],
    *,
    right_to_left: bool = False,
) -> list[int]:
    """Words of one line as they are read: by place, with runs of the other direction turned.

    The rule is the core of the Unicode bidirectional algorithm (UAX 9, L2) on whole words.
    """
    if not any(words[i].flags & _RIGHT_TO_LEFT for i in members):
        return sorted(members, key=lambda index: boxes[index][0])
    members = sorted(members, key=lambda index: boxes[index][0])
    kinds = {index: direction(words[index].text) for index in members}
    if not any(kind < 0 for kind in kinds.values()):
        return members
    base = -1 if right_to_left or sum(kinds.values()) < 0 else 1
    if base < 0:
        members.reverse()
    ordered: list[int] = []
    run: list[int] = []
    for index in [*members, -1]:
        if index >= 0 and kinds[index] != base:
            run.append(index)
            continue
        ordered.extend(_turned(run, kinds, base))
        run = []
        if index >= 0:
            ordered.append(index)
    return ordered


def _turned(run: list[int], kinds: dict[int, int], base: int) -> list[int]:
    """A run of words that are not of the line's direction; neutral ends keep their place."""
    strong = [place for place, index in enumerate(run) if kinds[index] == -base]
    if len(strong) < 2:
        return run
    first, last = strong[0], strong[-1] + 1
    return run[:first] + run[first:last][::-1] + run[last:]
