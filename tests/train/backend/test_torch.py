"""Weights on every rank: float32 behind bfloat16, gradients cut, pieces put back."""

from __future__ import annotations

import pytest
import torch
from pagemill.engine.errors import CheckpointError
from pagemill.train.backend.torch import TorchBackend
from pagemill.train.initial import initial_model
from pagemill.train.micro_batch import MicroBatch
from support.steps import backend_with_batches, copied_pieces, take_step
from support.trained import (
    Job,
    largest_gap,
    pieces,
    same,
    train_job,
)


def test_bfloat16_keeps_its_weights_in_float32(corpora, tmp_path):
    """A rate so small that steps vanish between two bfloat16 numbers, but add up in float32."""
    settings = ("steps=4", "optim.lr=1e-5", "lr_schedule.kind=constant", "lr_schedule.warmup=0")
    half = Job(
        corpus=corpora[0], out=str(tmp_path / "b"), settings=(*settings, "parallel.dtype=bfloat16")
    )
    train_job(half)
    train_job(Job(corpus=corpora[0], out=str(tmp_path / "f"), settings=settings))
    assert largest_gap(tmp_path / "b", tmp_path / "f") < 2e-2
    model, _ = initial_model(half.recipe())
    start = {name: one.float() for name, one in model.named_parameters()}
    name = "language_model.model.layers.1.mlp.up_proj.weight"
    master = pieces(tmp_path / "b")[name, "weight"]
    moved = (master - start[name]).abs()
    assert master.dtype == torch.float32
    assert 2e-5 < moved.median() < 5e-5  # four steps of 1e-5
    assert (master.bfloat16().float() == start[name]).float().mean() > 0.2


@pytest.fixture(scope="module")
def step(corpora) -> tuple[TorchBackend, list[list[MicroBatch]]]:
    return backend_with_batches(corpora[0])


def test_the_norm_is_given_before_gradients_are_cut(step):
    backend, batches = step
    cut = {}

    def note(*_) -> None:
        norms = [master.grad.double().norm() for master in backend.masters]
        cut["norm"] = float(torch.stack(norms).norm())

    hook = backend.optimizer.register_step_pre_hook(note)
    result = take_step(backend, batches[2], lr=0.0)
    hook.remove()
    assert result.grad_norm > 1.5
    assert cut["norm"] == pytest.approx(1.0, rel=1e-5)


def test_a_restored_backend_takes_the_same_step(step, corpora):
    backend, batches = step
    take_step(backend, batches[1])
    other, _ = backend_with_batches(corpora[0])
    updates = int(next(iter(backend.optimizer.state.values()))["step"])
    other.restore(copied_pieces(backend), updates)
    assert same(copied_pieces(backend), copied_pieces(other))
    one, two = (take_step(each, batches[0]) for each in (backend, other))
    assert (one.loss, one.grad_norm) == (two.loss, two.grad_norm)
    assert same(copied_pieces(backend), copied_pieces(other))


def test_a_checkpoint_of_another_model_is_refused(step):
    backend, _ = step
    good = copied_pieces(backend)
    name = ("language_model.model.norm.weight", "exp_avg")
    with pytest.raises(CheckpointError, match="no exp_avg of language_model"):
        backend.restore({key: one for key, one in good.items() if key != name}, 1)
    with pytest.raises(CheckpointError, match=r"\[5\] in the checkpoint and \[128\]"):
        backend.restore({**good, name: torch.zeros(5)}, 1)
