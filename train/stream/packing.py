"""Which packs a step takes, and the few numbers that say where a run is.

Packs are planned a window at a time, shuffled, and handed out in one endless row: a step takes the
next `global_packs`, wherever windows end, and rank r of R takes every R-th of them from the r-th.
Any R that divides `global_packs` gives the same global batch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...engine.errors import CheckpointError, ConfigError
from ...engine.key import keyed_hash
from .order import Order, Window, permutation
from .pack import pack

KEPT_WINDOWS = 2
VERSION = 1

Lengths = Callable[[Window], tuple[np.ndarray, np.ndarray]]
"""(tokens, slices) of every sample of a window, without reading it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackConfig:
    """How samples become packs."""

    budget_tokens: int = 8192
    """Tokens of one pack, pictures and text together."""
    budget_slices: int = 96
    """Slices of one pack."""
    global_packs: int = 24
    """Packs of one step, over all ranks; the number of ranks must divide it."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < 1:
                raise ConfigError(f"pack.{name} is {value}; it must be at least 1")


@dataclass(frozen=True, slots=True)
class SampleAddress:
    """One sample of a pack, by where it lies."""

    source: int
    row: int
    epoch: int
    window: int
    """In which it was planned: the position of the corruption schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCursor:
    """Where a run is: the next pack to take. The same on every rank."""

    step: int = 0
    window: int = 0
    pack: int = 0


class PackPlanner:
    """The packs of every step.

    Args:
        order: samples by window.
        lengths: of the samples of a window.
        config: budgets.
    """

    def __init__(self, order: Order, lengths: Lengths, config: PackConfig) -> None:
        self.order = order
        self.lengths = lengths
        self.config = config
        self._plans: OrderedDict[int, list[tuple[SampleAddress, ...]]] = OrderedDict()

    def take(self, cursor: StreamCursor) -> tuple[list[tuple[SampleAddress, ...]], StreamCursor]:
        """The packs of the step at a cursor, and the cursor of the next step."""
        taken: list[tuple[SampleAddress, ...]] = []
        window, at = cursor.window, cursor.pack
        while len(taken) < self.config.global_packs:
            plan = self.plan(window)
            part = plan[at : at + self.config.global_packs - len(taken)]
            taken += part
            at += len(part)
            if at >= len(plan):
                window, at = window + 1, 0
        return taken, StreamCursor(step=cursor.step + 1, window=window, pack=at)

    def plan(self, number: int) -> list[tuple[SampleAddress, ...]]:
        """The packs of a window, in the order in which steps take them."""
        packs = self._plans.get(number)
        if packs is None:
            packs = self._plan_window(number)
            self._plans[number] = packs
            while len(self._plans) > KEPT_WINDOWS:
                self._plans.popitem(last=False)
        return packs

    def _plan_window(self, number: int) -> list[tuple[SampleAddress, ...]]:
        window = self.order.window(number)
        tokens, slices = self.lengths(window)
        packs = pack(
            tokens,
            slices,
            budget_tokens=self.config.budget_tokens,
            budget_slices=self.config.budget_slices,
        )
        key = keyed_hash("batch.packs", self.order.seed, number)
        source, row, epoch = window.source.tolist(), window.row.tolist(), window.epoch.tolist()
        return [
            tuple(
                SampleAddress(source[member], row[member], epoch[member], number)
                for member in shuffled(packs[at], key + at)
            )
            for at in permutation(key, len(packs)).tolist()
        ]


def shuffled(samples: list[int], key: int) -> list[int]:
    """The same samples in an order that says nothing of their lengths."""
    return [samples[at] for at in permutation(key % 2**64, len(samples)).tolist()]


def packs_of_rank(
    packs: list[tuple[SampleAddress, ...]], rank: int, ranks: int
) -> list[tuple[SampleAddress, ...]]:
    """The packs of a step that one rank takes.

    Raises:
        ConfigError: the ranks do not divide the packs of a step.
    """
    if ranks < 1 or len(packs) % ranks:
        divisors = [n for n in range(1, len(packs) + 1) if len(packs) % n == 0]
        raise ConfigError(
            f"{ranks} ranks cannot share {len(packs)} packs a step evenly; "
            f"take one of {divisors} ranks, or set pack.global_packs to a multiple of {ranks}"
        )
    if not 0 <= rank < ranks:
        raise ConfigError(f"rank {rank} is not below the {ranks} ranks")
    return packs[rank::ranks]


def to_state(cursor: StreamCursor, fingerprints: Mapping[str, str]) -> dict[str, Any]:
    """What a checkpoint keeps of the stream: plain JSON, well below 4 KB.

    Args:
        cursor: of the next step.
        fingerprints: of everything that the stream is derived from, by name.
    """
    return {"version": VERSION, "cursor": asdict(cursor), "fingerprints": dict(fingerprints)}


def from_state(state: Mapping[str, Any], fingerprints: Mapping[str, str]) -> StreamCursor:
    """The cursor in a state, if it is of this stream.

    Raises:
        CheckpointError: it is of another version, or of a stream derived from something else; the
            message names what differs.
    """
    if state.get("version") != VERSION:
        raise CheckpointError(
            f"the state of the stream is of version {state.get('version')}, this is {VERSION}"
        )
    theirs = state["fingerprints"]
    changed = sorted(
        name for name in {*theirs, *fingerprints} if theirs.get(name) != fingerprints.get(name)
    )
    if changed:
        raise CheckpointError(
            f"the state is of another stream: {', '.join(changed)} changed since. "
            "Restore it, or begin a new run"
        )
    return StreamCursor(**state["cursor"])
