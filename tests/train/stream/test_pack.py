"""Packs: each sample once, both budgets kept, little left over."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError
from pagemill.train.stream.pack import fill, pack

LENGTHS = {
    "pages": lambda rng: rng.integers(650, 1300, 4096),
    "pages and receipts": lambda rng: np.r_[
        rng.integers(100, 400, 1500), rng.integers(620, 1500, 2596)
    ],
    "skewed": lambda rng: np.clip(rng.lognormal(6.6, 0.4, 4096), 80, 4000).astype(int),
}


@settings(max_examples=200)
@given(
    samples=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 12)), max_size=80),
)
def test_each_sample_is_packed_once_within_both_budgets(samples):
    tokens = [one for one, _ in samples]
    slices = [one for _, one in samples]
    packs = pack(tokens, slices, budget_tokens=100, budget_slices=12)
    assert sorted(one for row in packs for one in row) == list(range(len(samples)))
    assert all(packs)
    for row in packs:
        assert sum(tokens[one] for one in row) <= 100
        assert sum(slices[one] for one in row) <= 12


@pytest.mark.parametrize("kind", LENGTHS)
@pytest.mark.parametrize(("budget", "least"), [(4096, 0.95), (8192, 0.97)])
def test_little_is_left_over(kind, budget, least):
    tokens = LENGTHS[kind](np.random.default_rng(0))
    packs = pack(tokens, np.full(len(tokens), 9), budget_tokens=budget, budget_slices=1000)
    assert fill(packs, tokens, budget) >= least


def test_a_budget_of_slices_binds_alone():
    packs = pack([10] * 8, [5] * 8, budget_tokens=1000, budget_slices=10)
    assert [len(row) for row in packs] == [2, 2, 2, 2]


def test_the_same_samples_give_the_same_packs():
    tokens = LENGTHS["skewed"](np.random.default_rng(1))
    once, again = (
        pack(tokens, tokens // 90, budget_tokens=4096, budget_slices=60) for _ in range(2)
    )
    assert once == again


def test_planning_is_fast():
    tokens = LENGTHS["pages"](np.random.default_rng(2))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        pack(tokens, np.full(len(tokens), 9), budget_tokens=8192, budget_slices=96)
        seconds.append(time.perf_counter() - start)
    assert len(tokens) / min(seconds) >= 200_000


@pytest.mark.parametrize(
    ("tokens", "slices", "words"),
    [
        ([10, 101], [1, 1], "budget_tokens is 100, but sample 1 of the window needs 101"),
        ([10, 10], [1, 13], "budget_slices is 12, but sample 1 of the window needs 13"),
        ([10], [1, 2], "1 samples have tokens, 2 have slices"),
    ],
)
def test_a_sample_that_fits_nowhere_is_named(tokens, slices, words):
    with pytest.raises(ConfigError, match=words):
        pack(tokens, slices, budget_tokens=100, budget_slices=12)


def test_nothing_gives_no_packs():
    assert pack([], [], budget_tokens=10, budget_slices=1) == []
