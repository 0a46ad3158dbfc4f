"""Steps: the same global batch for any ranks, from any cursor, however often one stops."""

from __future__ import annotations

import json
import random
from collections import Counter

import numpy as np
import pytest
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.train.stream.order import Order, SourceSize, Window
from pagemill.train.stream.packing import (
    PackConfig,
    PackPlanner,
    SampleAddress,
    StreamCursor,
    from_state,
    packs_of_rank,
    to_state,
)

SIZES = (
    SourceSize("pages", np.arange(500) // 40, 2.0),
    SourceSize("forms", np.arange(170) // 40, 1.0),
)
CONFIG = PackConfig(budget_tokens=4096, budget_slices=48, global_packs=24)
STEPS = 60
MARKS = {"config": "c1", "corpus": "k1"}


def lengths(window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Made up, but a function of the sample alone: slices of 66 tokens, and text."""
    mixed = window.row * 7919 + window.source * 104729 + window.epoch * 31
    slices = 1 + mixed % 10
    return 66 * slices + 90 + mixed // 10 % 500, slices


def batches() -> PackPlanner:
    return PackPlanner(Order(SIZES, seed=9, window_samples=256), lengths, CONFIG)


def walk(steps: int) -> list[list[tuple[SampleAddress, ...]]]:
    made, cursor, taken = batches(), StreamCursor(), []
    for _ in range(steps):
        packs, cursor = made.take(cursor)
        taken.append(packs)
    return taken


@pytest.fixture(scope="module")
def uninterrupted() -> list[list[tuple[SampleAddress, ...]]]:
    return walk(STEPS)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 6, 8, 12, 24])
def test_ranks_share_the_global_batch(uninterrupted, ranks):
    for packs in uninterrupted:
        shares = [packs_of_rank(packs, rank, ranks) for rank in range(ranks)]
        assert [len(share) for share in shares] == [24 // ranks] * ranks
        woven = [share[number] for number in range(24 // ranks) for share in shares]
        assert woven == packs


def test_kills_and_restarts_change_nothing(uninterrupted):
    """Twenty stops at any step, the state through JSON, a new process's worth of objects."""
    rng = random.Random(4)
    stops = sorted(rng.sample(range(1, STEPS), 20))
    state, taken = to_state(StreamCursor(), MARKS), []
    for stop in [*stops, STEPS]:
        made, cursor = batches(), from_state(json.loads(json.dumps(state)), MARKS)
        assert cursor.step == len(taken)
        while cursor.step < stop:
            packs, cursor = made.take(cursor)
            taken.append(packs)
        state = to_state(cursor, MARKS)
    assert taken == uninterrupted


def test_nothing_is_repeated_or_skipped(uninterrupted):
    seen = Counter(one for packs in uninterrupted for row in packs for one in row)
    assert max(seen.values()) == 1
    for source, size in enumerate(SIZES):
        epochs = {one.epoch for one in seen if one.source == source}
        for epoch in range(max(epochs) - 1):
            rows = {one.row for one in seen if (one.source, one.epoch) == (source, epoch)}
            assert rows == set(range(len(size.shards)))


def test_ranks_carry_alike():
    """Tokens of the busiest rank over the mean, at every step."""
    made, cursor = (
        PackPlanner(Order(SIZES, seed=9, window_samples=4096), lengths, CONFIG),
        StreamCursor(),
    )
    for _ in range(100):
        packs, cursor = made.take(cursor)
        loads = []
        for rank in range(8):
            own = [one for row in packs_of_rank(packs, rank, 8) for one in row]
            columns = np.array([[one.source, one.row, one.epoch] for one in own]).T
            loads.append(int(lengths(Window(0, *columns))[0].sum()))
        assert max(loads) / np.mean(loads) <= 1.02


def test_the_state_is_small_and_plain():
    text = json.dumps(to_state(StreamCursor(step=10**9, window=10**7, pack=999), MARKS))
    assert len(text) < 4096


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 7}, "version 7"),
        ({"fingerprints": {"config": "c2", "corpus": "k1"}}, "config changed"),
        ({"fingerprints": {"config": "c1"}}, "corpus changed"),
    ],
)
def test_a_state_of_another_stream_is_refused(change, words):
    state = {**to_state(StreamCursor(), MARKS), **change}
    with pytest.raises(CheckpointError, match=words):
        from_state(state, MARKS)


def test_ranks_that_do_not_divide_are_refused_with_those_that_do():
    with pytest.raises(ConfigError, match=r"5 ranks .* \[1, 2, 3, 4, 6, 8, 12, 24\]"):
        packs_of_rank([()] * 24, 0, 5)
    with pytest.raises(ConfigError, match="rank 2 is not below the 2"):
        packs_of_rank([()] * 24, 2, 2)
    with pytest.raises(ConfigError, match=r"pack\.global_packs is 0"):
        PackConfig(global_packs=0)
