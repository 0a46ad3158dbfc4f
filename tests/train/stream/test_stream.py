"""The stream: the same batches for any ranks, workers and restarts; what it refuses."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from pagemill.train.stream.config import StreamConfig
from pagemill.train.stream.packing import PackConfig
from pagemill.train.stream.sample import SampleConfig
from support.streams import STEPS, stream, walk


@pytest.mark.parametrize("ranks", [3, 8])
def test_any_number_of_ranks_gives_the_same_batches(corpora, processor, expected, ranks):
    assert walk(stream(corpora, processor), STEPS, ranks=ranks) == expected


@pytest.mark.parametrize(("ranks", "workers"), [(1, 2)])
def test_any_number_of_workers_gives_the_same_batches(corpora, processor, expected, ranks, workers):
    assert walk(stream(corpora, processor), STEPS, ranks=ranks, workers=workers) == expected


@pytest.mark.slow
def test_restarts_with_other_ranks_change_nothing(corpora, processor, expected):
    rng = random.Random(1)
    stops = [*sorted(rng.sample(range(1, STEPS), 3)), STEPS]
    state = json.dumps(stream(corpora, processor).state_dict())
    taken: list[list[str]] = []
    for stop in stops:
        made = stream(corpora, processor)
        made.load_state_dict(json.loads(state))
        ranks = rng.choice([1, 2, 3, 4, 6, 8])
        taken += walk(made, stop - len(taken), ranks=ranks)
        state = json.dumps(made.state_dict())
        assert len(state) < 4096
    assert taken == expected


LONG = StreamConfig(
    pack=PackConfig(budget_tokens=224, budget_slices=24, global_packs=24),
    sample=SampleConfig(most_answer_tokens=64),
    window_samples=160,
)

LONG_STEPS = 500


@pytest.fixture(scope="module")
def long_walk(corpora, processor) -> list[list[str]]:
    return walk(stream(corpora, processor, config=LONG), LONG_STEPS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("ranks", "workers"),
    [(2, 0), (3, 0), (4, 0), (6, 0), (8, 0), (1, 1), (1, 3), (2, 3), (3, 1)],
)
def test_five_hundred_steps_are_the_same(corpora, processor, long_walk, ranks, workers):
    made = stream(corpora, processor, config=LONG)
    assert walk(made, LONG_STEPS, ranks=ranks, workers=workers) == long_walk


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_restarts_with_other_ranks_change_nothing(corpora, processor, long_walk):
    rng = random.Random(2)
    stops = [*sorted(rng.sample(range(1, LONG_STEPS), 20)), LONG_STEPS]
    state, taken = stream(corpora, processor, config=LONG).state_dict(), []
    for stop in stops:
        made = stream(corpora, processor, config=LONG)
        made.load_state_dict(json.loads(json.dumps(state)))
        taken += walk(made, stop - len(taken), ranks=rng.choice([1, 2, 3, 4, 6, 8]))
        state = made.state_dict()
    assert taken == long_walk


def test_each_page_comes_once_an_epoch_and_sources_by_weight(corpora, processor):
    made = stream(corpora, processor)
    counts: Counter[str] = Counter()
    tasks: Counter[str] = Counter()
    for batch, _ in zip(made.batches(), range(12), strict=False):
        counts.update(key for pack in batch.keys for key in pack)
        tasks.update(task for pack in batch.tasks_of_packs for task in pack)
    assert set(tasks) == {"read", "restore"}
    scans, forms = (set(source.keys.tolist()) for source in made.sources)
    assert set(counts) == scans | forms
    for keys in (scans, forms):
        seen = [counts[key] for key in keys]
        assert max(seen) - min(seen) <= 3
    share = sum(counts[key] for key in scans) / sum(counts.values())
    assert abs(share - 2 / 3) < 0.05
