"""Scores of answers and fields: known answers, and what holds for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.score.field import anls, field_f1
from rapidfuzz.distance import Levenshtein

TEXT = st.text(alphabet="ab c\n\u00a0é,.漢1", max_size=24)


@pytest.mark.parametrize(
    ("read", "targets", "value"),
    [
        ("hello", "hallo", 0.8),
        ("Hello", ["nothing like it", "hello"], 1.0),
        ("ab", "ax", 0.0),
        ("", [], 0.0),
    ],
)
def test_an_answer_counts_by_its_likeness_to_the_nearest_accepted_one(read, targets, value):
    assert anls(read, targets).value == pytest.approx(value)


@given(TEXT, TEXT)
def test_an_answer_less_than_half_alike_counts_for_nothing(read, target):
    folded = [" ".join(text.split()).lower() for text in (read, target)]
    likeness = Levenshtein.normalized_similarity(*folded)
    assert anls(read, target).value == (likeness if likeness > 0.5 else 0.0)


@pytest.mark.parametrize(
    ("read", "target", "value"),
    [
        ({"sum": "12", "date": "1 May"}, {"sum": "12", "date": "2 May"}, 0.5),
        ({"sum": "12"}, {"sum": " 12 ", "date": "", "to": "Ann"}, 2 / 3),
        ({}, {"sum": "12"}, 0.0),
    ],
)
def test_fields_are_right_where_their_texts_are_the_same(read, target, value):
    assert field_f1(read, target).value == pytest.approx(value)
