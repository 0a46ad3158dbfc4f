"""White space between neighbours of a row: the space of a line, or part of a gutter?

Justified text has spaces as wide as narrow gutters. What tells them apart is that a gutter goes
on above and below: white space that lines up over several rows parts columns or cells, white
space that does not is a space between words.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from .segment import Segment, joined

WORD_GAP = 0.45
"""White space, in word heights, that is always the space of a line."""
_LINE_GAP = 1.5
"""White space that is a space unless it lines up with that of other rows."""
_FAR_GAP = 80.0
"""White space beyond which two pieces are not neighbours at all."""
_STRIP = 0.35
"""Least width of white space that lines up over several rows."""
_EDGE = 0.15
"""How far one edge of it may move from row to row: a column starts or ends there."""
_STRIP_ROWS = 4
_STRIP_ROWS_APART = 3
"""Rows over which white space lines up; the latter where the backend took it for a gutter."""
_LEVEL = 0.15
"""How far two lines of the backend may differ in height and place and yet be one."""
_PITCH = 2.8
"""Furthest apart that two rows follow each other, in heights."""


@dataclass(slots=True)
class _Gap:
    left: int
    right: int
    x0: float
    x1: float
    y: float
    height: float
    rows: int = 1


class _Strip(NamedTuple):
    """White space that goes on from row to row: where it is now, and for how many rows."""

    y: float
    x0: float
    x1: float
    rows: int


def merged(pieces: Sequence[Segment], lines: Sequence[int]) -> list[Segment]:
    """Pieces joined to the segments that gutters and cells leave whole.

    Args:
        pieces: runs of words without wide white space.
        lines: the backend's line of each piece.
    """
    gaps = _neighbours(pieces)
    _line_up(gaps, downwards=True)
    _line_up(gaps, downwards=False)
    parent = list(range(len(pieces)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for gap in gaps:
        if _is_space(gap, pieces, lines):
            parent[root(gap.right)] = root(gap.left)
    groups: dict[int, list[Segment]] = {}
    for index, piece in enumerate(pieces):
        groups.setdefault(root(index), []).append(piece)
    return [group[0] if len(group) == 1 else joined(group) for group in groups.values()]


def _is_space(gap: _Gap, pieces: Sequence[Segment], lines: Sequence[int]) -> bool:
    """Whether white space is between words of one line."""
    width = gap.x1 - gap.x0
    if width <= WORD_GAP * gap.height:
        return True
    if width > _LINE_GAP * gap.height:
        return False
    left, right = pieces[gap.left], pieces[gap.right]
    if lines[gap.left] == lines[gap.right]:
        return gap.rows < _STRIP_ROWS
    slack = _LEVEL * gap.height
    if abs(left.y1 - right.y1) > slack or abs(left.y0 - right.y0) > slack:
        return False
    single = len(left.words) == 1 or len(right.words) == 1
    return gap.rows < (_STRIP_ROWS if single else _STRIP_ROWS_APART)


def _neighbours(pieces: Sequence[Segment]) -> list[_Gap]:
    """The white space to the right of each piece, up to its neighbour in the row, by height."""
    order = sorted(range(len(pieces)), key=lambda index: pieces[index].y0 + pieces[index].y1)
    middles = [pieces[index].y0 + pieces[index].y1 for index in order]
    starts = [pieces[index].x0 for index in order]
    gaps: list[_Gap] = []
    for place, index in enumerate(order):
        a = pieces[index]
        height, middle = a.y1 - a.y0, middles[place]
        best, least = -1, _FAR_GAP * height
        first = place
        while first > 0 and middles[first - 1] >= middle - height:
            first -= 1
        end, nearest = a.x1, -0.3 * height
        for other in range(first, bisect_right(middles, middle + height)):
            gap = starts[other] - end
            if gap >= least or gap < nearest or other == place:
                continue
            b = pieces[order[other]]
            low = min(height, b.y1 - b.y0)
            if min(a.y1, b.y1) - max(a.y0, b.y0) >= 0.6 * low and b.x0 > a.x0:
                best, least = order[other], gap
        if best >= 0:
            tall = max(height, pieces[best].y1 - pieces[best].y0)
            gaps.append(_Gap(index, best, a.x1, pieces[best].x0, middle / 2, tall))
    return gaps


def _line_up(gaps: list[_Gap], *, downwards: bool) -> None:
    """Add to each gap the rows that it goes on for, on one side.

    Gaps are looked up by their edges: one of the two must be where it was in the row before.
    """
    wide = [gap for gap in gaps if gap.x1 - gap.x0 > WORD_GAP * gap.height]
    if not any(gap.x1 - gap.x0 <= _LINE_GAP * gap.height for gap in wide):
        return
    if not downwards:
        wide.reverse()
    edge = max(_EDGE * median([gap.height for gap in wide]), 1e-6)
    starts: dict[int, list[tuple[float, _Strip]]] = {}
    ends: dict[int, list[tuple[float, _Strip]]] = {}
    for gap in wide:
        y, nearest, furthest = gap.y, 0.4 * gap.height, _PITCH * gap.height
        strip = _Strip(y, gap.x0, gap.x1, 1)
        for shelf, x in ((starts, gap.x0), (ends, gap.x1)):
            place = int(x / edge)
            for near in (place - 1, place, place + 1):
                if near not in shelf:
                    continue
                for was, other in reversed(shelf[near]):
                    step = abs(other.y - y)
                    if step > furthest:
                        break
                    if step > nearest and other.rows >= strip.rows and abs(was - x) <= edge:
                        left, right = max(other.x0, gap.x0), min(other.x1, gap.x1)
                        if right - left >= _STRIP * gap.height:
                            strip = _Strip(y, left, right, other.rows + 1)
        gap.rows += strip.rows - 1
        starts.setdefault(int(gap.x0 / edge), []).append((gap.x0, strip))
        ends.setdefault(int(gap.x1 / edge), []).append((gap.x1, strip))
