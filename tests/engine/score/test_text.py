"""Scores of texts: known answers, and what holds for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.score import METRICS
from pagemill.engine.score.text import (
    ANY_CASE,
    AS_IT_STANDS,
    LETTERS_ONLY,
    character_edits,
    character_error_rate,
    edit_share,
    jaccard,
    vcr,
    word_edits,
)

TEXT = st.text(alphabet="ab c\n\u00a0é,.漢1", max_size=24)


def score(name, read, target):
    return METRICS[name](read, target).value


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
    ],
)
def test_known_answers(name, read, target, value):
    assert score(name, read, target) == pytest.approx(value)


@given(TEXT)
def test_a_text_read_as_it_stands_has_no_error(text):
    assert score("cer", text, text) == score("wer", text, text) == 0
    assert score("exact", text, text) == score("jaccard", text, text) == 1
    for form in (AS_IT_STANDS, ANY_CASE, LETTERS_ONLY):
        assert form(form(text)) == form(text)


@given(TEXT)
def test_nothing_read_is_one_whole_error(text):
    if AS_IT_STANDS(text):
        assert score("cer", "", text) == score("wer", "", text) == 1


@given(TEXT, TEXT)
def test_two_texts_are_as_far_apart_either_way(first, second):
    for name in ("cer", "wer", "jaccard", "anls", "exact"):
        assert METRICS[name](first, second).part == METRICS[name](second, first).part
    assert edit_share(first, second) == edit_share(second, first)
    assert 0 <= score("jaccard", first, second) <= 1
    assert score("exact", first, second) <= score("jaccard", first, second)


@given(TEXT, TEXT, TEXT)
def test_edits_by_way_of_a_third_text_are_no_fewer(first, second, third):
    def edits(read, target):
        return character_edits(read, target).part

    assert edits(first, third) <= edits(first, second) + edits(second, third)


def test_the_form_says_which_differences_count():
    assert character_error_rate("“A b”", '"A  b"') == 2 / 5
    assert character_error_rate("“Ab”", '"A b"', form=LETTERS_ONLY) == 0
    assert character_error_rate("“ab”", '"A b"', form=LETTERS_ONLY) == 1 / 4
    assert character_error_rate("A B", "a b", form=ANY_CASE) == 0
    assert word_edits("A B", "a b", ANY_CASE).value == 0
    assert word_edits("A B", "a b").value == 1


@pytest.mark.parametrize(
    ("read", "target", "rate"),
    [
        ("paper mill", "paper mill", 0.0),
        ("papermill", "paper mill", 0.0),
        ("", "paper", 1.0),
        ("paqer", "paper", 0.2),
        ("a much longer reading", "mill", 1.0),
        ("‘felt’ – ﬁne", "'felt' - fine", 0.0),
        ("x", "  ", 1.0),
        ("", "  ", 0.0),
    ],
)
def test_what_severities_are_calibrated_by(read, target, rate):
    measured = character_error_rate(read, target, form=LETTERS_ONLY, at_most=1.0)
    assert measured == pytest.approx(rate)


def test_an_error_rate_may_be_held_below_a_bound():
    assert character_error_rate("papers and more", "paper") == 2
    assert character_error_rate("papers and more", "paper", at_most=1) == 1
    assert character_error_rate("papers", "paper", at_most=1) == 1 / 5


def test_vcr_finds_the_answer_among_other_words():
    assert vcr("The hidden text is: the quick fox. I am sure.", "the quick fox") == (1.0, 1.0)
    assert vcr("It says the quick dog", "the quick fox") == (0.0, 0.5)
    assert vcr("quick", "the quick fox") == (0.0, 0.0)
    assert vcr("", "fox") == (0.0, 0.0)


def test_jaccard_of_longer_n_grams_counts_order():
    assert jaccard("a b c", "c b a").value == 1
    assert jaccard("a b c", "c b a", n=2).value == 0
    assert jaccard("a", "a", n=3).value == 1


def test_without_rapidfuzz_the_message_names_the_extra(monkeypatch):
    import importlib
    import sys

    from pagemill.engine.errors import DependencyError
    from pagemill.engine.score import text

    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "rapidfuzz.distance", None)
        patched.delitem(sys.modules, text.__name__)
        with pytest.raises(DependencyError, match=r"pip install 'pagemill\[train\]'"):
            importlib.import_module(text.__name__)
