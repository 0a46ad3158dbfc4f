"""Steps: killed and resumed, accumulated, skipped, in bfloat16, with parts frozen."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pagemill.engine.errors import CheckpointError
from pagemill.train.backend.torch import TorchBackend, optimizer_step, totals_of
from pagemill.train.initial import initial_model
from pagemill.train.loss import micros
from pagemill.train.optimizer import freeze, part_of
from pagemill.train.recipe.recipe import PARTS
from pagemill.train.trainer import open_stream
from safetensors.torch import load_file
from support.trained import (
    Job,
    begun,
    curve,
    distance,
    farthest,
    lines,
    pieces,
    same,
    told_apart,
    trained,
)

DEADLINE_S = 120


def killed_at(job: Job, step: int, folder: Path) -> None:
    """Run in another process until the log has a step, then kill it."""
    process = begun(job, folder)
    until = time.monotonic() + DEADLINE_S
    while not any(one["step"] >= step for one in lines(job.out)):
        assert process.poll() is None, (folder / "said").read_text()
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def killed_and_resumed(job: Job, stops: list[int], folder: Path) -> None:
    """The run with a kill at each of the steps."""
    for stop in stops:
        killed_at(job, stop, folder)
        job = replace(job, resume=True)
    result = trained(job)
    assert (result.reason, result.step) == ("done", job.recipe().steps)


def assert_same_run(one: Path, other: Path) -> None:
    assert curve(one) == curve(other)
    assert same(pieces(one), pieces(other))
    for name in ("tokens", "levels", "tasks", "shares", "window", "lr"):
        assert [line[name] for line in lines(one)] == [line[name] for line in lines(other)]


def test_a_killed_run_goes_on_to_the_same_bits(corpora, tmp_path):
    settings = (
        "steps=8", "checkpoint.every=2", "adapt.every=2", "adapt.lead=3", "stream.window_samples=4",
    )  # fmt: skip
    whole = Job(corpus=corpora[0], out=str(tmp_path / "whole"), settings=settings)
    trained(whole)
    cut = replace(whole, out=str(tmp_path / "cut"))
    killed_at(replace(cut, settings=(*settings, "data.workers=1")), 4, tmp_path)
    trained(replace(cut, resume=True))
    assert_same_run(whole.folder, cut.folder)
    starts = lines(cut.out, "start")
    assert [one["resumed"] for one in starts] == [False, True]
    assert starts[1]["step"] in (2, 4, 6)
    told = [
        [(one["step"], one["window"], one["shares"], one["losses"]) for one in lines(job, "adapt")]
        for job in (whole.folder, cut.folder)
    ]
    assert len(told[0]) == 4
    assert told[0] == told[1]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_hundred_steps_with_three_kills_are_the_same_bits(corpora, tmp_path):
    settings = (
        "steps=300", "checkpoint.every=7", "data.workers=1", "adapt.every=20", "adapt.lead=3",
        "optim.layer_decay=0.9",
    )  # fmt: skip
    whole, cut = (
        Job(corpus=corpora[0], out=str(tmp_path / name), settings=settings)
        for name in ("whole", "cut")
    )
    trained(whole)
    stops = sorted(random.Random(4).sample(range(20, 280), 3))
    killed_and_resumed(cut, stops, tmp_path)
    assert_same_run(whole.folder, cut.folder)
    assert len(lines(cut.out, "start")) == 4
    assert [one["shares"] for one in lines(cut.out, "adapt")] == [
        one["shares"] for one in lines(whole.out, "adapt")
    ]
    assert curve(whole.folder)[-1][1] < curve(whole.folder)[0][1] - 3


@pytest.mark.slow
def test_micro_batches_and_padding_change_nothing_that_is_learned(corpora, tmp_path):
    """Four packs at once, one by one, and with a mask in place of packed attention."""
    ways = {
        "whole": ("parallel.micro_packs=4",),
        "parts": ("parallel.micro_packs=1", "parallel.chunk_tokens=17"),
        "masked": ("parallel.micro_packs=2", "parallel.attention=sdpa"),
        "recomputed": ("parallel.micro_packs=2", "parallel.checkpointing=true"),
    }
    settings = ("steps=2", "stream.pack.global_packs=4")
    for name, own in ways.items():
        trained(Job(corpus=corpora[0], out=str(tmp_path / name), settings=(*settings, *own)))
    for name in ("parts", "masked", "recomputed"):
        assert farthest(tmp_path / name, tmp_path / "whole") < 2e-6
    found = [told_apart(pieces(tmp_path / way)) for way in ways]
    assert all(distance(one, found[0]) < 3e-5 for one in found[1:])


def test_bfloat16_keeps_its_weights_in_float32(corpora, tmp_path):
    """A rate so small that steps vanish between two bfloat16 numbers, but add up in float32."""
    settings = ("steps=4", "optim.lr=1e-5", "pace.kind=constant", "pace.warmup=0")
    half = Job(
        corpus=corpora[0], out=str(tmp_path / "b"), settings=(*settings, "parallel.dtype=bfloat16")
    )
    trained(half)
    trained(Job(corpus=corpora[0], out=str(tmp_path / "f"), settings=settings))
    assert farthest(tmp_path / "b", tmp_path / "f") < 2e-2
    model, _ = initial_model(half.recipe())
    start = {name: one.float() for name, one in model.named_parameters()}
    name = "language_model.model.layers.1.mlp.up_proj.weight"
    master = pieces(tmp_path / "b")[name, "weight"]
    moved = (master - start[name]).abs()
    assert master.dtype == torch.float32
    assert 2e-5 < moved.median() < 5e-5  # four steps of 1e-5
    assert (master.bfloat16().float() == start[name]).float().mean() > 0.2


@pytest.fixture(scope="module")
def step(corpora):
    """An engine with three steps behind it, the parts of the next one, and a way to take it."""
    recipe = Job(corpus=corpora[0], out="").recipe()
    model, processor = initial_model(recipe)
    model = freeze(model, recipe.trains, recipe.lora).train()
    model.language_model.set_attn_implementation("packed")
    batches = open_stream(recipe, processor).batches()
    return model, TorchBackend(model, recipe), [list(micros(next(batches), 1)) for _ in range(3)]


def take(engine, parts, fault: str = "", lr: float = 1e-3, seen: list | None = None):
    totals, _ = totals_of(parts, 2048, 1)

    def fault_of(loss: float, norm: float) -> str:
        if seen is not None:
            seen.append((loss, norm))
        return fault

    return optimizer_step(engine, parts, totals, lr=lr, fault_of=fault_of)


def state(engine) -> dict:
    return {(name, kind): one.clone() for name, kind, one in engine.pieces()}


def test_a_step_that_is_left_out_leaves_everything_as_it_was(step):
    model, engine, batches = step
    first = take(engine, batches[0])
    assert not first.fault
    before, weights = state(engine), {n: p.clone() for n, p in model.named_parameters()}
    skipped = take(engine, batches[1], fault="too steep")
    assert skipped.fault == "too steep"
    assert 1 <= len(skipped.worst) <= 3
    assert set(skipped.worst) <= {key for part in batches[1] for key in part.keys}
    assert same(before, state(engine))
    assert all(torch.equal(one, weights[name]) for name, one in model.named_parameters())
    assert all(one.grad is None for one in model.parameters())
    counts = {float(one["step"]) for one in engine.optimiser.state.values()}
    assert counts == {1.0}
    # The next step has no gradient left of the one before it.
    seen: list[tuple[float, float]] = []
    again = take(engine, batches[1], fault="x", seen=seen)
    assert (again.loss, again.norm) == (skipped.loss, skipped.norm)


def test_the_norm_is_told_before_gradients_are_cut(step, corpora):
    _, engine, batches = step
    engine.optimiser.zero_grad(set_to_none=True)
    kept = {}

    def note(*_) -> None:
        gradients = [one.grad.double().norm() for one in engine.masters]
        kept["norm"] = float(torch.stack(gradients).norm())

    hook = engine.optimiser.register_step_pre_hook(note)
    outcome = take(engine, batches[2], lr=0.0)
    hook.remove()
    assert outcome.norm > 1.5
    assert kept["norm"] == pytest.approx(1.0, rel=1e-5)


def test_a_restored_engine_takes_the_same_step(step, corpora):
    _, engine, batches = step
    recipe = Job(corpus=corpora[0], out="").recipe()
    model, _ = initial_model(recipe)
    model = freeze(model, recipe.trains, recipe.lora).train()
    model.language_model.set_attn_implementation("packed")
    other = TorchBackend(model, recipe)
    applied = int(next(iter(engine.optimiser.state.values()))["step"])
    other.restore(state(engine), applied)
    assert same(state(engine), state(other))
    one, two = (take(each, batches[0]) for each in (engine, other))
    assert (one.loss, one.norm) == (two.loss, two.norm)
    assert same(state(engine), state(other))


def test_a_checkpoint_of_another_model_is_refused(step):
    _, engine, _ = step
    good = state(engine)
    name = ("language_model.model.norm.weight", "exp_avg")
    with pytest.raises(CheckpointError, match="no exp_avg of language_model"):
        engine.restore({key: one for key, one in good.items() if key != name}, 1)
    with pytest.raises(CheckpointError, match=r"\[5\] in the checkpoint and \[128\]"):
        engine.restore({**good, name: torch.zeros(5)}, 1)


@pytest.mark.parametrize(
    "trains",
    [("connector",), pytest.param(("tower", "language_model"), marks=pytest.mark.slow)],
)
def test_frozen_parts_stay_to_the_bit(corpora, tmp_path, trains):
    listed = ", ".join(f'"{part}"' for part in trains)
    job = Job(corpus=corpora[0], out=str(tmp_path), settings=("steps=2", f"trains=[{listed}]"))
    before = initial_model(job.recipe())[0].state_dict()
    result = trained(job)
    after = load_file(result.checkpoint / "model" / "model.safetensors")
    moved = {part_of(name) for name, one in after.items() if not torch.equal(one, before[name])}
    assert moved == set(trains)
    assert {part_of(name) for name in after} == set(PARTS)
    assert {part_of(name) for name, _ in pieces(tmp_path)} == set(trains)
