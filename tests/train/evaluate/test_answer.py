"""Answers: batches, progress, and records that travel."""

from __future__ import annotations

import dataclasses
import json
import pickle

import orjson
from pagemill.model.load import load_reader
from pagemill.train.evaluate import (
    answer_cases,
    open_cases,
)
from pagemill.train.evaluate.question import case_questions
from support.readers import CONFIG, FEW, KnowingReader


def test_prompts_are_answered_in_batches_and_progress_is_told(cases):
    told_of, knowing = [], KnowingReader(cases)
    answer_cases(knowing, cases, CONFIG, lambda done, total: told_of.append((done, total)))
    assert max(knowing.batches) == CONFIG.batch
    assert sum(knowing.batches) == told_of[-1][0] == told_of[-1][1]


def test_answers_are_plain_data(cases):
    answers = answer_cases(KnowingReader(cases), cases, CONFIG)
    assert pickle.loads(pickle.dumps(answers)) == answers
    row = json.loads(orjson.dumps(answers[0].to_dict()))
    assert row["key"].startswith(row["document"])
    assert [one.crop is not None for one in answers] == [one.shown for one in answers]


def test_answers_are_the_same_in_a_batch_and_one_by_one(corpora, processor, nano_reader):
    cases = open_cases(FEW, processor, corpora)
    one = dataclasses.replace(FEW, batch=1)
    rows = [answer_cases(nano_reader, cases, config) for config in (FEW, one)]
    texts = [[(a.read, a.blind, a.truncated) for a in own] for own in rows]
    assert texts[0] == texts[1]
    assert any(a.read for a in rows[0])


def test_each_picture_is_encoded_once(corpora, processor, nano_folder, monkeypatch):
    reader, seen = load_reader(nano_folder), []
    encode = reader.model.encode_images
    monkeypatch.setattr(
        reader.model, "encode_images", lambda *a, **k: seen.append(1) or encode(*a, **k)
    )
    config = dataclasses.replace(FEW, most_new_tokens=8, regions=6)
    cases = open_cases(config, processor, corpora[:1])
    asked = [one for case in cases for one in case_questions(case, config, blind=True)]
    whole = sum(bool(case.text) for case in cases)
    sizes = {(case.width, case.height) for case in cases}
    answer_cases(reader, cases, config)
    assert len(seen) <= len(cases) + whole + len(sizes) < len(asked)
