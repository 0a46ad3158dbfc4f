"""Frozen plans in a file, and the corpora whose pages they are of."""

from __future__ import annotations

import dataclasses

import orjson
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.train.evaluate import (
    open_cases,
)
from pagemill.train.evaluate.case import CORRUPTED
from pagemill.train.evaluate.plan import read_plans, write_plans
from support.readers import CONFIG, FEW


def test_plans_come_back_from_their_file_as_they_were(cases, corpora, processor, tmp_path):
    path = tmp_path / "plans.jsonl"
    plans = [case.plans[CORRUPTED] for case in cases]
    write_plans(path, plans)
    assert read_plans(path) == plans
    frozen = dataclasses.replace(CONFIG, plans=str(path), pages=1)
    again = open_cases(frozen, processor, corpora)
    assert [case.plans[CORRUPTED] for case in again] == plans
    assert [case.regions for case in again] == [case.regions for case in cases]


def spoilt(plan, what):
    tree = plan.to_dict()
    if what == "size":
        tree["width"] += 1
    elif what == "page":
        tree["key"] = "0" * 20 + "_00000"
    elif what == "text":
        tree["regions"] = [{**one._asdict(), "target": "otter"} for one in plan.regions]
    elif what == "schema":
        tree["schema"] = "pagemill.plan.0"
    return orjson.dumps(tree)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("size", r"the plan for {key} is of an image of \d+ x \d+ px"),
        ("page", "a plan for 00000000000000000000_00000, which is not among"),
        ("text", "the plan for {key} has the text 'otter'"),
        ("schema", "line 1: the plan has the schema 'pagemill.plan.0'"),
    ],
)
def test_plans_that_do_not_fit_are_refused(cases, corpora, processor, tmp_path, what, message):
    path = tmp_path / "plans.jsonl"
    case = next(case for case in cases if case.plans[CORRUPTED].regions)
    path.write_bytes(spoilt(case.plans[CORRUPTED], what) + b"\n")
    with pytest.raises(ConfigError, match=message.format(key=case.key)):
        open_cases(dataclasses.replace(CONFIG, plans=str(path)), processor, corpora)


def test_files_without_usable_plans_are_refused(cases, tmp_path):
    path = tmp_path / "plans.jsonl"
    with pytest.raises(ConfigError, match="cannot read the plans"):
        read_plans(path)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no plans"):
        read_plans(path)
    write_plans(path, [cases[0].plans[CORRUPTED]] * 2)
    with pytest.raises(ConfigError, match=f"several plans for {cases[0].key}"):
        read_plans(path)


def test_what_is_no_corpus_is_refused_and_conversations_are_left_out(corpora, processor, tmp_path):
    with pytest.raises(ConfigError, match=r"pagemill build .* --out corpus"):
        open_cases(CONFIG, processor, [str(tmp_path)])
    with pytest.raises(ConfigError, match="has no split 'val'; there are: train"):
        open_cases(dataclasses.replace(CONFIG, split="val"), processor, corpora)
    with pytest.raises(ConfigError, match="the evaluation has no corpus"):
        open_cases(CONFIG, processor, ["talks.jsonl"])
    few = open_cases(FEW, processor, ["talks.jsonl", corpora[1]])
    assert len(few) == 2
