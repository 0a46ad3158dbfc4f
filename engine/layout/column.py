"""Columns of a region: where its gutter is, and which parts of it the gutter divides.

A gutter is an edge that many segments start at and none that lies beside them crosses. What
crosses it, and what stands on both sides row by row in short pieces as tables and forms do, is
read across; the rest is read column by column.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from operator import itemgetter
from statistics import median

from .segment import Segment, by_row

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
"""Rows of two short columns up to which the backend's own order decides (two addresses)."""
_MAX_CANDIDATES = 10
_SLICE_GAP = 0.5
_SLICE_RATIO = 1.8
"""White space across a band that parts it: in heights, and over the usual white space."""
_FIGURE_GAP = 2.5
"""White space across all columns, in heights, that they are not read past."""


class ColumnKind(Enum):
    """How a part of a region is read."""

    ACROSS = "across"
    COLUMNS = "columns"
    OPEN = "open"
    """As its neighbour: too few rows to tell."""


@dataclass(slots=True)
class ColumnPart:
    """Some rows of a region, left and right of its gutter."""

    left: list[Segment] = field(default_factory=list)
    right: list[Segment] = field(default_factory=list)
    kind: ColumnKind = ColumnKind.OPEN

    @property
    def both(self) -> bool:
        return bool(self.left and self.right)

    @property
    def rows(self) -> int:
        return min(row_count(self.left), row_count(self.right)) if self.both else 0


def divided(segments: list[Segment], height: float) -> list[ColumnPart] | None:
    """The parts of a region from the top, or None where it has no gutter.

    Args:
        segments: sorted by row.
        height: of an ordinary segment, px.
    """
    for edge in _candidates(segments, height):
        zones, bands = _divide(segments, edge, height)
        if all(min(len(band.left), len(band.right)) < _ROWS for band in bands):
            continue  # too few rows, however they are cut
        parts: list[ColumnPart] = []
        rows, end = 0, float("-inf")
        for index, band in enumerate(bands):
            slices = _judged(list(_slices(band, height)), height)
            columns = [part for part in slices if part.kind is ColumnKind.COLUMNS]
            rows = max(rows, sum(part.rows for part in columns))
            end = max([end, *(s.x1 for part in columns if part.both for s in part.left)])
            parts += _settled(slices, height)
            if index < len(zones):
                parts.append(ColumnPart(zones[index], [], ColumnKind.ACROSS))
        if rows >= (_ROWS if edge - end >= _WIDE_GUTTER * height else _ROWS_NARROW):
            return parts
    return None


def _candidates(segments: list[Segment], height: float) -> list[float]:
    """Left edges with enough segments on both sides for a gutter, best first."""
    starts = sorted(s.x0 for s in segments)
    ends = sorted(s.x1 for s in segments)
    candidates: list[tuple[int, int, float]] = []
    last = float("-inf")
    for index, edge in enumerate(starts):
        if edge - last <= _EDGE_SLACK * height:
            continue
        last = edge
        left = bisect_right(ends, edge - _GUTTER * height)
        right = len(starts) - index
        if min(left, right) >= _ROWS:
            crossing = len(starts) - left - right
            candidates.append((crossing - 2 * min(left, right), index, edge))
    candidates.sort()
    return [edge for _, _, edge in candidates[:_MAX_CANDIDATES]]


def _divide(
    segments: list[Segment], edge: float, height: float
) -> tuple[list[list[Segment]], list[ColumnPart]]:
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
    bands = [ColumnPart() for _ in range(len(zones) + 1)]
    for s in sides:
        place = bisect_left(tops, s.middle)
        if place and s.middle < bottoms[place - 1]:
            zones[place - 1].append(s)
        elif s.x1 <= end:
            bands[place].left.append(s)
        else:
            bands[place].right.append(s)
    return zones, bands


def _slices(band: ColumnPart, height: float) -> Iterator[ColumnPart]:
    """A band cut at white space across it that is wider than between its rows."""
    if not band.both:
        if band.left or band.right:
            yield ColumnPart(band.left, band.right, ColumnKind.ACROSS)
        return
    order = sorted(
        [(s.y0, s.y1, 0, s) for s in band.left] + [(s.y0, s.y1, 1, s) for s in band.right],
        key=itemgetter(0),
    )
    gaps: list[float] = []
    bottom = order[0][1]
    for y0, y1, _, _ in order[1:]:
        gaps.append(y0 - bottom)
        bottom = max(bottom, y1)
    usual = max(0.0, median([gap for gap in gaps if gap > -0.5 * height] or [0.0]))
    least = max(_SLICE_GAP * height, _SLICE_RATIO * usual)
    part = ColumnPart()
    for gap, (_, _, side, s) in zip([0.0, *gaps], order, strict=True):
        if gap > least:
            yield _in_rows(part)
            part = ColumnPart()
        (part.right if side else part.left).append(s)
    yield _in_rows(part)


def _in_rows(part: ColumnPart) -> ColumnPart:
    return ColumnPart(by_row(part.left), by_row(part.right), part.kind)


def _judged(slices: list[ColumnPart], height: float) -> list[ColumnPart]:
    """The slices of one band, lone rows that follow each other taken together, with kinds."""
    judged: list[ColumnPart] = []
    lone_before = False
    for part in slices:
        lone = part.kind is ColumnKind.OPEN and part.rows == 1
        if lone and lone_before:
            judged[-1].left += part.left
            judged[-1].right += part.right
        else:
            judged.append(part)
        lone_before = lone
    for part in judged:
        if part.kind is ColumnKind.OPEN and part.rows >= 2:
            part.kind = ColumnKind.ACROSS if _is_table(part, height) else ColumnKind.COLUMNS
    return judged


def _settled(slices: list[ColumnPart], height: float) -> list[ColumnPart]:
    """The slices of one band, none left open, those of one kind joined.

    A table is believed at the top or bottom of a band; in the middle it is a list in each of
    two columns.
    """
    columns = [index for index, part in enumerate(slices) if part.kind is ColumnKind.COLUMNS]
    for index, part in enumerate(slices):
        inside = bool(columns) and columns[0] < index < columns[-1]
        if inside or (columns and part.kind is ColumnKind.ACROSS and part.rows == 2):
            part.kind = ColumnKind.COLUMNS
    joined: list[ColumnPart] = []
    for index, part in enumerate(slices):
        if part.kind is ColumnKind.OPEN:
            following = (p.kind for p in slices[index:] if p.kind is not ColumnKind.OPEN)
            part.kind = joined[-1].kind if joined else next(following, ColumnKind.ACROSS)
        apart = joined and _is_figure_gap(joined[-1], slices[index:], height)
        if joined and joined[-1].kind is part.kind and not apart:
            joined[-1].left += part.left
            joined[-1].right += part.right
        else:
            joined.append(part)
    return joined


def _is_figure_gap(above: ColumnPart, below: list[ColumnPart], height: float) -> bool:
    """Whether white space is as high as a figure, with both columns above and below it."""
    both = any(part.left for part in below) and any(part.right for part in below)
    if not (above.both and both):
        return False
    bottom = max(s.y1 for s in above.left + above.right)
    top = min(s.y0 for s in below[0].left + below[0].right)
    return top - bottom >= _FIGURE_GAP * height


def row_count(side: list[Segment]) -> int:
    """Rows of a side, sorted from the top."""
    return 1 + sum(b.middle - a.middle > 0.5 * min(a.height, b.height) for a, b in pairwise(side))


def _is_table(part: ColumnPart, height: float) -> bool:
    """Whether the two sides are rows of one table rather than columns of prose."""
    left = next_to_gutter(part.left, last=True)
    right = next_to_gutter(part.right, last=False)
    fewer, more = sorted((left, right), key=len)
    units = min(_mean_units(left), _mean_units(right))
    if units >= _PROSE_UNITS or _aligned(fewer, more, height) < _ALIGNED:
        return False
    if units < _CELL_UNITS:
        return True
    if min(_fill(left), _fill(right)) >= _FLOW_FILL:
        return False
    cells = len(part.left) + len(part.right)
    if cells > len(left) + len(right) or len(fewer) > _STREAM_ROWS:
        return True
    return _switches(left, right) > 1


def next_to_gutter(side: list[Segment], *, last: bool) -> list[Segment]:
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
    middles = sorted([s.middle for s in more])
    slack = 0.2 * height
    hits = 0
    for s in fewer:
        place = bisect_left(middles, s.middle - slack)
        hits += place < len(middles) and middles[place] <= s.middle + slack
    return hits / len(fewer)


def _mean_units(side: list[Segment]) -> float:
    return sum(s.units for s in side) / len(side)


def _switches(left: list[Segment], right: list[Segment]) -> int:
    """How often the backend's own order goes from one side to the other."""
    sides = sorted([(s.stream, 0) for s in left] + [(s.stream, 1) for s in right])
    return sum(a[1] != b[1] for a, b in pairwise(sides))


def _fill(column: list[Segment]) -> float:
    """How much of its column the median line fills: prose nearly all, cells less."""
    widths = [s.x1 - s.x0 for s in column]
    return median(widths) / max(*widths, 1e-6)
