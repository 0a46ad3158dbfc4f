"""Figures over many items, and intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError
from pagemill.engine.score import METRICS, Score
from pagemill.engine.score.interval import Estimate, estimate, unvaried_interval
from scipy.stats import binomtest


def shares(values):
    return [Score(float(value), 1.0) for value in values]


def test_an_error_rate_of_a_corpus_weighs_items_by_their_length():
    pairs = [("abcdefghij", "abcdefghij"), ("x", "y")]
    assert estimate([METRICS["cer"](*pair) for pair in pairs]).value == pytest.approx(1 / 11)
    assert estimate([METRICS["exact"](*pair) for pair in pairs]).value == 0.5


def test_no_error_in_twenty_answers_is_not_certainty():
    right = estimate([METRICS["exact"]("paper", "paper")] * 20)
    assert (right.value, right.high) == (1.0, 1.0)
    assert right.low == pytest.approx(0.8316, abs=1e-4)
    read = estimate([METRICS["cer"]("paper", "paper")] * 20)
    assert (read.value, read.low) == (0.0, 0.0)
    assert read.high == pytest.approx(0.1684, abs=1e-4)


def test_no_right_answer_in_twenty_is_not_certainty_either():
    wrong = estimate([METRICS["exact"]("paper", "felt")] * 20)
    assert (wrong.value, wrong.low) == (0.0, 0.0)
    assert wrong.high == pytest.approx(0.1684, abs=1e-4)
    unread = estimate([METRICS["cer"]("", "paper")] * 20)
    assert (unread.value, unread.high) == (1.0, 1.0)
    assert unread.low == pytest.approx(0.8316, abs=1e-4)


def test_one_answer_says_next_to_nothing():
    single = estimate([Score(1.0, 5.0)])
    assert single.low < 0.01
    assert single.high > 0.97
    above = estimate([Score(10.0, 5.0)])
    assert (above.value, above.high) == (2.0, 2.0)
    assert above.low < 0.1


def test_right_answers_of_few_documents_prove_less_than_of_many():
    right = shares([1] * 100)
    few = estimate(right, [f"d{number // 50}" for number in range(100)])
    many = estimate(right, [f"d{number // 2}" for number in range(100)])
    assert few.low < 0.2
    assert many.low > 0.9


@given(st.integers(1, 5000))
def test_the_exact_interval_is_that_of_clopper_and_pearson(count):
    none = binomtest(0, count).proportion_ci(confidence_level=0.95, method="exact")
    every = binomtest(count, count).proportion_ci(confidence_level=0.95, method="exact")
    assert unvaried_interval(0.0, count) == pytest.approx((none.low, none.high))
    assert unvaried_interval(1.0, count) == pytest.approx((every.low, every.high))


def test_nothing_to_read_says_nothing():
    blank = estimate([Score(0.0, 0.0)] * 9)
    assert (blank.value, blank.low, blank.high) == (0.0, 0.0, 1.0)


def test_an_interval_is_a_function_of_values_documents_and_seed():
    rng = np.random.default_rng(5)
    scores = shares(rng.random(60))
    documents = [f"d{number // 4}" for number in range(60)]
    first = estimate(scores, documents, seed=3)
    assert first == estimate(scores, documents, seed=3)
    assert first != estimate(scores, documents, seed=4)
    assert first.low <= first.value <= first.high
    assert first.n == 60
    names = [f"other-{name}" for name in documents]
    assert estimate(scores, names, seed=3) == first


def test_items_of_one_document_are_resampled_together():
    scores = shares(number // 10 % 2 for number in range(100))
    together = [f"d{number // 10}" for number in range(100)]
    wide, narrow = estimate(scores, together), estimate(scores)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    single = estimate(scores, ["d"] * 100)
    assert (single.low, single.high) == (narrow.low, narrow.high)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(11)
    held = 0
    for number in range(150):
        rates = np.repeat(rng.beta(2, 4, 50), 4)
        scores = shares(rng.random(200) < rates)
        documents = np.repeat(np.arange(50), 4).astype(str).tolist()
        figure = estimate(scores, documents, seed=number, resamples=300)
        held += figure.low <= 1 / 3 <= figure.high
    assert 0.87 <= held / 150 <= 0.99


def test_intervals_hold_the_truth_where_errors_are_rare():
    rng = np.random.default_rng(12)
    unvaried = held = 0
    for number in range(200):
        scores = shares(rng.random(30) < 0.02)
        figure = estimate(scores, seed=number, resamples=100)
        if not figure.value:
            unvaried += 1
            held += figure.low <= 0.02 <= figure.high
    assert held == unvaried > 50


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=20))
def test_an_estimate_is_always_finite(pairs):
    figure = estimate([Score(float(part), float(whole)) for part, whole in pairs], resamples=20)
    assert np.isfinite([figure.value, figure.low, figure.high]).all()
    assert figure.low <= figure.high
    assert figure.to_dict() == {
        "value": figure.value, "low": figure.low, "high": figure.high, "n": len(pairs),
    }  # fmt: skip
    assert Estimate(**figure.to_dict()) == figure


def test_wrong_arguments_are_refused():
    with pytest.raises(ConfigError, match="no items"):
        estimate([])
    with pytest.raises(ConfigError, match="1 items, but 2 documents"):
        estimate([Score(1.0, 1.0)], ["a", "b"])
