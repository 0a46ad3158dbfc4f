"""The log of a run."""

from __future__ import annotations

import json

import pytest
import torch
from pagemill.train.log.run_log import RunLog, StepRecord
from pagemill.train.log.throughput import Throughput
from pagemill.train.loss import GROUPS
from pagemill.train.ranks import Ranks
from pagemill.train.step import StepResult
from support.trained import BUDGET, Job, Watched, job_on, lines, train_job


def test_the_log_has_the_figures_of_the_step(corpora, tmp_path):
    train_job(Job(corpus=corpora[0], out=str(tmp_path), settings=("steps=2",)))
    for one in lines(tmp_path):
        assert one["padding"] == pytest.approx(1 - one["tokens"] / (2 * BUDGET))
        assert one["tokens_per_s"] == pytest.approx(one["tokens"] / one["seconds"])
        assert one["pages_per_s"] == pytest.approx(one["pages"] / one["seconds"])
        assert 0 <= one["wait"] <= 1
        assert one["mfu"] is None  # the peak of a CPU is not known
        assert one["memory_bytes"] > 50e6
        tokens = sum(level["tokens"] for level in one["tasks"].values())
        assert tokens == one["answer_tokens"]
        mean = sum(task["loss"] * task["tokens"] for task in one["tasks"].values()) / tokens
        assert 5 < mean < 11


def test_mfu_is_flops_over_the_peak_of_all_devices(corpora, tmp_path):
    run_log = RunLog(tmp_path, Job(corpus=corpora[0], out="").recipe(), Ranks(0, 4), None)
    run_log.peak_flops = 1e12
    run_log.step(
        StepRecord(
            step=1,
            result=StepResult(2.0, torch.zeros(len(GROUPS) + 1, 3), 1.0, "", ()),
            throughput=Throughput(100, 10, 1, 2, 125, 6e11),
            seconds=0.5,
            wait_s=0.1,
            lr=1.0,
            window=0,
            shares=(0.25,) * 4,
            failures=(),
        )
    )
    [line] = [json.loads(text) for text in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert line["mfu"] == pytest.approx(6e11 / 0.5 / 4e12)
    assert line["padding"] == pytest.approx(0.2)
    assert line["wait"] == pytest.approx(0.2)


def test_the_log_may_leave_steps_out_but_not_the_first_and_last(corpora, tmp_path):
    watched = Watched()
    train_job(job_on(corpora, tmp_path, "steps=6", "log.every=4"), on_step=watched)
    assert [one["step"] for one in lines(tmp_path)] == [1, 4, 6]
    assert [one.step for one in watched.progress if not one.note] == [1, 2, 3, 4, 5, 6]
    assert all(one.steps == 6 for one in watched.progress)
