"""What is drawn for a region: its level, its operator, its severity.

Each is drawn by the region's own name, and no rule looks at another region.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from ..engine.draw import LANES, draws
from ..engine.page import Page
from .cover import Outline, mask_outlines, outline, tells_length
from .level import LEVELS, Level
from .operator import MASKS, OPERATORS
from .region import Lines, Region, length_of
from .relevance import cannot_be_inferred, word_counts
from .schedule import Schedule
from .severity import share_of

_FIRST_SLOTS = (2, 3)
_SLOTS = np.array([*_FIRST_SLOTS, *range(8, 16)])
"""Of a region's draws: level, form, then the race, in which 32 operators have a place."""
_MOST_CLUMP = 3
_LEAST_MODERATE = 8.0
"""Length in x-heights below which half of a region is too little to be a share."""
_HIDEABLE = {True: 0.55, False: 0.8}
"""Share of regions that may be hidden, with and without `region.exclude`, on ordinary documents:
these are hidden the more often, so that the mixture holds over a corpus."""
_MOST_HIDDEN = 0.95
_NOUNS_ARE_CAPITAL = ("de", "lb")


class Assignment(NamedTuple):
    """What is drawn for a region."""

    region: Region
    outline: Outline
    level: Level
    operator: str
    """Empty for clean."""
    x_height: float
    severity: float
    clump: int
    """Characters of a word that are struck together."""
    seed: int
    """32 bits."""


def assign(
    page: Page,
    lines: Lines,
    regions: list[Region],
    key: int,
    schedule: Schedule,
    position: int,
) -> list[Assignment]:
    """Level, pixels, operator and severity of each region.

    A region is not hidden where a number or a name would have to be guessed, or where the width of
    the mask would tell the length of the text.
    """
    count = len(regions)
    ids = np.array([region.id for region in regions], np.int64)
    drawn = draws(key, np.repeat(ids, len(_SLOTS)), np.tile(_SLOTS, count))
    drawn = drawn.reshape(count, len(_SLOTS), LANES)
    race = drawn[:, len(_FIRST_SLOTS) :].reshape(count, -1)
    config = schedule.config.operator
    operators = {
        Level.LIGHT: _race_winners(race, config.light),
        Level.MODERATE: _race_winners(race, config.moderate),
        Level.HEAVY: _race_winners(race, config.heavy),
    }
    exclude = schedule.config.region.exclude
    hidden, visible = _bounds(schedule.shares(position), _HIDEABLE[exclude])
    inferable = _Inference(page, exclude)
    lookup = schedule.severity_lookup
    numbers = drawn[:, : len(_FIRST_SLOTS)].tolist()
    masks = _masks(page, lines, regions, numbers, hidden)
    words = page.layer.words
    x_heights = lines.x_height.tolist()
    assignments = []
    for index, region in enumerate(regions):
        (_, part, kept, _), (clump, seed, _, see) = numbers[index]
        where = masks.get(index)
        if (
            where is not None
            and not tells_length(page, lines, region, where, kept)
            and inferable(region)
        ):
            level = Level.HEAVY
        else:
            level = _visible(page, lines, region, visible, see)
            where = outline(page, lines, region)
        x_height = x_heights[words[region.start].line]
        operator, severity = "", 0.0
        if level is not Level.CLEAN:
            operator, severity = operators[level][index], 1.0
            if level is not Level.HEAVY:
                severity = lookup.severity(operator, level, x_height, part)
        shape = (1 + int(clump * _MOST_CLUMP), int(seed * 2.0**32))
        assignments.append(Assignment(region, where, level, operator, x_height, severity, *shape))
    return assignments


def _masks(
    page: Page,
    lines: Lines,
    regions: list[Region],
    numbers: list[list[list[float]]],
    hidden: float,
) -> dict[int, Outline]:
    """Outlines of the masks of those regions that are drawn to be hidden, by their index."""
    masked = [index for index, ((hide, *_), _) in enumerate(numbers) if hide < hidden]
    reaches = [(numbers[index][0][3], numbers[index][1][2]) for index in masked]
    outlines = mask_outlines(page, lines, [regions[index] for index in masked], reaches)
    return dict(zip(masked, outlines, strict=True))


def assign_fixed(
    page: Page, lines: Lines, region: Region, key: int, operator: str, severity: float
) -> Assignment:
    """What a region gets with a given operator and severity; all else is drawn."""
    drawn = draws(key, np.array([region.id] * 2), np.array(_FIRST_SLOTS))
    (_, _, _, left), (clump, seed, right, _) = drawn.tolist()
    x_height = float(lines.x_height[page.layer.words[region.start].line])
    shape = (1 + int(clump * _MOST_CLUMP), int(seed * 2.0**32))
    if operator in MASKS:
        (where,) = mask_outlines(page, lines, [region], [(left, right)])
        return Assignment(region, where, Level.HEAVY, operator, x_height, 1.0, *shape)
    level = Level.MODERATE if share_of(severity) else Level.LIGHT
    where = outline(page, lines, region)
    return Assignment(region, where, level, operator, x_height, severity, *shape)


def _bounds(shares: tuple[float, ...], hideable: float) -> tuple[float, list[float]]:
    """Below which draw a region is hidden, and the bounds of the other levels for the rest."""
    heavy = shares[LEVELS.index(Level.HEAVY)]
    others = shares[:-1]
    total = sum(others)
    if total <= 0:
        return 1.0, [0.0, 0.0, 1.0]
    bounds = np.cumsum([share / total for share in others]).tolist()
    return min(_MOST_HIDDEN, heavy / hideable), bounds


def _visible(page: Page, lines: Lines, region: Region, bounds: list[float], drawn: float) -> Level:
    """One of the levels that hide nothing; too little text for a share of it is never moderate."""
    number = next((n for n, bound in enumerate(bounds) if drawn < bound), len(bounds) - 1)
    level = LEVELS[number]
    if level is Level.MODERATE and length_of(page, lines, region) < _LEAST_MODERATE:
        return Level.LIGHT
    return level


class _Inference:
    """Whether what a region says can be inferred from the rest of the page.

    Args:
        page: the page.
        required: whether it matters; everything passes where it does not.
    """

    def __init__(self, page: Page, required: bool) -> None:
        self._page = page
        self._required = required
        self._names = page.language not in _NOUNS_ARE_CAPITAL
        self._counts: Counter[str] | None = None

    def __call__(self, region: Region) -> bool:
        if not self._required:
            return True
        if self._counts is None:
            self._counts = word_counts(self._page)
        return not cannot_be_inferred(
            self._page, region.start, region.stop, self._counts, names=self._names
        )


def _race_winners(race: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """The operator with the highest number in its own slot, for each region."""
    kinds = OPERATORS if names[0] in OPERATORS else MASKS
    slots = [kinds[name].slot for name in names]
    return [names[index] for index in race[:, slots].argmax(axis=1).tolist()]
