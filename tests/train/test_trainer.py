"""A run: what it tells, what ends it, how losses feed back, its curve; killed and resumed."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.train.recipe import read_recipe
from support.trained import (
    Job,
    Watched,
    curve,
    distance,
    finished_job,
    job_on,
    largest_gap,
    lines,
    pieces,
    same,
    start_process,
    train_job,
    with_gradient,
)

GOLDEN = Path(__file__).with_name("golden_demo.json")


@pytest.fixture(scope="module")
def done(corpora, tmp_path_factory) -> Job:
    return finished_job(corpora, tmp_path_factory.mktemp("done") / "run")


def test_the_log_tells_the_run(done):
    kinds = [json.loads(line)["kind"] for line in (done.folder / "log.jsonl").open()]
    assert (kinds[0], kinds[-1]) == ("start", "end")
    assert sorted(kinds[1:-1]) == ["checkpoint"] * 2 + ["step"] * 4
    [start], [end] = lines(done.out, "start"), lines(done.out, "end")
    assert (start["ranks"], start["steps"], start["resumed"]) == (1, 4, False)
    assert start["parameters"]["trained"] == 2_758_016
    assert (end["reason"], end["step"], end["message"]) == ("done", 4, "")
    assert [one["step"] for one in lines(done.out)] == [1, 2, 3, 4]
    for one in lines(done.out, "checkpoint"):
        folder = done.folder / one["path"]
        files = [path for path in folder.rglob("*") if path.is_file()]
        summary = (folder / "checkpoint.json").stat().st_size
        assert one["bytes"] == sum(path.stat().st_size for path in files) - summary
    assert read_recipe(str(done.folder / "recipe.toml")) == (done.recipe(),)


def test_sigterm_saves_and_stops_and_the_run_goes_on(corpora, done, tmp_path):
    job = job_on(corpora, tmp_path, *done.settings)
    watched = Watched(signal_at=3)
    result = train_job(job, on_step=watched)
    assert (result.reason, result.step) == ("stopped", 3)
    assert result.checkpoint.name == "step-000003"
    assert any("stopping" in one.note for one in watched.progress)
    assert lines(job.out, "end")[-1]["reason"] == "stopped"
    assert train_job(replace(job, resume=True)).reason == "done"
    assert curve(job.out) == curve(done.out)
    assert same(pieces(job.out), pieces(done.out))


def test_a_checkpoint_that_cannot_be_written_ends_the_run(corpora, tmp_path):
    (tmp_path / "checkpoints").write_text("in the way")
    job = job_on(corpora, tmp_path, "steps=4", "checkpoint.every=1")
    with pytest.raises(CheckpointError, match="could not be written"):
        train_job(job)
    [end] = lines(job.out, "end")
    assert end["reason"] == "failed"
    assert end["step"] < 4
    assert "could not be written" in end["message"]


def test_a_checkpoint_is_due_by_the_clock(corpora, tmp_path):
    train_job(job_on(corpora, tmp_path, "steps=3", "checkpoint.every_s=1e-9"))
    assert [one["step"] for one in lines(tmp_path, "checkpoint")] == [1, 2, 3]
    kept = sorted(one.name for one in (tmp_path / "checkpoints").iterdir())
    assert kept == ["step-000002", "step-000003"]


ADAPTED = ("steps=14", "adapt.every=2", "stream.window_samples=4", "checkpoint.every=5")


@pytest.fixture(scope="module")
def adapted(corpora, tmp_path_factory) -> Job:
    job = job_on(corpora, tmp_path_factory.mktemp("adapted") / "run", *ADAPTED, "adapt.lead=4")
    train_job(job)
    return job


def test_losses_change_the_levels_and_the_log_says_when(adapted):
    logged = lines(adapted.out, "adapt")
    assert [one["step"] for one in logged] == [2, 4, 6, 8, 10, 12, 14]
    assert all(a["window"] < b["window"] for a, b in pairwise(logged))
    assert all(set(one["losses"]) == {"clean", "light", "moderate", "heavy"} for one in logged)
    assert all(sum(one["shares"].values()) == pytest.approx(1, abs=1e-5) for one in logged)
    assert len({tuple(one["shares"].values()) for one in logged}) >= 4
    [summary] = (adapted.folder / "checkpoints").glob("step-000014/checkpoint.json")
    state = orjson.loads(summary.read_bytes())["state"]
    fed = state["stream"]["fed"]
    assert [one["start"] for one in fed] == [one["window"] for one in logged]
    assert [one["losses"] for one in fed] == [one["losses"] for one in logged]
    begun = logged[0]["window"]
    steps = lines(adapted.out)
    assert steps[-1]["window"] > begun + 1
    shares = {one["window"]: one["shares"] for one in steps}
    assert all(shares[w] == shares[0] for w in shares if w < begun)
    # The means are those of the steps in between.
    tokens = [one["levels"]["clean"]["tokens"] for one in steps[2:4]]
    losses = [one["levels"]["clean"]["loss"] for one in steps[2:4]]
    mean = sum(a * b for a, b in zip(tokens, losses, strict=True)) / sum(tokens)
    assert logged[1]["losses"]["clean"] == pytest.approx(mean)


@pytest.mark.slow
def test_levels_are_the_same_after_a_resume_and_with_workers(corpora, adapted, tmp_path):
    cut = replace(adapted, out=str(tmp_path / "cut"))
    assert train_job(cut, on_step=Watched(signal_at=5)).reason == "stopped"
    train_job(replace(cut, resume=True))
    more = replace(
        adapted, out=str(tmp_path / "workers"),
        settings=(*adapted.settings, "data.workers=2", "data.prefetch=1"),
    )  # fmt: skip
    train_job(more)
    for one in (cut, more):
        assert lines(one.out, "adapt") == lines(adapted.out, "adapt")
        assert curve(one.out) == curve(adapted.out)


@pytest.mark.slow
def test_a_lead_that_workers_have_passed_is_refused(corpora, tmp_path):
    settings = (*ADAPTED, "adapt.lead=1", "data.workers=2", "data.prefetch=4")
    with pytest.raises(ConfigError, match=r"raise adapt\.lead or stream\.window_samples, or lower"):
        train_job(job_on(corpora, tmp_path, *settings))
    assert lines(tmp_path, "end")[-1]["reason"] == "failed"


def test_adaptations_within_one_window_follow_each_other(corpora, tmp_path):
    job = job_on(corpora, tmp_path, "steps=3", "adapt.every=1", "stream.window_samples=60")
    train_job(job)
    assert [one["window"] for one in lines(tmp_path, "adapt")] == [2, 3, 4]


def test_conversations_have_no_levels_to_adapt(tmp_path):
    """And a run on them can be resumed."""
    path = tmp_path / "talks.jsonl"
    talks = [
        {"messages": [{"role": "user", "content": f"What is {number}?"},
                      {"role": "assistant", "content": f"A number, {number}."}]}
        for number in range(40)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(one) + "\n" for one in talks))
    job = Job(
        corpus=str(path), out=str(tmp_path / "run"), name="talks",
        settings=("steps=4", "adapt.every=1", "stream.pack.budget_tokens=128"),
    )  # fmt: skip
    assert train_job(job, on_step=Watched(signal_at=2)).reason == "stopped"
    assert train_job(replace(job, resume=True)).reason == "done"
    assert not lines(job.out, "adapt")
    logged = lines(job.out)
    assert [list(one["tasks"]) for one in logged] == [["record"]] * 4
    assert logged[-1]["loss"] < logged[0]["loss"]


def test_the_curve_of_a_small_run_is_the_known_one(corpora, tmp_path):
    """Forty steps by heart. After a wanted change: PAGEMILL_GOLDEN=1 writes it anew."""
    settings = (
        "steps=40", "data.pages=2", "optim.lr=3e-3", "stream.sample.plan_epochs=1",
        "stream.window_samples=4", "stream.pack.global_packs=1", "lr_schedule.final=0",
    )  # fmt: skip
    train_job(job_on(corpora, tmp_path, *settings))
    losses = [round(loss, 5) for _, loss, _ in curve(tmp_path)]
    if os.environ.get("PAGEMILL_GOLDEN") == "1":
        GOLDEN.write_text(json.dumps({"settings": settings, "loss": losses}, indent=1) + "\n")
    golden = json.loads(GOLDEN.read_text())
    assert golden["settings"] == list(settings)
    off = [(loss - wanted) / wanted for loss, wanted in zip(losses, golden["loss"], strict=True)]
    assert max(map(abs, off)) < 2e-3
    assert abs(sum(off) / len(off)) < 2e-4
    assert losses[-1] < losses[0] / 2


DEADLINE_S = 120


def killed_at(job: Job, step: int, folder: Path) -> None:
    """Run in another process until the log has a step, then kill it."""
    process = start_process(job, folder)
    until = time.monotonic() + DEADLINE_S
    while not any(one["step"] >= step for one in lines(job.out)):
        assert process.poll() is None, (folder / "stderr").read_text()
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def killed_and_resumed(job: Job, stops: list[int], folder: Path) -> None:
    """The run with a kill at each of the steps."""
    for stop in stops:
        killed_at(job, stop, folder)
        job = replace(job, resume=True)
    result = train_job(job)
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
    train_job(whole)
    cut = replace(whole, out=str(tmp_path / "cut"))
    killed_at(replace(cut, settings=(*settings, "data.workers=1")), 4, tmp_path)
    train_job(replace(cut, resume=True))
    assert_same_run(whole.folder, cut.folder)
    starts = lines(cut.out, "start")
    assert [one["resumed"] for one in starts] == [False, True]
    assert starts[1]["step"] in (2, 4, 6)
    logged = [
        [(one["step"], one["window"], one["shares"], one["losses"]) for one in lines(job, "adapt")]
        for job in (whole.folder, cut.folder)
    ]
    assert len(logged[0]) == 4
    assert logged[0] == logged[1]


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
    train_job(whole)
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
    variants = {
        "whole": ("parallel.micro_packs=4",),
        "parts": ("parallel.micro_packs=1", "parallel.chunk_tokens=17"),
        "masked": ("parallel.micro_packs=2", "parallel.attention=sdpa"),
        "recomputed": ("parallel.micro_packs=2", "parallel.checkpointing=true"),
    }
    settings = ("steps=2", "stream.pack.global_packs=4")
    for name, variant in variants.items():
        train_job(Job(corpus=corpora[0], out=str(tmp_path / name), settings=(*settings, *variant)))
    for name in ("parts", "masked", "recomputed"):
        assert largest_gap(tmp_path / name, tmp_path / "whole") < 2e-6
    learned = [with_gradient(pieces(tmp_path / name)) for name in variants]
    assert all(distance(other, learned[0]) < 3e-5 for other in learned[1:])
