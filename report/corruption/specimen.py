"""Which lines show what an operator does: readable ones of usual size, in running text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...corruption.region import Lines, Region, RegionKind, lines_of
from ...engine.geometry import Box
from ...engine.key import keyed_hash
from .pick import Picked

_SHORT_WIDTH = 19.4
"""x-heights that a cell of the contact sheet is wide."""
_SHORT_CHARS = (16, 28)
_LONG_CHARS = (48, 120)
_SIZES = (0.8, 1.3)
"""x-height of a line over that of its page."""
_LATIN = 0.95


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """Some words of a line, on their page."""

    picked: Picked
    region: Region
    box: Box
    """Around the words, px."""
    x_height: float
    text: str


def short_runs(pages: Sequence[Picked], count: int, seed: int) -> list[PreviewLine]:
    """Beginnings of lines, all about as wide as a cell of the contact sheet; best ones first."""
    return _best(pages, count, seed, _short, _SHORT_CHARS)


def long_lines(pages: Sequence[Picked], count: int, seed: int) -> list[PreviewLine]:
    """Whole lines with others above and below them; best ones first."""
    return _best(pages, count, seed, _whole, _LONG_CHARS)


_Cut = Callable[[Picked, Lines, int], PreviewLine]


def _best(
    pages: Sequence[Picked], count: int, seed: int, cut: _Cut, chars: tuple[int, int]
) -> list[PreviewLine]:
    ranked = []
    for number, picked in enumerate(pages):
        lines = lines_of(picked.page)
        flowing = np.flatnonzero(lines.upright & ~lines.table)
        for index in (flowing if len(flowing) else np.flatnonzero(lines.upright)).tolist():
            one = cut(picked, lines, index)
            if one.text.strip():
                place = keyed_hash("preview line", seed, picked.page.key, index)
                ranked.append((_faults(one, chars, index), number, place, one))
    ranked.sort(key=lambda row: row[:3])
    return _spread([one for *_, one in ranked], count)


def _spread(ranked: list[PreviewLine], count: int) -> list[PreviewLine]:
    """The first ones, pages by turns."""
    turns: dict[str, int] = {}
    order = []
    for rank, one in enumerate(ranked):
        key = one.picked.page.key
        order.append((turns.get(key, 0), rank, one))
        turns[key] = turns.get(key, 0) + 1
    order.sort(key=lambda row: row[:2])
    return [one for _, _, one in order[:count]]


def _faults(one: PreviewLine, chars: tuple[int, int], index: int) -> int:
    """How far a line is from what is easily looked at; 0 is best."""
    usual = one.picked.page.x_height or one.x_height
    width = one.box[2] - one.box[0]
    letters = sum(char.isascii() and (char.isalpha() or char == " ") for char in one.text)
    return sum(
        (
            4 * (letters < _LATIN * len(one.text)),
            one.region.kind is not RegionKind.LINE and width < 0.85 * _SHORT_WIDTH * one.x_height,
            2 * (not chars[0] <= len(one.text) <= chars[1]),
            2 * (not _SIZES[0] <= one.x_height / usual <= _SIZES[1]),
            2 * (one.region.kind is RegionKind.LINE and not _amid(one.picked, index)),
        )
    )


def _amid(picked: Picked, index: int) -> bool:
    """Whether the lines before and after belong to the same block and are about as long."""
    lines = picked.page.layer.lines
    block = picked.page.layer.blocks[lines[index].block].lines
    if not block[0] < index < block[1] - 1:
        return False
    around = (len(lines[near].text) for near in (index - 1, index + 1))
    return min(around) > len(lines[index].text) / 2


def _short(picked: Picked, lines: Lines, index: int) -> PreviewLine:
    words = picked.page.layer.words
    start, stop = int(lines.start[index]), int(lines.stop[index])
    x_height = float(lines.x_height[index])
    end = start + 1
    while end < stop and words[end].box[2] - words[start].box[0] <= _SHORT_WIDTH * x_height:
        end += 1
    part = words[start:end]
    box = (
        min(word.box[0] for word in part),
        min(word.box[1] for word in part),
        max(word.box[2] for word in part),
        max(word.box[3] for word in part),
    )
    kind = RegionKind.RUN if len(part) > 1 else RegionKind.WORD
    text = " ".join(word.text for word in part)
    return PreviewLine(picked, Region(kind, start, end), box, x_height, text)


def _whole(picked: Picked, lines: Lines, index: int) -> PreviewLine:
    line = picked.page.layer.lines[index]
    return PreviewLine(
        picked,
        Region(RegionKind.LINE, *line.words),
        line.box,
        float(lines.x_height[index]),
        line.text,
    )


def rows_around(one: PreviewLine) -> Iterator[Box]:
    """Boxes of the line itself and of its neighbours in the same block."""
    layer = one.picked.page.layer
    index = layer.words[one.region.start].line
    low, high = layer.blocks[layer.lines[index].block].lines
    for near in range(max(low, index - 1), min(high, index + 2)):
        yield layer.lines[near].box
