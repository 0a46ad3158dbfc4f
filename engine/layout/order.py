"""Reading order from geometry alone: a recursive cut of a page into columns and bands.

The content stream of a PDF may be in any order, so nothing here looks at it unless geometry is
of two minds. Where a region has a gutter (`column`), its parts are read from the top: those
that the gutter divides column by column, each cut again, the others across. After Nagy and
Seth (1984), recursive X-Y cut, and Breuel (2002), columns as maximal white space; the treatment
of rows and tables is our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from .column import ColumnKind, ColumnPart, divided, next_to_gutter, row_count
from .segment import Segment, by_row

_NOTE_WIDTH = 0.4
_NOTE_LENGTH = 0.6
"""Side notes are narrower than this share of the text, and their lines shorter in sum."""
_PEEL_TOP = 0.8
_PEEL_BOTTOM = 1.2
"""White space, in heights, that parts a running head or foot from the columns."""

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
    leaves = _cut(by_row(segments), height)
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


def _cut(segments: list[Segment], height: float) -> list[list[Segment]]:
    """Leaves in reading order. `segments` come sorted by row."""
    parts = divided(segments, height) if len(segments) >= 4 else None
    return [segments] if parts is None else list(_read(parts, height))


def _read(parts: list[ColumnPart], height: float) -> Iterator[list[Segment]]:
    """Leaves of the parts from the top; parts that follow each other across are one region."""
    across: list[Segment] = []
    for part in parts:
        if part.kind is not ColumnKind.COLUMNS:
            across += part.left + part.right
            continue
        head, foot = _peel(part, height)
        if across or head:
            yield from _cut(by_row(across + head), height)
        across = foot
        sides = [part.left, part.right]
        if part.both and _is_note(part.left, part.right):
            sides.reverse()
        for side in filter(None, sides):
            yield from _cut(side, height)
    if across:
        yield from _cut(by_row(across), height)


def _is_note(side: list[Segment], text: list[Segment]) -> bool:
    """Whether a side holds notes in the margin of the text, which are read after it."""
    widths = [max(s.x1 for s in part) - min(s.x0 for s in part) for part in (side, text)]
    lengths = [sum(s.height for s in next_to_gutter(part, last=True)) for part in (side, text)]
    return widths[0] < _NOTE_WIDTH * widths[1] and lengths[0] < _NOTE_LENGTH * lengths[1]


def _peel(part: ColumnPart, height: float) -> tuple[list[Segment], list[Segment]]:
    """Take running heads and feet out of a part: a row apart by white space across the page.

    They are either one row over both columns, or a few lines that would otherwise be read in
    the wrong place: above the second column only, or below the first only.
    """
    order = sorted(part.left + part.right, key=lambda s: s.y0)
    left = {id(s) for s in part.left}
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
        part.left = [s for s in part.left if id(s) not in gone]
        part.right = [s for s in part.right if id(s) not in gone]
        return head, foot
    return [], []


def _flipped(s: Segment) -> Segment:
    return Segment(s.x0, -s.y1, s.x1, -s.y0, s.units, s.stream, s.words)


def _before_gap(order: list[Segment], gap: float) -> list[Segment]:
    """The first segments, up to the first white space across the part; at most eight."""
    bottom = order[0].y1
    for index in range(1, min(len(order), 9)):
        if order[index].y0 - bottom >= gap:
            return order[:index]
        bottom = max(bottom, order[index].y1)
    return []


def _is_stray(group: list[Segment], left: set[int], *, wrong_side: bool, rows: int) -> bool:
    sides = {id(s) in left for s in group}
    count = row_count(by_row(group))
    return count == 1 if len(sides) == 2 else (sides == {wrong_side} and count <= rows)
