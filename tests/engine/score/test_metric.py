"""Metrics: known answers, what holds for any text, and intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError
from pagemill.engine.score import metric
from pagemill.engine.score.metric import METRICS, Estimate, estimate, estimated, item, normal, vcr

TEXT = st.text(alphabet="ab c\n\u00a0é,.漢1", max_size=24)
TABLE = (
    "<table><thead><tr><th>Item</th><th colspan='2'>Sum</th></tr></thead>"
    "<tbody><tr><td>Felt</td><td>12</td><td>EUR</td></tr></tbody></table>"
)


@pytest.mark.parametrize(
    ("name", "read", "target", "value"),
    [
        ("cer", "paper mill", "paper mill", 0.0),
        ("cer", "", "paper", 1.0),
        ("cer", "paper mill", "paper", 1.0),
        ("cer", "papers and more", "paper", 2.0),
        ("cer", "kitten", "sitting", 3 / 7),
        ("cer", " paper\n\nmill ", "paper mill", 0.0),
        ("cer", "ﬁbre", "fibre", 0.0),
        ("cer", "Paper", "paper", 0.2),
        ("cer", "abc", "", 3.0),
        ("wer", "the paper mill", "the water mill", 1 / 3),
        ("wer", "a b c d", "a", 3.0),
        ("exact", "paper  mill", "paper mill", 1.0),
        ("exact", "paper mills", "paper mill", 0.0),
        ("exact", "mill, paper", "mill , paper", 1.0),
        ("jaccard", "the paper mill", "the water mill", 0.5),
        ("jaccard", "mill mill", "mill", 1.0),
        ("jaccard", "漢字", "漢語", 1 / 3),
        ("anls", "hello", "hallo", 0.8),
        ("anls", "Hello", ["nothing like it", "hello"], 1.0),
        ("anls", "ab", "ax", 0.0),
        ("field_f1", {"sum": "12", "date": "1 May"}, {"sum": "12", "date": "2 May"}, 0.5),
        ("field_f1", {"sum": "12"}, {"sum": " 12 ", "date": "", "to": "Ann"}, 2 / 3),
        ("teds", TABLE, TABLE, 1.0),
        ("teds", TABLE.replace("Felt", "Belt"), TABLE, 1 - 0.25 / 10),
        ("teds", TABLE.replace("<td>EUR</td>", ""), TABLE, 0.9),
        ("teds", TABLE.replace("colspan='2'", ""), TABLE, 0.9),
        ("teds", "no table", TABLE, 0.0),
        ("teds", "<table><tr><td>a<td>b<tr><td>c</table>",
         "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", 1.0),
    ],
)  # fmt: skip
def test_known_answers(name, read, target, value):
    assert item(name, read, target) == pytest.approx(value)


def test_an_error_rate_of_a_corpus_weighs_items_by_their_length():
    reads, targets = ["abcdefghij", "x"], ["abcdefghij", "y"]
    assert estimated("cer", reads, targets).value == pytest.approx(1 / 11)
    assert estimated("exact", reads, targets).value == 0.5


@given(TEXT)
def test_a_text_read_as_it_stands_has_no_error(text):
    assert item("cer", text, text) == item("wer", text, text) == 0
    assert item("exact", text, text) == item("jaccard", text, text) == 1
    assert normal(normal(text)) == normal(text)


@given(TEXT)
def test_nothing_read_is_one_whole_error(text):
    if normal(text):
        assert item("cer", "", text) == item("wer", "", text) == 1


@given(TEXT, TEXT)
def test_two_texts_are_as_far_apart_either_way(one, other):
    for name in ("cer", "wer", "jaccard", "anls", "exact"):
        assert METRICS[name](one, other)[0] == METRICS[name](other, one)[0]
    assert 0 <= item("jaccard", one, other) <= 1
    assert item("exact", one, other) <= item("jaccard", one, other)
    assert item("anls", one, other) == 0 or item("anls", one, other) > 0.5


@given(TEXT, TEXT, TEXT)
def test_edits_by_way_of_a_third_text_are_no_fewer(one, other, third):
    edits = metric.character_edits
    assert edits(one, third)[0] <= edits(one, other)[0] + edits(other, third)[0]


def test_vcr_finds_the_answer_among_other_words():
    assert vcr("The hidden text is: the quick fox. I am sure.", "the quick fox") == (1.0, 1.0)
    assert vcr("It says the quick dog", "the quick fox") == (0.0, 0.5)
    assert vcr("quick", "the quick fox") == (0.0, 0.0)
    assert vcr("", "fox") == (0.0, 0.0)


def test_jaccard_of_longer_n_grams_counts_order():
    assert metric.jaccard("a b c", "c b a")[0] == 1
    assert metric.jaccard("a b c", "c b a", n=2)[0] == 0
    assert metric.jaccard("a", "a", n=3)[0] == 1


def test_a_table_of_structure_alone_forgets_what_cells_say():
    other = TABLE.replace("Felt", "Water")
    assert metric.teds(other, TABLE, structure_only=True)[0] == 1
    assert metric.teds(other, TABLE)[0] < 1


def test_an_interval_is_a_function_of_values_documents_and_seed():
    rng = np.random.default_rng(5)
    pairs = [(float(one), 1.0) for one in rng.random(60)]
    documents = [f"d{number // 4}" for number in range(60)]
    first = estimate(pairs, documents, seed=3)
    assert first == estimate(pairs, documents, seed=3)
    assert first != estimate(pairs, documents, seed=4)
    assert first.low <= first.value <= first.high
    assert first.n == 60
    names = [f"other-{one}" for one in documents]
    assert estimate(pairs, names, seed=3) == first


def test_items_of_one_document_are_resampled_together():
    pairs = [(float(number // 10 % 2), 1.0) for number in range(100)]
    together = [f"d{number // 10}" for number in range(100)]
    wide, narrow = estimate(pairs, together), estimate(pairs)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    one = estimate(pairs, ["d"] * 100)
    assert (one.low, one.high) == (narrow.low, narrow.high)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(11)
    held = 0
    for number in range(150):
        rates = np.repeat(rng.beta(2, 4, 50), 4)
        hits = (rng.random(200) < rates).astype(float)
        documents = np.repeat(np.arange(50), 4).astype(str).tolist()
        pairs = [(one, 1.0) for one in hits]
        found = estimate(pairs, documents, seed=number, resamples=300)
        held += found.low <= 1 / 3 <= found.high
    assert 0.87 <= held / 150 <= 0.99


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=20))
def test_an_estimate_is_always_finite(pairs):
    found = estimate([(float(part), float(whole)) for part, whole in pairs], resamples=20)
    assert np.isfinite([found.value, found.low, found.high]).all()
    assert found.low <= found.high
    assert found.to_dict() == {
        "value": found.value, "low": found.low, "high": found.high, "n": len(pairs),
    }  # fmt: skip
    assert Estimate(**found.to_dict()) == found


def test_wrong_arguments_are_refused():
    with pytest.raises(ConfigError, match="no metric 'ser'"):
        estimated("ser", ["a"], ["a"])
    with pytest.raises(ConfigError, match="2 readings of 1 targets"):
        estimated("cer", ["a", "b"], ["a"])
    with pytest.raises(ConfigError, match="no items"):
        estimate([])
    with pytest.raises(ConfigError, match="1 items, but 2 documents"):
        estimate([(1.0, 1.0)], ["a", "b"])
