"""Reading order from geometry alone: a recursive cut of a page into columns and bands.

The content stream of a PDF may be in any order, so nothing here looks at it unless geometry is
of two minds. A gutter is an edge `x` that many segments start at and none that lies beside
them crosses. Segments that do cross it (titles, wide captions) divide the page into bands;
inside a band the columns are read one after the other, each cut again. A gutter whose two
sides stand row by row in short pieces belongs to a table or a form: it is not cut, and the
rows are read across. After Nagy and Seth (1984), recursive X-Y cut, and Breuel (2002), columns
as maximal white space; the treatment of rows and tables is our own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

_GUTTER = 0.6
"""Least width of a gutter, in segment heights."""
_WIDE_GUTTER = 0.9
_EDGE_SLACK = 0.3
"""How far right of an edge's leftmost segment others still share the edge, in heights."""
_ROWS = 3
_ROWS_NARROW = 5
"""Rows on both sides that prove a gutter, wide or narrow."""
_ALIGNED = 0.6
_PROSE_UNITS = 3.5
_CELL_UNITS = 1.5
_FLOW_FILL = 0.8
_STREAM_ROWS = 10
"""Rows of two short columns up to which the engine's own order decides (two addresses)."""
_NOTE_WIDTH = 0.4
_NOTE_LENGTH = 0.6
"""Side notes are narrower than this share of the text, and their lines shorter in sum."""
_MAX_CANDIDATES = 10
_FIGURE_GAP = 2.5
"""White space across all columns, in heights, that they are not read past."""
_PEEL_TOP = 0.8
_PEEL_BOTTOM = 1.2
"""White space, in heights, that parts a running head or foot from the columns."""


@dataclass(slots=True)
class Segment:
    """A run of words that stand close together on one line, upright."""

    x0: float
    y0: float
    x1: float
    y1: float
    units: float
    """About how many words of prose it is worth."""
    stream: int
    """Place in the engine's own order."""
    words: list[int] = field(default_factory=list)
    middle: float = 0.0
    height: float = 0.0

    def __post_init__(self) -> None:
        self.settle()

    def settle(self) -> None:
        """Take middle and height from the box, after a change to it."""
        self.middle, self.height = (self.y0 + self.y1) / 2, self.y1 - self.y0


Rows = list[list[Segment]]


def reading_order(segments: Sequence[Segment], *, right_to_left: bool = False) -> list[Rows]:
    """Leaves of the cut in reading order; each is its rows from the top, read across.

    Args:
        segments: upright, in any order.
        right_to_left: read columns, and segments of a row, from the right.
    """
    if not segments:
        return []
    height = max(median([s.height for s in segments]), 1e-3)
    if right_to_left:
        segments = [_mirrored(s) for s in segments]
    leaves = _cut(sorted(segments, key=lambda s: (s.middle, s.x0)), height)
    rows = [_rows(leaf, height) for leaf in leaves]
    if right_to_left:
        rows = [[[_mirrored(s) for s in row] for row in leaf] for leaf in rows]
    return rows


def _mirrored(s: Segment) -> Segment:
    return Segment(-s.x1, s.y0, -s.x0, s.y1, s.units, s.stream, s.words)


def _rows(leaf: list[Segment], height: float) -> Rows:
    """Segments of a leaf by rows; a drop cap counts as part of the row at its top."""
    rows: list[tuple[float, float, list[Segment]]] = []
    spans = [(s.y0, min(s.y1, s.y0 + 1.8 * height), s) for s in leaf]
    spans.sort(key=lambda span: (span[0] + span[1], span[2].x0))
    for y0, y1, s in spans:
        if rows:
            top, bottom, row = rows[-1]
            if min(bottom, y1) - max(top, y0) >= 0.5 * min(bottom - top, y1 - y0):
                row.append(s)
                continue
        rows.append((y0, y1, [s]))
    return [sorted(row, key=lambda s: s.x0) for _, _, row in rows]


@dataclass(slots=True)
class _Band:
    """What lies between two segments that cross the gutter."""

    left: list[Segment] = field(default_factory=list)
    right: list[Segment] = field(default_factory=list)


def _cut(segments: list[Segment], height: float) -> list[list[Segment]]:
    """Leaves in reading order. `segments` come sorted from the top."""
    if len(segments) < 4:
        return [segments]
    for edge in _candidates(segments, height):
        zones, bands = _divide(segments, edge, height)
        if _is_gutter(bands, edge, height):
            return list(_read(zones, bands, height))
    return [segments]


def _candidates(segments: list[Segment], height: float) -> list[float]:
    """Left edges that at least two segments start right of and two end left of, best first."""
    starts = sorted(s.x0 for s in segments)
    ends = sorted(s.x1 for s in segments)
    found: list[tuple[int, int, float]] = []
    last = float("-inf")
    for index, edge in enumerate(starts):
        if edge - last <= _EDGE_SLACK * height:
            continue
        last = edge
        left = bisect_right(ends, edge - _GUTTER * height)
        right = len(starts) - index
        if left >= 2 and right >= 2:
            crossing = len(starts) - left - right
            found.append((crossing - 2 * min(left, right), index, edge))
    found.sort()
    return [edge for _, _, edge in found[:_MAX_CANDIDATES]]


def _divide(
    segments: list[Segment], edge: float, height: float
) -> tuple[list[list[Segment]], list[_Band]]:
    """Zones of segments that cross the edge, and the bands before, between and after them."""
    end, start = edge - _GUTTER * height, edge - _EDGE_SLACK * height
    tops: list[float] = []
    bottoms: list[float] = []
    zones: list[list[Segment]] = []
    sides: list[Segment] = []
    for s in segments:
        if s.x1 <= end or s.x0 >= start:
            sides.append(s)
            continue
        inset = 0.2 * s.height
        if bottoms and s.y0 + inset < bottoms[-1]:
            bottoms[-1] = max(bottoms[-1], s.y1 - inset)
            zones[-1].append(s)
        else:
            tops.append(s.y0 + inset)
            bottoms.append(s.y1 - inset)
            zones.append([s])
    bands = [_Band() for _ in range(len(zones) + 1)]
    for s in sides:
        place = bisect_left(tops, s.middle)
        if place and s.middle < bottoms[place - 1]:
            zones[place - 1].append(s)
        elif s.x1 <= end:
            bands[place].left.append(s)
        else:
            bands[place].right.append(s)
    return zones, bands


def _is_gutter(bands: list[_Band], edge: float, height: float) -> bool:
    both = [band for band in bands if band.left and band.right]
    if not both:
        return False
    rows = max(min(_row_count(b.left), _row_count(b.right)) for b in both)
    width = edge - max(s.x1 for band in both for s in band.left)
    if rows < (_ROWS if width >= _WIDE_GUTTER * height else _ROWS_NARROW):
        return False
    return not _is_table(both, height)


def _row_count(side: list[Segment]) -> int:
    """Rows of a side, sorted from the top."""
    return 1 + sum(b.middle - a.middle > 0.5 * min(a.height, b.height) for a, b in pairwise(side))


def _is_table(bands: list[_Band], height: float) -> bool:
    """Whether the two sides are rows of one table rather than columns of prose."""
    left = [s for band in bands for s in _next_to_gutter(band.left, last=True)]
    right = [s for band in bands for s in _next_to_gutter(band.right, last=False)]
    fewer, more = sorted((left, right), key=len)
    if _aligned(fewer, more, height) < _ALIGNED:
        return False
    units = min(_mean_units(left), _mean_units(right))
    if units >= _PROSE_UNITS:
        return False
    if units < _CELL_UNITS:
        return True
    if min(_fill(left), _fill(right)) >= _FLOW_FILL:
        return False
    cells = sum(len(band.left) + len(band.right) for band in bands)
    if cells > len(left) + len(right) or len(fewer) > _STREAM_ROWS:
        return True
    return _switches(left, right) > 2 * len(bands) - 1


def _next_to_gutter(side: list[Segment], *, last: bool) -> list[Segment]:
    """Of each row of a side, sorted from the top, the segment nearest to the gutter."""
    nearest: list[Segment] = []
    for s in side:
        if nearest and s.middle - nearest[-1].middle <= 0.5 * min(s.height, nearest[-1].height):
            if (s.x1 > nearest[-1].x1) if last else (s.x0 < nearest[-1].x0):
                nearest[-1] = s
        else:
            nearest.append(s)
    return nearest


def _aligned(fewer: list[Segment], more: list[Segment], height: float) -> float:
    """Share of the segments that have a partner on the same baseline on the other side."""
    middles = sorted(s.middle for s in more)
    slack = 0.2 * height
    hits = sum(
        bisect_left(middles, s.middle - slack) < bisect_right(middles, s.middle + slack)
        for s in fewer
    )
    return hits / len(fewer)


def _mean_units(side: list[Segment]) -> float:
    return sum(s.units for s in side) / len(side)


def _switches(left: list[Segment], right: list[Segment]) -> int:
    """How often the engine's own order goes from one side to the other."""
    sides = sorted([(s.stream, 0) for s in left] + [(s.stream, 1) for s in right])
    return sum(a[1] != b[1] for a, b in pairwise(sides))


def _fill(column: list[Segment]) -> float:
    """How much of its column the median line fills: prose nearly all, cells less."""
    widths = [s.x1 - s.x0 for s in column]
    return median(widths) / max(*widths, 1e-6)


def _read(zones: list[list[Segment]], bands: list[_Band], height: float) -> Iterator[list[Segment]]:
    """Bands and zones from the top; neighbouring zones and one-sided bands are read as one."""
    across: list[Segment] = []
    for index, band in enumerate(bands):
        if band.left and band.right:
            for part in _parts(band, height):
                head, foot = _peel(part, height)
                if across or head:
                    yield from _cut(_sorted(across + head), height)
                across = foot
                sides = [part.left, part.right]
                if part.left and part.right and _is_note(part.left, part.right):
                    sides.reverse()
                for side in filter(None, sides):
                    yield from _cut(side, height)
        else:
            across += band.left or band.right
        if index < len(zones):
            across += zones[index]
    if across:
        yield from _cut(_sorted(across), height)


def _is_note(side: list[Segment], text: list[Segment]) -> bool:
    """Whether a side holds notes in the margin of the text, which are read after it."""
    widths = [max(s.x1 for s in part) - min(s.x0 for s in part) for part in (side, text)]
    lengths = [sum(s.height for s in _next_to_gutter(part, last=True)) for part in (side, text)]
    return widths[0] < _NOTE_WIDTH * widths[1] and lengths[0] < _NOTE_LENGTH * lengths[1]


def _parts(band: _Band, height: float) -> list[_Band]:
    """A band above and below white space as high as a figure, where both sides go on below."""
    order = sorted(
        [(s.y0, s.y1, 0, s) for s in band.left] + [(s.y0, s.y1, 1, s) for s in band.right],
        key=lambda entry: entry[0],
    )
    parts = [_Band()]
    bottom = order[0][1]
    for y0, y1, side, s in order:
        if y0 - bottom >= _FIGURE_GAP * height and parts[-1].left and parts[-1].right:
            parts.append(_Band())
        bottom = max(bottom, y1)
        (parts[-1].right if side else parts[-1].left).append(s)
    if len(parts) > 1 and not (parts[-1].left and parts[-1].right):
        last = parts.pop()
        parts[-1].left += last.left
        parts[-1].right += last.right
    for part in parts:
        part.left, part.right = _sorted(part.left), _sorted(part.right)
    return parts


def _sorted(segments: list[Segment]) -> list[Segment]:
    return sorted(segments, key=lambda s: (s.middle, s.x0))


def _peel(band: _Band, height: float) -> tuple[list[Segment], list[Segment]]:
    """Take running heads and feet out of a band: a row apart by white space across the page.

    They are either one row over both columns, or a few lines that would otherwise be read in
    the wrong place: above the second column only, or below the first only.
    """
    order = sorted(band.left + band.right, key=lambda s: s.y0)
    left = {id(s) for s in band.left}
    head = _before_gap(order, _PEEL_TOP * height)
    if head and not _is_stray(head, left, wrong_side=False, rows=3):
        head = []
    flipped = sorted(order, key=lambda s: -s.y1)
    foot = _before_gap([_flipped(s) for s in flipped], _PEEL_BOTTOM * height)
    foot = flipped[: len(foot)]
    if foot and not _is_stray(foot, left, wrong_side=True, rows=2):
        foot = []
    gone = {id(s) for s in head + foot}
    if len(gone) < len(order):
        band.left = [s for s in band.left if id(s) not in gone]
        band.right = [s for s in band.right if id(s) not in gone]
        return head, foot
    return [], []


def _flipped(s: Segment) -> Segment:
    return Segment(s.x0, -s.y1, s.x1, -s.y0, s.units, s.stream, s.words)


def _before_gap(order: list[Segment], gap: float) -> list[Segment]:
    """The first segments, up to the first white space across the band; at most eight."""
    bottom = order[0].y1
    for index in range(1, min(len(order), 9)):
        if order[index].y0 - bottom >= gap:
            return order[:index]
        bottom = max(bottom, order[index].y1)
    return []


def _is_stray(group: list[Segment], left: set[int], *, wrong_side: bool, rows: int) -> bool:
    sides = {id(s) in left for s in group}
    count = _row_count(_sorted(group))
    return count == 1 if len(sides) == 2 else (sides == {wrong_side} and count <= rows)
