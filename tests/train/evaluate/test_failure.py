"""A case that goes wrong is its own failure: named, counted, in no figure, and the others go on."""

from __future__ import annotations

import dataclasses
import json

import pytest
from pagemill.engine.errors import DataError
from pagemill.engine.failure import Failures
from pagemill.engine.image import decode
from pagemill.model.question import Reply
from pagemill.train.evaluate import (
    EvalConfig,
    answer_cases,
    open_cases,
    summarize,
    write_evaluation,
)
from pagemill.train.evaluate.case import FAILURES_IN_A_ROW
from pagemill.train.stream.corpus import PageSource

CONFIG = EvalConfig(pages=6, regions=3, batch=4, most_new_tokens=64, shown=0)


class RaisesOn:
    """Answers with what the question suggests, but raises on pages of one width and height."""

    name, kind, answers_blind = "raises", "fake", True

    def __init__(self, case, error) -> None:
        self.pixels = {case.view(case.pixels(), name).tobytes() for name in case.plans}
        self.error = error

    def answer(self, questions):
        if any(question.picture.pixels.tobytes() in self.pixels for question in questions):
            raise self.error
        counts = [len(question.boxes) or 1 for question in questions]
        return [Reply(("text",) * count, (False,) * count) for count in counts]


@pytest.fixture
def cases(corpora, processor):
    """Six pages, opened anew for each test."""
    return open_cases(CONFIG, processor, corpora)


def test_a_reader_that_raises_on_one_case_costs_that_case_alone(cases):
    failures = Failures(FAILURES_IN_A_ROW)
    reader = RaisesOn(cases[2], RuntimeError("cannot reshape"))
    answers = answer_cases(reader, cases, CONFIG, failures=failures)
    assert {answer.key for answer in answers} == {case.key for case in cases} - {cases[2].key}
    (failure,) = failures.failures
    assert (failure.name, failure.reason) == (cases[2].key, "internal_error")
    assert "RuntimeError: cannot reshape" in failure.message
    assert "test_failure.py" in failure.message, "says where it was raised"


def test_innocent_cases_have_the_answers_they_have_alone(cases):
    reader = RaisesOn(cases[2], RuntimeError("cannot reshape"))
    others = [case for case in cases if case is not cases[2]]
    together, apart = (
        [dataclasses.replace(answer, seconds=0) for answer in answer_cases(reader, some, CONFIG)]
        for some in (cases, others)
    )
    assert together == apart


def test_a_page_whose_image_cannot_be_read_is_named_with_its_shard(cases, monkeypatch):
    image = PageSource.image

    def broken(source, row):
        return decode(b"no picture") if source.keys[row] == cases[1].key else image(source, row)

    reader = RaisesOn(cases[0], ValueError("picture refused"))
    monkeypatch.setattr(PageSource, "image", broken)
    failures = Failures(FAILURES_IN_A_ROW)
    answers = answer_cases(reader, cases, CONFIG, failures=failures)
    assert [failure.name for failure in failures.failures] == [cases[0].key, cases[1].key]
    assert f"{cases[1].key}: the image" in failures.failures[1].message
    assert "shards/train-" in failures.failures[1].message
    assert len({answer.key for answer in answers}) == len(cases) - 2


def test_a_page_whose_words_cannot_be_read_is_left_out_when_cases_are_opened(
    corpora, processor, cases, monkeypatch
):
    page = PageSource.page

    def broken(source, row):
        if source.keys[row] == cases[3].key:
            raise DataError("no such member", key=cases[3].key, reason="broken")
        return page(source, row)

    monkeypatch.setattr(PageSource, "page", broken)
    failures = Failures(FAILURES_IN_A_ROW)
    opened = open_cases(CONFIG, processor, corpora, failures=failures)
    assert [case.key for case in opened] == [case.key for case in cases if case.key != cases[3].key]
    assert [(failure.name, failure.reason) for failure in failures.failures] == [
        (cases[3].key, "broken")
    ]


def test_failures_in_a_row_end_an_evaluation_and_successes_between_them_do_not(cases):
    def fails_on(*numbers):
        readers = [RaisesOn(cases[number], ValueError("no")) for number in numbers]
        readers[0].pixels = set().union(*(reader.pixels for reader in readers))
        return readers[0]

    apart, together = Failures(2), Failures(2)
    answer_cases(fails_on(0, 2, 4), cases, CONFIG, failures=apart)
    assert len(apart.failures) == 3
    with pytest.raises(DataError, match="2 in a row went wrong"):
        answer_cases(fails_on(2, 3), cases, CONFIG, failures=together)


@pytest.mark.parametrize("error", [MemoryError("no room"), ImportError("no module")])
def test_what_the_machine_lacks_is_never_taken_for_a_bad_case(cases, error):
    failures = Failures(FAILURES_IN_A_ROW)
    with pytest.raises(type(error)):
        answer_cases(RaisesOn(cases[0], error), cases, CONFIG, failures=failures)
    assert failures.failures == []


def test_failures_are_counted_in_the_summary_and_named_in_the_file(cases, tmp_path):
    failures = Failures(FAILURES_IN_A_ROW)
    reader = RaisesOn(cases[2], RuntimeError("cannot reshape"))
    answers = answer_cases(reader, cases, CONFIG, failures=failures)
    summary = summarize(answers, CONFIG, failures.failures)
    assert summary.to_dict()["failed"] == 1
    write_evaluation(tmp_path / "e.json", summary, answers)
    (row,) = json.loads((tmp_path / "e.json").read_bytes())["failures"]
    assert row["name"] == cases[2].key
    assert row["reason"] == "internal_error"
