"""The table of an evaluation on a terminal."""

from __future__ import annotations

import re

from pagemill.command.terminal.evaluation import evaluation_notes, evaluation_table
from pagemill.train.evaluate import (
    answer_cases,
    summarize,
)
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
