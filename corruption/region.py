"""Which text of a page becomes a region: candidates of six kinds, and a keyed race among them.

A candidate's place in the race depends on its own name alone, so that another candidate, or room
for one more region, moves no other. Regions share no word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

import numpy as np

from ..engine.draw import draws
from ..engine.errors import ConfigError
from ..engine.geometry import Box
from ..engine.page import Page, WordFlag
from .relevance import relevance_of


class RegionKind(StrEnum):
    """What a region is a piece of."""

    WORD = "word"
    RUN = "run"
    LINE = "line"
    BLOCK = "block"
    CELL = "cell"
    VALUE = "value"


KINDS = tuple(RegionKind)


@dataclass(frozen=True, kw_only=True)
class RegionConfig:
    """Which and how many regions a page gets."""

    most: int = 40
    "Most regions of a page."
    share: float = 0.5
    "Most of the page's text, by length, that lies in regions, 0 to 1."
    selector: Literal["uniform", "relevance"] = "uniform"
    "relevance prefers text tied to figures, tables and captions, and words that stand elsewhere."
    exclude: bool = True
    "Regions with digits or names that stand nowhere else on the page are never heavy."
    word: float = 1.0
    "Weight of single words in the race."
    run: float = 1.5
    "Weight of runs of words within a line."
    line: float = 1.5
    "Weight of whole lines."
    block: float = 0.5
    "Weight of whole blocks."
    cell: float = 2.0
    "Weight of table cells."
    value: float = 2.0
    "Weight of the values of a form: what follows a label and a colon."
    run_words: int = 6
    "Most words of a run."
    min_length: float = 5.0
    "Least length of a region in x-heights, which is about one a letter."
    max_length: float = 600.0
    "Greatest length of a region in x-heights, all its lines together."

    def __post_init__(self) -> None:
        if self.most < 0:
            raise ConfigError(f"region.most is {self.most}; it is a number of regions, 0 or more")
        if not 0 <= self.share <= 1:
            raise ConfigError(f"region.share is {self.share}; it runs from 0 to 1")
        if self.run_words < 2:
            raise ConfigError(f"region.run_words is {self.run_words}; a run has at least 2 words")
        if not 0 <= self.min_length <= self.max_length:
            raise ConfigError(
                f"region.min_length is {self.min_length} and region.max_length "
                f"{self.max_length}; they are 0 or more, and the first is not larger"
            )
        if min(self.weights) < 0 or not any(self.weights):
            raise ConfigError(
                "the weights region.word to region.value are 0 or more, and one of them is not 0"
            )

    @property
    def weights(self) -> tuple[float, ...]:
        """Of the kinds, in the order of `RegionKind`."""
        return (self.word, self.run, self.line, self.block, self.cell, self.value)


class Region(NamedTuple):
    """Words chosen as one target; a range of the page's words."""

    kind: RegionKind
    start: int
    stop: int

    @property
    def id(self) -> int:
        """A number that names the region on its page, below 2**60."""
        return _CODE[self.kind] << 56 | self.start << 28 | self.stop


class Lines(NamedTuple):
    """What is asked of a page's lines again and again, as arrays."""

    box: np.ndarray
    """float64 [lines, 4], px."""
    rows: list[Box]
    """The same, one by one."""
    start: np.ndarray
    """int64 [lines]: first word."""
    stop: np.ndarray
    length: np.ndarray
    """float64 [lines]: of the line in x-heights, which is about one a letter."""
    x_height: np.ndarray
    """float64 [lines], px."""
    upright: np.ndarray
    """bool [lines]: horizontal, visible text."""
    table: np.ndarray
    """bool [lines]: inside a table."""
    area: tuple[float, float]
    """Left and right end of the page's text, px."""


_HIDDEN = int(WordFlag.VERTICAL | WordFlag.INVISIBLE)
_SLANTED = 0.15
"""Width over height and characters of a line, below which it does not run from left to right."""
_USUAL_X = 0.42
"""x-height over the height of a line's box, where the page does not say."""
_CELL_GAP = 1.6
"""x-heights between words that part two cells of a row."""
_VALUE_GAP = 6.0
"""x-heights between words that end a value."""
_LABEL = re.compile(r":$")
_PLACE_SLOT, _RACE_SLOT = 0, 1
"""Draws of a line and of other candidates: where words and runs lie, and the race."""
_CODE = {kind: number for number, kind in enumerate(KINDS)}
_LINE_KINDS = [_CODE[kind] for kind in (RegionKind.WORD, RegionKind.RUN, RegionKind.LINE)]
_LEAST_WORDS = 3
"""Words of the shortest line that is taken as a whole; runs leave one word at least."""


def lines_of(page: Page) -> Lines:
    """The page's lines as arrays."""
    layer = page.layer
    count = len(layer.lines)
    rows = [line.box for line in layer.lines]
    box = np.array(rows, np.float64).reshape(count, 4)
    span = np.array([line.words for line in layer.lines], np.int64).reshape(count, 2)
    hidden = np.array(
        [bool(layer.words[line.words[0]].flags & _HIDDEN) for line in layer.lines], bool
    )
    width, height = box[:, 2] - box[:, 0], np.maximum(box[:, 3] - box[:, 1], 1.0)
    chars = np.array([len(line.text) for line in layer.lines], np.int64)
    upright = ~hidden & ((width / height > _SLANTED * chars) | (chars < 4)) & (width > 1)
    x_height = _x_heights(page.x_height, height, np.maximum(width, 0.0))
    length = np.maximum(width, 0.0) / x_height
    table = _inside_tables(page, box)
    area = (float(box[:, 0].min()), float(box[:, 2].max())) if count else (0.0, float(page.width))
    return Lines(box, rows, span[:, 0], span[:, 1], length, x_height, upright, table, area)


def length_of(page: Page, lines: Lines, region: Region) -> float:
    """How long a region's text is, in x-heights.

    Lengths are taken from boxes and not from the text, so that what is chosen does not depend on
    what stands there.
    """
    first, last = page.layer.words[region.start], page.layer.words[region.stop - 1]
    if first.line != last.line:
        return float(lines.length[first.line : last.line + 1].sum())
    width = max(first.box[2], last.box[2]) - min(first.box[0], last.box[0])
    return width / float(lines.x_height[first.line])


def _x_heights(page_x_height: float, height: np.ndarray, width: np.ndarray) -> np.ndarray:
    """The page's x-height, scaled by each line's height against that of the median line.

    The median is over the length of the text.
    """
    if not len(height) or page_x_height <= 0:
        return np.maximum(2.0, height * _USUAL_X)
    order = np.argsort(height, kind="stable")
    below = np.cumsum(width[order])
    place = min(int(np.searchsorted(below, below[-1] / 2)), len(order) - 1)
    usual = height[order][place]
    return np.asarray(np.maximum(2.0, page_x_height * np.clip(height / usual, 0.5, 4.0)))


def _inside_tables(page: Page, box: np.ndarray) -> np.ndarray:
    inside = np.zeros(len(box), bool)
    x, y = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
    for figure in page.layer.figures:
        if figure.kind == "table":
            x0, y0, x1, y1 = figure.box
            inside |= (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    return inside


def draw_regions(page: Page, lines: Lines, key: int, config: RegionConfig) -> list[Region]:
    """The page's regions, in the order of the race.

    Args:
        page: what is chosen from.
        lines: of the page.
        key: names page, seed and epoch.
        config: how many, of which kinds.
    """
    taken = bytearray(len(page.layer.words))
    left = config.share * float(lines.length.sum())
    regions: list[Region] = []
    for region in _candidates(page, lines, key, config):
        if len(regions) >= config.most or left <= 0:
            break
        if any(taken[region.start : region.stop]):
            continue
        length = length_of(page, lines, region)
        if not config.min_length <= length <= config.max_length:
            continue
        taken[region.start : region.stop] = b"\1" * (region.stop - region.start)
        left -= length
        regions.append(region)
    return regions


def _candidates(page: Page, lines: Lines, key: int, config: RegionConfig) -> Iterator[Region]:
    """One word, one run and the whole of each line, its cells and values, and all blocks.

    In the order of the race.
    """
    line = np.flatnonzero(lines.upright)
    others = [*_blocks(page, lines), *_cells(page, lines), *_values(page, lines)]
    other = np.array(others, np.int64).reshape(-1, 4).T
    count = len(line)
    names = np.concatenate((line, line, other[0] << 56 | other[2] << 28 | other[3]))
    slots = np.repeat([_PLACE_SLOT, _RACE_SLOT], [count, len(names) - count])
    drawn = draws(key, names, slots)
    places, race = drawn[:count], drawn[count : 2 * count]
    word, run, whole = _in_lines(lines, line, places, config.run_words)
    kind = np.concatenate((np.repeat(_LINE_KINDS, [count, len(run), len(whole)]), other[0]))
    start = np.concatenate((word[:, 1], run[:, 1], whole[:, 1], other[2]))
    stop = np.concatenate((word[:, 2], run[:, 2], whole[:, 2], other[3]))
    number = np.concatenate(
        (race[:, 0], race[run[:, 0], 1], race[whole[:, 0], 2], drawn[2 * count :, 0])
    )
    weight = np.array(config.weights)[kind]
    if config.selector == "relevance":
        relevance = relevance_of(page, lines.box, lines.start, lines.stop)
        owner = np.concatenate((line, line[run[:, 0]], line[whole[:, 0]], other[1]))
        weight = weight * relevance[owner]
    with np.errstate(divide="ignore"):
        score = -np.log(number) / weight
    order = np.lexsort((stop, start, kind, score))
    order = order[np.isfinite(score[order])]
    columns = (kind[order].tolist(), start[order].tolist(), stop[order].tolist())
    for code, low, high in zip(*columns, strict=True):
        yield Region(KINDS[code], low, high)


def _in_lines(
    lines: Lines, line: np.ndarray, places: np.ndarray, run_words: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A word of each line, a run of each longer one, and whole lines.

    int64 [n, 3] each: place among the lines, first word, one past the last.
    """
    first = lines.start[line]
    count = lines.stop[line] - first
    index = np.arange(len(line))
    word = first + (places[:, 0] * count).astype(np.int64)
    flowing = ~lines.table[line]
    long = flowing & (count >= _LEAST_WORDS + 1)
    length = 2 + (places[:, 1] * (np.minimum(run_words, count - 1) - 1)).astype(np.int64)
    begin = first + (places[:, 2] * (count - length + 1)).astype(np.int64)
    whole = flowing & (count >= _LEAST_WORDS)
    return (
        np.stack((index, word, word + 1), axis=1),
        np.stack((index, begin, begin + length), axis=1)[long],
        np.stack((index, first, first + count), axis=1)[whole],
    )


_Candidate = tuple[int, int, int, int]
"""Kind as a number, line, first word, one past the last."""


def _blocks(page: Page, lines: Lines) -> list[_Candidate]:
    candidates = []
    for block in page.layer.blocks:
        low, high = block.lines
        if high - low >= 2 and lines.upright[low:high].all() and not lines.table[low:high].any():
            candidates.append(
                (_CODE[RegionKind.BLOCK], low, int(lines.start[low]), int(lines.stop[high - 1]))
            )
    return candidates


def _cells(page: Page, lines: Lines) -> list[_Candidate]:
    """Words of a table's line that stand close together."""
    words = page.layer.words
    candidates = []
    for line in np.flatnonzero(lines.table & lines.upright).tolist():
        gap = _CELL_GAP * lines.x_height[line]
        start = begin = int(lines.start[line])
        for index in range(start + 1, int(lines.stop[line])):
            if words[index].box[0] - words[index - 1].box[2] > gap:
                candidates.append((_CODE[RegionKind.CELL], line, begin, index))
                begin = index
        candidates.append((_CODE[RegionKind.CELL], line, begin, int(lines.stop[line])))
    return candidates


def _values(page: Page, lines: Lines) -> list[_Candidate]:
    """What follows a label that ends in a colon, up to a wide gap or the next label."""
    words = page.layer.words
    candidates = []
    for line, text in enumerate(page.layer.lines):
        if ":" not in text.text or not lines.upright[line]:
            continue
        start, stop = text.words
        labels = [index for index in range(start, stop - 1) if _LABEL.search(words[index].text)]
        for label in labels:
            end = label + 2
            gap = _VALUE_GAP * lines.x_height[line]
            while end < stop and words[end].box[0] - words[end - 1].box[2] <= gap:
                if _LABEL.search(words[end].text):
                    break
                end += 1
            candidates.append((_CODE[RegionKind.VALUE], line, label + 1, end))
    return candidates
