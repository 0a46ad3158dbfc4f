"""Order: each sample once an epoch, mixtures exact over time, any window at once."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError
from pagemill.train.stream.order import Order, SourceSize, permutation


def size(name: str, samples: int, *, a_shard: int = 10, weight: float = 1.0) -> SourceSize:
    return SourceSize(name, np.arange(samples) // a_shard, weight)


def rows(order: Order, windows: int, source: int = 0) -> list[tuple[int, int]]:
    """(epoch, row) of what the first windows take of a source."""
    found = []
    for number in range(windows):
        window = order.window(number)
        own = window.source == source
        pairs = zip(window.epoch[own].tolist(), window.row[own].tolist(), strict=True)
        found += pairs
    return found


@settings(max_examples=60)
@given(
    samples=st.integers(1, 200),
    window=st.integers(1, 90),
    shards=st.integers(0, 5),
    seed=st.integers(0, 2**40),
)
def test_each_sample_comes_once_an_epoch(samples, window, shards, seed):
    order = Order([size("a", samples)], seed=seed, window_samples=window, shuffle_shards=shards)
    windows = -(-3 * samples // window)
    found = Counter(rows(order, windows))
    assert max(found.values()) == 1
    for epoch in range(2):
        assert {row for one, row in found if one == epoch} == set(range(samples))


@settings(max_examples=40)
@given(
    weights=st.lists(st.floats(0.05, 5.0), min_size=2, max_size=5),
    windows=st.integers(1, 40),
)
def test_a_mixture_is_within_a_sample_of_its_weights_at_every_window(weights, windows):
    order = Order(
        [size(f"s{n}", 37, weight=weight) for n, weight in enumerate(weights)],
        seed=3,
        window_samples=600,
    )
    taken = np.zeros(len(weights))
    for number in range(windows):
        window = order.window(number)
        assert len(window.row) == 600
        taken += np.bincount(window.source, minlength=len(weights))
        exact = 600 * (number + 1) * np.array(weights) / sum(weights)
        assert np.abs(taken - exact).max() <= 1.0 + 1e-6


def test_windows_need_nobody_before_them():
    sizes = [size("a", 230), size("b", 77, weight=0.4)]
    walked = Order(sizes, seed=5, window_samples=50)
    for number in range(30):
        last = walked.window(number)
    jumped = Order(sizes, seed=5, window_samples=50).window(29)
    for name in ("source", "row", "epoch"):
        assert np.array_equal(getattr(last, name), getattr(jumped, name))


def test_seed_source_and_epoch_each_change_the_order():
    def first(seed: int, name: str, epoch: int) -> list[int]:
        return Order([size(name, 99)], seed=seed, window_samples=9).epoch_order(0, epoch).tolist()

    assert first(1, "a", 0) == first(1, "a", 0)
    others = [first(2, "a", 0), first(1, "b", 0), first(1, "a", 1)]
    assert first(1, "a", 0) not in others
    assert len({tuple(one) for one in others}) == 3


def test_another_source_does_not_move_the_order_of_one():
    alone = Order([size("a", 99)], seed=1, window_samples=90)
    beside = Order([size("a", 99), size("b", 50)], seed=1, window_samples=90)
    assert np.array_equal(alone.epoch_order(0, 3), beside.epoch_order(0, 3))


def test_samples_stay_within_their_block_of_shards():
    order = Order([size("a", 200, a_shard=10)], seed=1, window_samples=50, shuffle_shards=4)
    shards = order.epoch_order(0, 0) // 10
    for start in range(0, 200, 40):
        assert len(set(shards[start : start + 40].tolist())) == 4
    assert shards[:40].tolist() != sorted(shards[:40].tolist())


def test_places_are_even_over_seeds():
    """Chi-square of where sample 0 lands: no place is favoured."""
    counts = np.bincount(
        [int(np.argmin(permutation(seed * 7919 + 1, 16) != 0)) for seed in range(3200)],
        minlength=16,
    )
    assert ((counts - 200) ** 2 / 200).sum() < 37.7  # 0.1% point of 15 degrees of freedom


def test_a_known_order_stays_as_it_is():
    """Runs are resumed by later versions: the order must never change."""
    order = Order([size("golden", 12)], seed=42, window_samples=6)
    assert order.epoch_order(0, 0).tolist() == GOLDEN


GOLDEN = [9, 3, 11, 0, 5, 6, 7, 2, 4, 10, 1, 8]


def test_a_window_deep_in_a_million_pages_is_there_at_once():
    sizes = [size("many", 1_000_000, a_shard=2000)]
    start = time.perf_counter()
    window = Order(sizes, seed=1, window_samples=4096).window(10_000)
    assert time.perf_counter() - start < 5
    assert set(window.epoch.tolist()) <= {40, 41}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Order([], seed=0, window_samples=4), "at least one source"),
        (lambda: Order([size("a", 3), size("a", 3)], seed=0, window_samples=4), "same name"),
        (lambda: size("a", 0), "no samples"),
        (lambda: size("a", 3, weight=0.0), "above 0"),
        (lambda: Order([size("a", 3)], seed=0, window_samples=0), "at least 1"),
        (
            lambda: Order([size("a", 9), size("b", 9, weight=1e-4)], seed=0, window_samples=9),
            "less than one of b",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(ConfigError, match=words):
        make()
