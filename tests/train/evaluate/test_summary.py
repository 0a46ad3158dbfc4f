"""Figures of an evaluation, and the file that keeps them."""

from __future__ import annotations

import base64
import dataclasses
import json

import orjson
from pagemill.engine.image import decode
from pagemill.train.evaluate import (
    answer_cases,
    summarize,
    write_evaluation,
)
from support.readers import CONFIG, LEVELS, GuessingReader, KnowingReader


def test_what_stands_there_is_read_without_an_error(cases):
    answers = answer_cases(KnowingReader(cases), cases, CONFIG)
    summary = summarize(answers, CONFIG).to_dict()
    for level in LEVELS:
        assert summary["levels"][level]["cer"]["value"] == 0
        assert summary["levels"][level]["exact"]["value"] == 1
        assert summary["levels"][level]["jaccard"]["value"] == 1
        assert summary["levels"][level]["blind_exact"]["value"] == 0
    for name in ("clean", "corrupted"):
        assert summary["pages"][name]["cer"]["value"] == summary["pages"][name]["wer"]["value"] == 0
    assert summary["truncated"] == 0
    assert summary["cases"] == len(answers)
    assert summary["reader"] == {"name": "knowing", "kind": "fake"}


def test_who_reads_nothing_gets_everything_wrong(cases):
    summary = summarize(answer_cases(KnowingReader(), cases, CONFIG), CONFIG)
    for own in (*summary.levels.values(), *summary.pages.values()):
        assert own["cer"].value == own["wer"].value == 1
    assert all(own["exact"].value == 0 for own in summary.levels.values())


def test_who_does_not_look_reads_as_much_blind(cases):
    answers = answer_cases(GuessingReader(), cases, CONFIG)
    assert all(one.read == one.blind for one in answers if one.task == "region")
    summary = summarize(answers, CONFIG)
    for own in summary.levels.values():
        assert own["exact"] == own["blind_exact"]
        assert own["jaccard"] == own["blind_jaccard"]
    assert summary.truncated == len(answers)


def test_the_summary_has_the_same_figures_whoever_read_which_cases(cases):
    knowing = KnowingReader(cases)
    knowing.texts = {one: texts for one, texts in knowing.texts.items() if len(texts[0]) % 2}
    whole = answer_cases(knowing, cases, CONFIG)
    shared = [one for rank in range(3) for one in answer_cases(knowing, cases[rank::3], CONFIG)]
    one, other = (summarize(own, CONFIG).to_dict() for own in (whole, shared))
    assert {**one, "seconds": 0} == {**other, "seconds": 0}
    assert summarize(answer_cases(knowing, [], CONFIG), CONFIG).to_dict()["cases"] == 0


def test_the_summary_has_the_agreed_form(cases):
    config = dataclasses.replace(CONFIG, blind=False)
    summary = summarize(answer_cases(KnowingReader(cases), cases, config), config).to_dict()
    assert set(summary) == {
        "cases", "pages", "levels", "truncated", "failed", "seconds", "reader",
    }  # fmt: skip
    assert set(summary["levels"]["heavy"]) == {"cer", "wer", "exact", "jaccard"}
    assert set(summary["pages"]) == {"clean", "corrupted"}
    assert set(summary["pages"]["clean"]["cer"]) == {"value", "low", "high", "n"}
    orjson.dumps(summary)


def test_the_pictures_kept_show_every_level(cases, tmp_path):
    answers = answer_cases(KnowingReader(cases), cases, CONFIG)
    path = tmp_path / "evaluations" / "step-000010.json"
    write_evaluation(path, summarize(answers, CONFIG), answers, step=10)
    tree = json.loads(path.read_bytes())
    assert tree["step"] == 10
    assert tree["summary"]["cases"] == len(answers)
    assert len(tree["samples"]) == CONFIG.shown
    assert {one["level"] for one in tree["samples"]} == LEVELS
    for one in tree["samples"]:
        picture = decode(base64.b64decode(one["crop"]))
        x0, y0, x1, y1 = one["box"]
        assert picture.shape[0] >= int(y1 - y0)
        assert picture.shape[1] >= int(x1 - x0)
        assert (one["cer"], one["exact"]) == (0.0, True)
        assert set(one) == {
            "key", "box", "level", "kind", "target", "read", "blind", "cer", "exact", "crop",
        }  # fmt: skip
