"""The table of an evaluation on a terminal."""

from __future__ import annotations

import re

from pagemill.command.terminal.evaluation import evaluation_notes, evaluation_table
from pagemill.engine.failure import Failure
from pagemill.train.evaluate import answer_cases, summarize
from support.readers import CONFIG, GuessingReader, KnowingReader


def test_the_table_is_aligned(cases):
    readers = [KnowingReader(cases, name="a model with a long name"), GuessingReader(name="guess")]
    summaries = [summarize(answer_cases(one, cases, CONFIG), CONFIG) for one in readers]
    lines = list(evaluation_table(summaries))
    head = lines[0].split("   ")[0]
    assert head == "regions, CER"
    starts = {line.index(name) for name in ("clean", "moderate") for line in lines if name in line
              and line.startswith("regions")}  # fmt: skip
    assert len(starts) == 2
    assert any(line.startswith("guess, blind") for line in lines)
    assert re.search(r"100\.0% \(\d+\.\d–100\.0\)", "\n".join(lines))
    assert "answers cut off" in "\n".join(evaluation_notes(summaries))


def test_pages_that_went_wrong_are_named_below_the_table(cases):
    failures = [
        Failure(f"page-{number}", "internal_error", "ValueError: no") for number in range(12)
    ]
    reader = KnowingReader(cases)
    summary = summarize(answer_cases(reader, cases, CONFIG), CONFIG, failures, reader=reader)
    notes = "\n".join(evaluation_notes([summary]))
    assert "12 pages went wrong and are in no figure:" in notes
    assert "page-0: internal_error: ValueError: no" in notes
    assert "and 2 more" in notes


def test_a_reader_that_answered_nothing_is_still_named():
    summary = summarize([], CONFIG, [Failure("page-0", "broken", "torn")], reader=KnowingReader())
    notes = "\n".join(evaluation_notes([summary]))
    assert "knowing: 0.0 s" in notes
    assert "1 page went wrong and are in no figure" not in notes
    assert "1 page went wrong and is in no figure" in notes
