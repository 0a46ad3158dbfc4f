"""Samples into packs: sequences of one token budget, and of one budget of slices.

A pack begins with the longest sample that is left. What then remains is shared out over as many
samples of usual length as it has room for, each taken near an equal share, and the last one is the
longest that fits: long samples meet short ones, and almost nothing is left over. Filling with the
longest first leaves gaps wherever the shortest sample is a good part of the budget. The last packs
share what little is missing, so that no step gets a nearly empty one.
Deterministic; equal lengths keep their order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from ...engine.errors import ConfigError

TAIL = 16
"""Last packs that are levelled."""


def pack(
    tokens: Sequence[int] | np.ndarray,
    slices: Sequence[int] | np.ndarray,
    *,
    budget_tokens: int,
    budget_slices: int,
) -> list[list[int]]:
    """Group samples into packs within both budgets.

    Args:
        tokens: of each sample, pictures and text together.
        slices: of each sample's pictures; 0 for text alone.
        budget_tokens: capacity of one pack.
        budget_slices: capacity of one pack.

    Returns:
        Indices of samples, one list a pack; each index occurs once.

    Raises:
        ConfigError: a sample does not fit an empty pack.
    """
    size = np.asarray(tokens, dtype=np.int64)
    cut = np.asarray(slices, dtype=np.int64)
    if len(size) != len(cut):
        raise ConfigError(f"{len(size)} samples have tokens, {len(cut)} have slices")
    if not len(size):
        return []
    check_fits(size, "tokens", budget_tokens)
    check_fits(cut, "slices", budget_slices)
    packs = Shelf(size, cut).packs(budget_tokens, budget_slices)
    tail = level_packs(packs[-TAIL:], size, cut, budget_tokens, budget_slices)
    return packs[:-TAIL] + tail


class Shelf:
    """Samples that wait, grouped by their (tokens, slices)."""

    def __init__(self, size: np.ndarray, cut: np.ndarray) -> None:
        order = np.lexsort((np.arange(len(size)), cut, size))
        kinds = np.stack([size[order], cut[order]], axis=1)
        starts = np.flatnonzero(np.r_[True, (kinds[1:] != kinds[:-1]).any(axis=1)])
        ends = np.r_[starts[1:], len(order)]
        self.waiting = order.tolist()
        self.tokens: list[int] = kinds[starts, 0].tolist()
        self.slices: list[int] = kinds[starts, 1].tolist()
        self.next: list[int] = starts.tolist()
        self.end: list[int] = ends.tolist()
        self.samples = len(size)
        self.total = max(1, int(size.sum()))

    def packs(self, budget_tokens: int, budget_slices: int) -> list[list[int]]:
        """All samples, pack by pack."""
        packs = []
        while self.tokens:
            left_tokens, left_slices, filled = budget_tokens, budget_slices, []
            kind = len(self.tokens) - 1
            while kind >= 0:
                left_tokens -= self.tokens[kind]
                left_slices -= self.slices[kind]
                filled.append(self.take(kind))
                more = max(1, int(left_tokens * self.samples / self.total)) if self.samples else 1
                kind = self.fitting(left_tokens // more, left_slices)
                if kind < 0 and more > 1:
                    kind = self.fitting(left_tokens, left_slices)
            packs.append(filled)
        return packs

    def take(self, kind: int) -> int:
        """The first sample of a kind, gone from the shelf."""
        sample: int = self.waiting[self.next[kind]]
        self.next[kind] += 1
        self.samples -= 1
        self.total = max(1, self.total - self.tokens[kind])
        if self.next[kind] == self.end[kind]:
            for column in (self.tokens, self.slices, self.next, self.end):
                del column[kind]
        return sample

    def fitting(self, left_tokens: int, left_slices: int) -> int:
        """The longest kind that fits both budgets; -1 where none does."""
        kind = bisect_right(self.tokens, left_tokens) - 1
        while kind >= 0 and self.slices[kind] > left_slices:
            kind -= 1
        return kind


def level_packs(
    packs: list[list[int]],
    size: np.ndarray,
    cut: np.ndarray,
    budget_tokens: int,
    budget_slices: int,
) -> list[list[int]]:
    """The same samples in as many packs of nearly equal length; as they were where that fails."""
    samples = [sample for members in packs for sample in members]
    longest_first = sorted(samples, key=lambda sample: -int(size[sample]))
    level: list[list[int]] = [[] for _ in packs]
    tokens, slices = [0] * len(packs), [0] * len(packs)
    for sample in longest_first:
        need_tokens, need_slices = int(size[sample]), int(cut[sample])
        room = [
            number
            for number in range(len(level))
            if tokens[number] + need_tokens <= budget_tokens
            and slices[number] + need_slices <= budget_slices
        ]
        if not room:
            return packs
        chosen = min(room, key=tokens.__getitem__)
        level[chosen].append(sample)
        tokens[chosen] += need_tokens
        slices[chosen] += need_slices
    return level if all(level) else packs


def check_fits(sizes: np.ndarray, what: str, budget: int) -> None:
    """Refuse samples that fit no pack."""
    if int(sizes.max()) > budget or int(sizes.min()) < 0:
        worst = int(sizes.argmax())
        raise ConfigError(
            f"pack.budget_{what} is {budget}, but sample {worst} of the window needs "
            f"{int(sizes[worst])}. Raise pack.budget_{what}, or lower what a sample may take."
        )


def fill(packs: Sequence[Sequence[int]], tokens: Sequence[int] | np.ndarray, budget: int) -> float:
    """Share of all packs' budgets that samples take up."""
    return float(np.asarray(tokens)[[sample for members in packs for sample in members]].sum()) / (
        len(packs) * budget
    )
