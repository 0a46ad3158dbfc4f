"""Lines to measure on: cut out of their pages and made smaller, so that each size has its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np

from ...corruption.cover import outline
from ...corruption.region import Region, RegionKind, lines_of
from ...engine.geometry import scale, shift
from ...engine.image import to_grey
from ...engine.key import keyed_hash
from ...engine.page import Block, Line, Page, TextLayer, VerdictName
from ...engine.store.corpus import CorpusInfo
from ...engine.store.index import read_index
from ...engine.store.place import Place
from ...engine.store.samples import read_image, read_sample

_CHARS = (12, 64)
_ENLARGED = 1.05
"""The most that a line is enlarged to reach a size."""
_MARGIN_PX = 3
_LINES_A_PAGE = 2
_LINES_A_DOCUMENT = 24
_LINES_A_TURN = 2
_PAGES_A_LINE = 20


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """One line of text as a page of its own."""

    page: Page
    image: np.ndarray
    """uint8 grey, with a few px around the line."""
    document: str

    @property
    def region(self) -> Region:
        """The whole line."""
        return Region(RegionKind.LINE, 0, len(self.page.layer.words))

    @property
    def text(self) -> str:
        """What stands there."""
        return self.page.layer.lines[0].text


def calibration_lines(
    place: Place, x_heights: tuple[float, ...], count: int
) -> list[list[CalibrationLine]]:
    """Up to `count` lines for each x-height, documents by turns.

    The same corpus gives the same lines. Pages are read one after another until there are enough
    lines, at most `_PAGES_A_LINE` pages for each line that is wanted.
    """
    by_size: list[dict[str, list[CalibrationLine]]] = [{} for _ in x_heights]
    for number, (image, page) in enumerate(_pages(place)):
        if number >= _PAGES_A_LINE * count or all(_enough(lines, count) for lines in by_size):
            break
        for lines, height in zip(by_size, x_heights, strict=True):
            of_document = lines.setdefault(page.doc_sha256, [])
            if len(of_document) < _LINES_A_DOCUMENT:
                of_document += islice(_lines(image, page, height), _LINES_A_PAGE)
    return [_by_turns(lines)[:count] for lines in by_size]


def _enough(lines: Mapping[str, Sequence[CalibrationLine]], count: int) -> bool:
    """Whether so many documents have lines that each needs to give a few at most."""
    filled = [min(len(of_document), _LINES_A_TURN) for of_document in lines.values()]
    return sum(filled) >= count


def _by_turns(lines: Mapping[str, Sequence[CalibrationLine]]) -> list[CalibrationLine]:
    """The first line of every document, then the second of every document, and so on."""
    longest = max(map(len, lines.values()), default=0)
    return [
        of_document[turn]
        for turn in range(longest)
        for of_document in lines.values()
        if turn < len(of_document)
    ]


def _pages(place: Place) -> Iterator[tuple[np.ndarray, Page]]:
    """Trusted pages with text, in a keyed order."""
    rows = [
        (entry, row)
        for entry in CorpusInfo.load(place).shards
        for row in read_index(place, entry.index)
        if row.verdict == VerdictName.TRUSTED and row.lines
    ]
    for entry, row in sorted(rows, key=lambda pair: keyed_hash("calibrate", pair[1].key)):
        image = read_image(place, entry, row)
        page = read_sample(place, entry, row).page
        yield image if image.ndim == 2 else to_grey(image), page


def _lines(image: np.ndarray, page: Page, x_height: float) -> Iterator[CalibrationLine]:
    """Lines of the page that are at least as large, brought to the x-height."""
    lines = lines_of(page)
    fit = lines.upright & ~lines.table & (lines.x_height * _ENLARGED >= x_height)
    chars = np.array([len(line.text) for line in page.layer.lines])
    fit &= (chars >= _CHARS[0]) & (chars <= _CHARS[1])
    for index in sorted(
        np.flatnonzero(fit).tolist(), key=lambda n: keyed_hash("line", page.key, n)
    ):
        yield _cut(image, page, index, x_height / float(lines.x_height[index]), x_height)


def _cut(
    image: np.ndarray, page: Page, index: int, factor: float, x_height: float
) -> CalibrationLine:
    """A line of the page as a page of its own, made smaller by the factor."""
    line = page.layer.lines[index]
    start, stop = line.words
    region = Region(RegionKind.LINE, start, stop)
    margin = round(_MARGIN_PX / factor)
    x0, y0, x1, y1 = outline(page, lines_of(page), region).cover
    x0, y0 = max(0, x0 - margin), max(0, y0 - margin)
    crop = image[y0 : y1 + margin, x0 : x1 + margin]
    size = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    words = tuple(
        replace(word, line=0, box=scale(shift(word.box, -x0, -y0), factor))
        for word in page.layer.words[start:stop]
    )
    box = scale(shift(line.box, -x0, -y0), factor)
    layer = TextLayer(words, (Line(line.text, box, (0, len(words)), 0),), (Block(box, (0, 1)),))
    key = f"{page.key}_{index}"
    alone = replace(page, key=key, width=size[0], height=size[1], layer=layer, x_height=x_height)
    return CalibrationLine(alone, np.asarray(small), page.doc_sha256)
