"""Any model of transformers as a nano_reader."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.train.evaluate import (
    answer_cases,
    open_cases,
)
from pagemill.train.evaluate.question import case_questions
from pagemill.train.evaluate.transformers import TransformersReader
from support.readers import FEW


def test_a_foreign_model_is_asked_for_one_framed_region_at_a_time(corpora, processor, nano_folder):
    config = dataclasses.replace(FEW, pages=1, most_new_tokens=8)
    cases = open_cases(config, processor, corpora)
    foreign = TransformersReader(str(nano_folder))
    answers = answer_cases(foreign, cases, config)
    assert [one.reader_kind for one in answers] == ["transformers"] * len(answers)
    question = next(case_questions(cases[0], config, blind=False)).prompt
    shown = np.asarray(foreign.messages(question, question.boxes[0])[0]["content"][0]["image"])
    red = (shown == (255, 0, 0)).all(axis=2)
    assert 0 < red.sum() < shown.shape[0] * shown.shape[1] / 10
    with pytest.raises(ConfigError, match="there is no folder /no/where"):
        TransformersReader("/no/where")
