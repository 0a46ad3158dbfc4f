"""Which characters of a moderate region are made unreadable: an exact share, in small clumps.

The rest stays as legible as `light`. So the error rate of a region lies near its share whatever the
operator, the engine and the size of the text, and what is missing has to come from the context.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..engine.draw import LANES, draws
from ..engine.geometry import Box
from ..engine.page import Page
from .region import Lines, Region

FIRST_SLOT = 64
"""Slots from here on belong to clumps."""


class Strike(NamedTuple):
    """What is struck of one region."""

    region: Region
    share: float
    """Of its characters, 0 to 1."""
    clump: int
    """Characters of a word that are struck together."""


def struck_spans(page: Page, lines: Lines, strikes: Sequence[Strike], key: int) -> list[list[Box]]:
    """The boxes of the characters that are struck, px on the page, for each region.

    A larger share strikes the same characters and more. Within a word characters count equally
    wide.
    """
    if not strikes:
        return []
    words = page.layer.words
    owner = np.concatenate(
        [np.full(strike.region.stop - strike.region.start, n) for n, strike in enumerate(strikes)]
    )
    inside = [
        word for strike in strikes for word in words[strike.region.start : strike.region.stop]
    ]
    box = np.array([word.box for word in inside], np.float64)
    chars = np.array([max(1, len(word.text)) for word in inside], np.int64)
    size = np.array([strike.clump for strike in strikes], np.int64)[owner]
    count = -(-chars // size)
    word = np.repeat(np.arange(len(inside)), count)
    place = np.arange(len(word)) - np.repeat(np.cumsum(count) - count, count)
    low = place * size[word]
    high = np.minimum(low + size[word], chars[word])
    clump_owner = owner[word]
    struck = _struck(strikes, clump_owner, high - low, key)
    advance = (box[:, 2] - box[:, 0]) / chars
    x0 = box[word, 0] + low * advance[word]
    x1 = box[word, 0] + high * advance[word]
    rows = [lines.rows[word.line] for word in inside]
    index = np.flatnonzero(struck)
    joined = _joined(index, word, low, high)
    spans: list[list[Box]] = [[] for _ in strikes]
    for first, last in joined:
        w = word[first]
        spans[clump_owner[first]].append(
            (float(x0[first]), rows[w][1], float(x1[last]), rows[w][3])
        )
    return spans


def _struck(
    strikes: Sequence[Strike], owner: np.ndarray, amount: np.ndarray, key: int
) -> np.ndarray:
    """Which clumps are struck, bool [clumps]: the first of a keyed order, up to the share."""
    totals = np.bincount(owner)
    first = np.cumsum(totals) - totals
    place = np.arange(len(owner)) - first[owner]
    ids = np.array([strike.region.id for strike in strikes], np.int64)[owner]
    order_key = draws(key, ids, FIRST_SLOT + place // LANES)[np.arange(len(owner)), place % LANES]
    order = np.lexsort((order_key, owner))
    running = np.cumsum(amount[order])
    start = np.concatenate(([0], running[np.cumsum(totals) - 1]))[:-1]
    within = running - start[owner[order]]
    chars = np.bincount(owner, weights=amount)
    share = np.array([strike.share for strike in strikes]) * chars
    middle = within - amount[order] / 2
    struck = np.zeros(len(owner), bool)
    struck[order] = middle < share[owner[order]]
    return struck


def _joined(
    index: np.ndarray, word: np.ndarray, low: np.ndarray, high: np.ndarray
) -> list[tuple[int, int]]:
    """First and last clump of each unbroken row of struck clumps in a word."""
    if not len(index):
        return []
    same = (word[index[1:]] == word[index[:-1]]) & (low[index[1:]] == high[index[:-1]])
    begins = np.concatenate(([True], ~same))
    ends = np.concatenate((~same, [True]))
    return list(zip(index[begins].tolist(), index[ends].tolist(), strict=True))
