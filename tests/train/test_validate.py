"""Evaluation between steps."""

from __future__ import annotations

import json

from pagemill.model.reader import ModelReader
from pagemill.train.trainer import Trainer
from pagemill.train.validate import metric_value
from support.trained import job_on, lines, train_job


def test_best_checkpoints_are_chosen_by_a_figure_of_the_evaluation(corpora, tmp_path, monkeypatch):
    figures = {1: 0.4, 2: 0.1, 3: 0.9, 4: 0.3, 5: 0.2}

    def evaluate(run: Trainer) -> None:
        run.metric = figures[run.state.step]

    monkeypatch.setattr(Trainer, "evaluate", evaluate)
    settings = ("steps=5", "eval.every=1", "checkpoint.keep_last=1", "checkpoint.keep_best=2")
    train_job(job_on(corpora, tmp_path, *settings))
    kept = sorted(one.name for one in (tmp_path / "checkpoints").iterdir())
    assert kept == ["step-000002", "step-000005"]
    logged = lines(tmp_path, "checkpoint")
    assert [one["metric"] for one in logged] == list(figures.values())
    assert [one["best"] for one in logged] == [True, True, False, False, False]


def test_a_figure_is_found_by_its_name():
    summary = {"levels": {"light": {"cer": {"value": 0.25, "low": 0.1}}}}
    assert metric_value(summary, "levels.light.cer") == 0.25
    assert metric_value(summary, "+levels.light.cer") == 0.25
    assert metric_value(summary, "levels.heavy.cer") is None


def test_a_page_that_the_model_fails_on_ends_no_run_and_is_named(corpora, tmp_path, monkeypatch):
    answer, first = ModelReader.answer, []

    def fails_on_the_first_page(reader, questions):
        first.extend([] if first else [questions[0].picture.pixels.tobytes()])
        if any(question.picture.pixels.tobytes() == first[0] for question in questions):
            raise RuntimeError("cannot reshape")
        return answer(reader, questions)

    monkeypatch.setattr(ModelReader, "answer", fails_on_the_first_page)
    settings = ("steps=1", "eval.at_end=true", "eval.pages=3", "eval.regions=2")
    train_job(job_on(corpora, tmp_path, *settings, "eval.most_new_tokens=16"))
    (path,) = (tmp_path / "evaluations").iterdir()
    tree = json.loads(path.read_bytes())
    assert tree["summary"]["failed"] == 1
    assert tree["summary"]["cases"] > 0
    assert "cannot reshape" in tree["failures"][0]["message"]
