"""The order of samples: every window's samples are a function of sources, seed and window number.

A source is gone through epoch by epoch, each in an order of its own; a mixture takes from every
source in proportion to its weight, exactly over time. Nothing is remembered between windows, so
any window can be had at once, and any number of ranks gets the same.

    order = Order([SourceSize("scans", shard_of_sample)], seed=7, window_samples=4096)
    order.window(12)        # source, row and epoch of 4,096 samples
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...engine.draw import philox
from ...engine.errors import ConfigError
from ...engine.key import keyed_hash

KEPT_EPOCHS = 4
"""Orders that are kept in memory, 8 bytes a sample each."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceSize:
    """What the order needs to know of a source."""

    name: str
    shards: np.ndarray
    """Shard number of every sample, int [samples]."""
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not len(self.shards):
            raise ConfigError(f"the source {self.name} has no samples")
        if not 0 < self.weight < float("inf"):
            raise ConfigError(f"the weight of {self.name} is {self.weight}; it must be above 0")


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The samples of one window, in the order in which they are looked at."""

    number: int
    source: np.ndarray
    """int64 [samples], which of the sources."""
    row: np.ndarray
    """int64 [samples], which sample of it."""
    epoch: np.ndarray
    """int64 [samples], how often the source had been gone through before."""


class Order:
    """Samples by window.

    Args:
        sources: in a fixed order; their names are part of the randomness.
        seed: another seed, another order.
        window_samples: samples of a window: what is planned, and packed, together.
        shuffle_shards: within how many shards samples are mixed. 0 mixes the whole source, which
            suits reads of single samples; a small number keeps reads in whole shards.

    Raises:
        ConfigError: names are not unique, or a source's share of a window is below one sample.
    """

    def __init__(
        self,
        sources: Sequence[SourceSize],
        *,
        seed: int,
        window_samples: int,
        shuffle_shards: int = 0,
    ) -> None:
        if not sources:
            raise ConfigError("the stream needs at least one source")
        names = [source.name for source in sources]
        if len(set(names)) < len(names):
            raise ConfigError(f"two sources have the same name: {', '.join(sorted(names))}")
        if window_samples < 1 or shuffle_shards < 0:
            raise ConfigError("window_samples is at least 1, shuffle_shards at least 0")
        self.sources = tuple(sources)
        self.seed = seed
        self.window_samples = window_samples
        self.shuffle_shards = shuffle_shards
        self._bounds = bounds([source.weight for source in sources])
        self._orders: OrderedDict[tuple[int, int], np.ndarray] = OrderedDict()
        for name, low, high in zip(names, self._bounds, self._bounds[1:], strict=False):
            if (high - low) * window_samples < 1:
                raise ConfigError(
                    f"a window of {window_samples} samples has room for less than one of {name}: "
                    "raise window_samples or its weight"
                )

    def window(self, number: int) -> Window:
        """The samples of a window, all sources mixed."""
        parts = []
        for source in range(len(self.sources)):
            start, stop = (
                self.samples_before(source, number),
                self.samples_before(source, number + 1),
            )
            row, epoch = self.span(source, start, stop)
            parts.append((np.full(stop - start, source), row, epoch))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        key = keyed_hash("order.window", self.seed, number)
        shuffled = permutation(key, len(columns[0]))
        source_of, row, epoch = (column[shuffled] for column in columns)
        return Window(number, source_of, row, epoch)

    def samples_before(self, source: int, windows: int) -> int:
        """Samples that the first `windows` windows take from a source."""
        samples = windows * self.window_samples
        low, high = self._bounds[source], self._bounds[source + 1]
        return int(high * samples // 1) - int(low * samples // 1)

    def span(self, source: int, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """(row, epoch) of the samples from `start` to `stop` of a source's endless sequence."""
        count = len(self.sources[source].shards)
        place = np.arange(start, stop)
        epoch, within = place // count, place % count
        row = np.empty(len(place), dtype=np.int64)
        for number in np.unique(epoch).tolist():
            chosen = epoch == number
            row[chosen] = self.epoch_order(source, number)[within[chosen]]
        return row, epoch

    def epoch_order(self, source: int, epoch: int) -> np.ndarray:
        """Every sample of a source once, int64 [samples]."""
        order = self._orders.get((source, epoch))
        if order is None:
            order = self._draw_epoch_order(source, epoch)
            self._orders[source, epoch] = order
            while len(self._orders) > max(KEPT_EPOCHS, 2 * len(self.sources)):
                self._orders.popitem(last=False)
        self._orders.move_to_end((source, epoch))
        return order

    def _draw_epoch_order(self, source: int, epoch: int) -> np.ndarray:
        size = self.sources[source]
        key = keyed_hash("order.epoch", self.seed, size.name, epoch)
        ranks = random_bits(key, len(size.shards))
        if not self.shuffle_shards:
            return np.argsort(ranks, kind="stable")
        shard_key = keyed_hash("order.shards", self.seed, size.name, epoch)
        place = np.argsort(permutation(shard_key, int(size.shards.max()) + 1))
        group = place[size.shards] // self.shuffle_shards
        return np.lexsort((ranks, group))


def bounds(weights: Sequence[float]) -> list[Fraction]:
    """Shares summed up, exact fractions from 0 to 1."""
    exact = [Fraction(weight) for weight in weights]
    whole = sum(exact)
    edges = [Fraction(0)]
    for weight in exact:
        edges.append(edges[-1] + weight / whole)
    return edges


def permutation(key: int, count: int) -> np.ndarray:
    """The numbers below `count` in an order that the key decides, int64 [count]."""
    return np.argsort(random_bits(key, count), kind="stable")


def random_bits(key: int, count: int) -> np.ndarray:
    """Random bits by counter, uint64 [count]: the same on every machine and every version."""
    counters = np.zeros((-(-count // 2), 4), dtype=np.uint64)
    numbers = np.arange(len(counters), dtype=np.uint64)
    counters[:, 0] = numbers & np.uint64(0xFFFFFFFF)
    counters[:, 1] = numbers >> np.uint64(32)
    return np.ascontiguousarray(philox(key, counters)).view("<u8").reshape(-1)[:count]
