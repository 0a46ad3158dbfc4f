"""Figures go to TensorBoard and Weights & Biases where those are installed."""

from __future__ import annotations

import importlib.util

import pytest
from pagemill.engine.errors import DependencyError
from pagemill.train.trainer import Trainer
from support.trained import job_on, lines, train_job


def test_figures_go_to_tensorboard(corpora, tmp_path):
    job = job_on(corpora, tmp_path, "steps=2", "log.tensorboard=true")
    if importlib.util.find_spec("tensorboard") is None:
        with pytest.raises(DependencyError, match=r"tensorboard.*pagemill\[track\]"):
            train_job(job)
        return
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train_job(job)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [one.step for one in events.Scalars("loss")] == [1, 2]
    assert events.Scalars("loss")[1].value == pytest.approx(lines(tmp_path)[1]["loss"])
    assert "levels/clean/loss" in events.Tags()["scalars"]


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="wandb is installed")
def test_a_tracker_that_is_missing_names_its_extra(corpora, tmp_path):
    with pytest.raises(DependencyError, match=r"wandb.*pagemill\[track\]"):
        Trainer(job_on(corpora, tmp_path, "log.wandb=mill").recipe(), tmp_path)
