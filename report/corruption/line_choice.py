"""Which lines show what an operator does: readable ones of usual size, in running text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...corruption.region import Lines, Region, RegionKind, lines_of
from ...engine.geometry import Box
from ...engine.key import keyed_hash
from .page_choice import ChosenPage

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

    chosen: ChosenPage
    region: Region
    box: Box
    """Around the words, px."""
    x_height: float
    text: str


def short_runs(pages: Sequence[ChosenPage], count: int, seed: int) -> list[PreviewLine]:
    """Beginnings of lines, all about as wide as a cell of the contact sheet; best ones first."""
    return _best(pages, count, seed, _short, _SHORT_CHARS)


def long_lines(pages: Sequence[ChosenPage], count: int, seed: int) -> list[PreviewLine]:
    """Whole lines with others above and below them; best ones first."""
    return _best(pages, count, seed, _whole, _LONG_CHARS)


_Cut = Callable[[ChosenPage, Lines, int], PreviewLine]


def _best(
    pages: Sequence[ChosenPage], count: int, seed: int, cut: _Cut, chars: tuple[int, int]
) -> list[PreviewLine]:
    ranked = []
    for number, chosen in enumerate(pages):
        lines = lines_of(chosen.page)
        flowing = np.flatnonzero(lines.upright & ~lines.table)
        for index in (flowing if len(flowing) else np.flatnonzero(lines.upright)).tolist():
            line = cut(chosen, lines, index)
            if line.text.strip():
                place = keyed_hash("preview line", seed, chosen.page.key, index)
                ranked.append((_faults(line, chars, index), number, place, line))
    ranked.sort(key=lambda row: row[:3])
    return _spread([line for *_, line in ranked], count)


def _spread(ranked: list[PreviewLine], count: int) -> list[PreviewLine]:
    """The first ones, pages by turns."""
    turns: dict[str, int] = {}
    order = []
    for rank, line in enumerate(ranked):
        key = line.chosen.page.key
        order.append((turns.get(key, 0), rank, line))
        turns[key] = turns.get(key, 0) + 1
    order.sort(key=lambda row: row[:2])
    return [line for _, _, line in order[:count]]


def _faults(line: PreviewLine, chars: tuple[int, int], index: int) -> int:
    """How far a line is from what is easily looked at; 0 is best."""
    usual = line.chosen.page.x_height or line.x_height
    width = line.box[2] - line.box[0]
    letters = sum(char.isascii() and (char.isalpha() or char == " ") for char in line.text)
    return sum(
        (
            4 * (letters < _LATIN * len(line.text)),
            line.region.kind is not RegionKind.LINE and width < 0.85 * _SHORT_WIDTH * line.x_height,
            2 * (not chars[0] <= len(line.text) <= chars[1]),
            2 * (not _SIZES[0] <= line.x_height / usual <= _SIZES[1]),
            2 * (line.region.kind is RegionKind.LINE and not _amid(line.chosen, index)),
        )
    )


def _amid(chosen: ChosenPage, index: int) -> bool:
    """Whether the lines before and after belong to the same block and are about as long."""
    lines = chosen.page.layer.lines
    block = chosen.page.layer.blocks[lines[index].block].lines
    if not block[0] < index < block[1] - 1:
        return False
    around = (len(lines[near].text) for near in (index - 1, index + 1))
    return min(around) > len(lines[index].text) / 2


def _short(chosen: ChosenPage, lines: Lines, index: int) -> PreviewLine:
    words = chosen.page.layer.words
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
    return PreviewLine(chosen, Region(kind, start, end), box, x_height, text)


def _whole(chosen: ChosenPage, lines: Lines, index: int) -> PreviewLine:
    line = chosen.page.layer.lines[index]
    return PreviewLine(
        chosen,
        Region(RegionKind.LINE, *line.words),
        line.box,
        float(lines.x_height[index]),
        line.text,
    )


def lines_around(line: PreviewLine) -> Iterator[Box]:
    """Boxes of the line itself and of its neighbours in the same block."""
    layer = line.chosen.page.layer
    index = layer.words[line.region.start].line
    low, high = layer.blocks[layer.lines[index].block].lines
    for near in range(max(low, index - 1), min(high, index + 2)):
        yield layer.lines[near].box
