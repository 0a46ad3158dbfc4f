"""Two ranks, plain and with DeepSpeed's ZeRO, learn what one learns, and read each other's
checkpoints."""

from __future__ import annotations

import itertools
import random
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pagemill.engine.errors import ConfigError
from pagemill.train.checkpoint.listing import complete_checkpoints
from pagemill.train.checkpoint.reader import read_checkpoint, read_pieces
from pagemill.train.initial import initial_model
from pagemill.train.ranks import Ranks
from pagemill.train.setup import open_stream
from pagemill.train.trainer import Trainer
from safetensors.torch import load_file
from support.trained import (
    DEADLINE_S,
    Job,
    Watched,
    curve,
    distance,
    job_on,
    largest_gap,
    lines,
    pieces,
    same,
    start_process,
    train_job,
    train_on_ranks,
    with_gradient,
)

PLAIN: tuple[str, ...] = ()


def zero(stage: int) -> tuple[str, ...]:
    return ('parallel.backend="deepspeed"', f"parallel.zero={stage}")


def step(job: Job, number: int) -> Path:
    return job.folder / "checkpoints" / f"step-{number:06d}"


def test_two_ranks_learn_what_one_does(corpora, tmp_path):
    """Plain and ZeRO-3; a checkpoint of one is gone on from by the other; faults stop or skip both.

    All in one start of two processes.
    """

    def job(name: str, *settings: str, **more) -> Job:
        kept = ("steps=4", "checkpoint.every=2", "checkpoint.keep_last=9", *settings)
        return job_on(corpora, tmp_path / name, *kept, **more)

    one = job("one")
    train_job(one)
    cut = job("cut")
    train_job(cut, on_step=Watched(signal_at=2))
    two, third = job("two"), job("zero3", *zero(3))
    onward = replace(cut, settings=(*cut.settings, *zero(1)), resume=True)
    poisoned = job("poisoned", poisoned=(1, 2))
    asked = job("asked", signalled=(1, 1))
    output = train_on_ranks(2, [two, third, onward, poisoned, asked], tmp_path)
    for name, steps in (("two", 4), ("zero3", 4), ("cut", 4), ("poisoned", 4)):
        assert len(re.findall(rf"/{name} done {steps}\b", output)) == 2
    for other in (two, third, cut):
        assert largest_gap(other.out, one.out) < 1e-5
        assert distance(with_gradient(pieces(other.out)), with_gradient(pieces(one.out))) < 2e-3
    assert [start["ranks"] for start in lines(cut.out, "start")] == [1, 2]
    for other in (two, third, cut):  # the model that was exported is the one that was learned
        model = load_file(step(other, 4) / "model" / "model.safetensors")
        learned = {n: piece for (n, kind), piece in pieces(other.out).items() if kind == "weight"}
        assert same(model, learned)

    logged = lines(poisoned.out)
    assert [line["skipped"] for line in logged] == ["", "the loss is nan", "", ""]
    assert len(logged[1]["samples"]) == 1
    assert logged[1]["samples"][0] in said_keys(corpora, 2)
    saved = [read_checkpoint(step(poisoned, number)).state["progressed"] for number in (2, 4)]
    assert [state["applied"] for state in saved] == [1, 3]

    # Only rank 1 was told to stop, in the middle of step 1: both stop, behind the same step.
    assert len(re.findall(r"/asked stopped 2\b", output)) == 2
    assert [path.name for path in complete_checkpoints(asked.folder / "checkpoints")] == [
        "step-000002"
    ]


def said_keys(corpora, number: int) -> set[str]:
    """Keys of the second pack of a step, which rank 1 of two takes."""
    recipe = Job(corpus=corpora[0], out="").recipe()
    batches = open_stream(recipe, initial_model(recipe)[1]).batches(rank=1, ranks=2)
    return set([next(batches) for _ in range(number)][-1].keys[0])


def test_ranks_that_cannot_share_the_packs_are_refused(corpora, tmp_path):
    recipe = Job(corpus=corpora[0], out="", settings=("stream.pack.global_packs=3",)).recipe()
    with pytest.raises(ConfigError, match="global_packs is 3; it must be a multiple of 2 ranks"):
        Trainer(recipe, tmp_path, Ranks(0, 2))


TWELVE = ("steps=12", "checkpoint.every=4", "checkpoint.keep_last=9", "stream.pack.global_packs=4")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fifty_steps_on_two_ranks_are_those_of_one(corpora, tmp_path):
    one = Job(corpus=corpora[0], out=str(tmp_path / "one"), settings=("steps=50",))
    two = replace(one, out=str(tmp_path / "two"))
    train_job(one)
    train_on_ranks(2, [two], tmp_path)
    assert largest_gap(two.out, one.out) < 1e-4
    assert curve(one.out)[-1][1] < curve(one.out)[0][1] - 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_all_zero_stages_learn_the_same(corpora, tmp_path):
    def job(name: str, *settings: str) -> Job:
        return Job(corpus=corpora[0], out=str(tmp_path / name), settings=(*TWELVE, *settings))

    plain = job("plain")
    train_job(plain)
    stages = [job(f"zero{stage}", *zero(stage)) for stage in range(4)]
    cut = [
        job(f"parts{stage}", *zero(stage), "parallel.micro_packs=2", "optim.layer_decay=0.8")
        for stage in (0, 1, 2, 3)
    ]
    decayed = job("decayed", "optim.layer_decay=0.8")
    train_job(decayed)
    train_on_ranks(2, [*stages, *cut], tmp_path)
    for one in stages:
        assert largest_gap(one.out, plain.out) < 1e-4
        assert distance(with_gradient(pieces(one.out)), with_gradient(pieces(plain.out))) < 5e-3
    for one in cut:
        assert largest_gap(one.out, decayed.out) < 1e-4


WAYS = {
    "plain": PLAIN, "zero0": zero(0), "zero1": zero(1), "zero2": zero(2), "zero3": zero(3),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_any_checkpoint_is_gone_on_from_any_other_way(corpora, tmp_path):
    """Written by one rank or two, read by one rank or two, under every stage."""

    def job(name: str, *settings: str, **more) -> Job:
        kept = ("steps=6", "checkpoint.keep_last=9", "checkpoint.every=3", *settings)
        return job_on(corpora, tmp_path / name, *kept, **more)

    whole = job("whole")
    train_job(whole)
    train_on_ranks(2, [job(f"two-{name}", *way) for name, way in WAYS.items()], tmp_path)
    written = [*(f"two-{name}" for name in WAYS), "whole"]
    resumed: dict[int, list[Job]] = {1: [], 2: []}
    for source, (name, way), ranks in itertools.product(written, WAYS.items(), (1, 2)):
        folder = tmp_path / f"{source}-then-{ranks}-{name}"
        shutil.copytree(tmp_path / source, folder)
        shutil.rmtree(folder / "checkpoints" / "step-000006")
        resumed[ranks].append(job(folder.name, *way, resume=True))
    for ranks, jobs in resumed.items():
        train_on_ranks(ranks, jobs, tmp_path)
    for one in [*resumed[1], *resumed[2]]:
        assert [logged["step"] for logged in lines(one.out, "start")][-1] == 3
        assert largest_gap(one.out, whole.out) < 1e-5, one.out
        assert distance(with_gradient(pieces(one.out)), with_gradient(pieces(whole.out))) < 5e-3, (
            one.out
        )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_bfloat16_is_learned_in_with_float32_behind_it(corpora, tmp_path):
    settings = ("steps=4", "optim.lr=1e-5", "lr_schedule.kind=constant", "parallel.dtype=bfloat16")
    plain = Job(corpus=corpora[0], out=str(tmp_path / "plain"), settings=settings)
    train_job(plain)
    stages = [
        replace(plain, out=str(tmp_path / f"zero{stage}"), settings=(*settings, *zero(stage)))
        for stage in (1, 2, 3)
    ]
    train_on_ranks(2, stages, tmp_path)
    wanted = pieces(plain.out)
    start = {name: one.float() for name, one in initial_model(plain.recipe())[0].named_parameters()}
    for one in stages:
        assert largest_gap(one.out, plain.out) < 2e-2
        got = pieces(one.out)
        rounded = [
            bool((tensor == tensor.bfloat16().float()).all())
            for (_, kind), tensor in got.items()
            if kind == "weight"
        ]
        assert not all(rounded)
        for name in (
            "language_model.model.layers.1.mlp.up_proj",
            "vision.encoder.layers.1.mlp.fc1",
        ):
            moves = [tree[f"{name}.weight", "weight"] - start[f"{name}.weight"].detach()
                     for tree in (got, wanted)]  # fmt: skip
            assert 1e-5 < float(moves[0].abs().mean()) < 4e-5
            assert torch.cosine_similarity(*(one.flatten() for one in moves), dim=0) > 0.9


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_poisoned_rank_skips_the_step_on_all(corpora, tmp_path):
    """Pixels that are no numbers, and gradients that are infinite while the loss is not."""
    kept = ("steps=4", "checkpoint.every=1", "checkpoint.keep_last=9")
    jobs = {
        (name, harm): Job(
            corpus=corpora[0], out=str(tmp_path / f"{name}-{harm}"), settings=(*kept, *way),
            **{harm: (1, 3)},
        )
        for name, way in WAYS.items()
        for harm in ("poisoned", "burst")
    }  # fmt: skip
    train_on_ranks(2, list(jobs.values()), tmp_path)
    for (_, harm), job in jobs.items():
        skipped = [one["skipped"] for one in lines(job.out)]
        assert skipped[:2] + skipped[3:] == [""] * 3, job.out
        logged = (
            "the loss is nan" if harm == "poisoned" else r"the norm of the gradients is (inf|nan)"
        )
        assert re.fullmatch(logged, skipped[2]), job.out
        saved = [read_pieces(read_checkpoint(step(job, number))) for number in (2, 3, 4)]
        assert same(saved[0], saved[1]), job.out
        assert not same(saved[1], saved[2]), job.out
        assert all(bool(one.isfinite().all()) for one in saved[2].values())
        assert largest_gap(job.out, jobs["plain", harm].out, but=3) < 1e-4, job.out


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_adapters_on_two_ranks_learn_what_one_does(corpora, tmp_path):
    settings = ("steps=4", "lora.rank=4", "optim.lr=1e-2")
    one = Job(corpus=corpora[0], out=str(tmp_path / "one"), settings=settings)
    train_job(one)
    others = [
        replace(one, out=str(tmp_path / f"two-{name}"), settings=(*settings, *way))
        for name, way in WAYS.items()
    ]
    train_on_ranks(2, others, tmp_path)
    for other in others:
        assert largest_gap(other.out, one.out) < 1e-4, other.out
        assert pieces(other.out).keys() == pieces(one.out).keys()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_ranks_that_are_stopped_go_on_as_if_they_were_not(corpora, tmp_path):
    whole = Job(corpus=corpora[0], out=str(tmp_path / "whole"), settings=("steps=300",))
    cut = replace(whole, out=str(tmp_path / "cut"))
    stops = sorted(random.Random(5).sample(range(20, 280), 3))
    jobs = [
        replace(cut, signalled=(number % 2, stop), resume=number > 0)
        for number, stop in enumerate(stops)
    ]
    train_on_ranks(2, [whole, *jobs, replace(cut, resume=True)], tmp_path)
    assert largest_gap(cut.out, whole.out) < 1e-5
    assert distance(with_gradient(pieces(cut.out)), with_gradient(pieces(whole.out))) < 1e-5


@pytest.mark.slow
def test_deepspeed_needs_no_launcher_for_one_process(corpora, tmp_path):
    plain = Job(corpus=corpora[0], out=str(tmp_path / "plain"), settings=("steps=3",))
    train_job(plain)
    alone = replace(plain, out=str(tmp_path / "alone"), settings=("steps=3", *zero(2)))
    assert start_process(alone, tmp_path).wait(DEADLINE_S) == 0, (tmp_path / "stderr").read_text()
    assert largest_gap(alone.out, plain.out) < 1e-5
