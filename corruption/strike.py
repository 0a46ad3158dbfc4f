"""Which characters of a moderate region are made unreadable: an exact share, in small clumps.

The rest stays as legible as `light`. So the error rate of a region lies near its share whatever the
operator, the engine and the size of the text, and what is missing has to come from the context.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..engine.draw import LANES, draws
from ..engine.page import Page
from .region import Lines, Region

FIRST_SLOT = 64
"""Slots from here on belong to clumps."""


class Strike(NamedTuple):
    """What is asked for of one region."""

    region: Region
    share: float
    """Of its characters, 0 to 1."""
    clump: int
    """Characters of a word that are hit together."""


def struck_spans(
    page: Page, lines: Lines, hits: Sequence[Strike], key: int
) -> list[list[tuple[float, float, float, float]]]:
    """The boxes of the characters that are hit, px on the page, for each region.

    A larger share hits the same characters and more. Characters count equally wide within a word.
    """
    if not hits:
        return []
    words = page.layer.words
    owner = np.concatenate([np.full(h.region.stop - h.region.start, n) for n, h in enumerate(hits)])
    chosen = [words[i] for h in hits for i in range(h.region.start, h.region.stop)]
    box = np.array([word.box for word in chosen], np.float64)
    chars = np.array([max(1, len(word.text)) for word in chosen], np.int64)
    size = np.array([hit.clump for hit in hits], np.int64)[owner]
    count = -(-chars // size)
    word = np.repeat(np.arange(len(chosen)), count)
    place = np.arange(len(word)) - np.repeat(np.cumsum(count) - count, count)
    low = place * size[word]
    high = np.minimum(low + size[word], chars[word])
    clump_owner = owner[word]
    struck = _struck(hits, clump_owner, high - low, key)
    advance = (box[:, 2] - box[:, 0]) / chars
    x0 = box[word, 0] + low * advance[word]
    x1 = box[word, 0] + high * advance[word]
    rows = [lines.rows[one.line] for one in chosen]
    index = np.flatnonzero(struck)
    joined = _joined(index, word, low, high)
    found: list[list[tuple[float, float, float, float]]] = [[] for _ in hits]
    for first, last in joined:
        w = word[first]
        found[clump_owner[first]].append(
            (float(x0[first]), rows[w][1], float(x1[last]), rows[w][3])
        )
    return found


def _struck(hits: Sequence[Strike], owner: np.ndarray, amount: np.ndarray, key: int) -> np.ndarray:
    """Which clumps are hit, bool [clumps]: the first of a keyed order, up to the share."""
    totals = np.bincount(owner)
    first = np.cumsum(totals) - totals
    place = np.arange(len(owner)) - first[owner]
    ids = np.array([hit.region.id for hit in hits], np.int64)[owner]
    order_key = draws(key, ids, FIRST_SLOT + place // LANES)[np.arange(len(owner)), place % LANES]
    order = np.lexsort((order_key, owner))
    running = np.cumsum(amount[order])
    start = np.concatenate(([0], running[np.cumsum(totals) - 1]))[:-1]
    within = running - start[owner[order]]
    chars = np.bincount(owner, weights=amount)
    wanted = np.array([hit.share for hit in hits]) * chars
    middle = within - amount[order] / 2
    struck = np.zeros(len(owner), bool)
    struck[order] = middle < wanted[owner[order]]
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
