"""A run: its log, what it goes on from, what ends it, how losses feed back, its curve."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from pagemill.engine.errors import CheckpointError, ConfigError, DependencyError
from pagemill.train.recipe import read_recipe
from pagemill.train.trainer import Trainer, value_of
from support.trained import Job, Watched, curve, lines, pieces, same, trained

GOLDEN = Path(__file__).with_name("golden_demo.json")


def job(corpora, folder: Path, *settings: str, **more) -> Job:
    return Job(corpus=corpora[0], out=str(folder), settings=settings, **more)


@pytest.fixture(scope="module")
def done(corpora, tmp_path_factory) -> Job:
    """A finished run of four steps."""
    made = job(corpora, tmp_path_factory.mktemp("done") / "run", "steps=4", "checkpoint.every=2")
    result = trained(made)
    assert (result.reason, result.step) == ("done", 4)
    assert result.checkpoint == made.folder / "checkpoints" / "step-000004"
    return made


@pytest.fixture
def copied(done, tmp_path) -> Job:
    shutil.copytree(done.folder, tmp_path / "run")
    return replace(done, out=str(tmp_path / "run"))


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


def test_a_run_is_not_begun_twice_nor_done_twice(copied):
    with pytest.raises(CheckpointError, match="step-000004: go on with --resume"):
        trained(copied)
    before = pieces(copied.out)
    result = trained(replace(copied, resume=True))
    assert (result.reason, result.step) == ("done", 4)
    assert same(before, pieces(copied.out))


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("optim.lr=0.5", r"optim\.lr \(was 0\.001, is 0\.5\)"),
        ("seed=6", r"seed \(was 5, is 6\)"),
        ("stream.window_samples=25", r"stream\.window_samples \(was 24, is 25\)"),
        ("lora.rank=4", r"lora\.rank"),
    ],
)
def test_another_recipe_is_refused_and_named(copied, setting, told):
    settings = (*copied.settings, setting)
    with pytest.raises((CheckpointError, ConfigError), match=told):
        trained(replace(copied, settings=settings, resume=True))
    assert read_recipe(str(copied.folder / "recipe.toml")) == (copied.recipe(),)


def test_what_does_not_decide_the_weights_may_change(copied):
    settings = (*copied.settings, "data.workers=1", "log.every=9", "checkpoint.keep_last=7")
    assert trained(replace(copied, settings=settings, resume=True)).reason == "done"


def test_other_start_weights_are_refused(corpora, done, tmp_path):
    start = tmp_path / "start"
    shutil.copytree(done.folder / "checkpoints" / "step-000002" / "model", start)
    made = job(corpora, tmp_path / "run", "steps=2", f"model.start={start}")
    trained(made)
    shutil.copytree(
        done.folder / "checkpoints" / "step-000004" / "model", start, dirs_exist_ok=True
    )
    with pytest.raises(CheckpointError, match="began with other weights"):
        trained(replace(made, resume=True))


def flip(path: Path) -> None:
    """Change one bit near the end of a file."""
    data = bytearray(path.read_bytes())
    data[-100] ^= 4
    path.write_bytes(data)


def test_a_damaged_newest_checkpoint_is_set_aside(copied, caplog):
    folder = copied.folder / "checkpoints"
    wanted = {key: one.clone() for key, one in pieces(copied.out).items()}
    flip(folder / "step-000004" / "pieces-00-of-01.safetensors")
    assert trained(replace(copied, resume=True)).step == 4
    assert "step-000004/pieces-00-of-01.safetensors has another checksum" in caplog.text
    assert "goes on from step-000002" in caplog.text
    assert (folder / "step-000004.damaged" / "checkpoint.json").is_file()
    assert same(wanted, pieces(copied.out))


def test_without_a_whole_checkpoint_the_run_is_refused(copied):
    folder = copied.folder / "checkpoints"
    for name in ("step-000002", "step-000004"):
        flip(folder / name / "pieces-00-of-01.safetensors")
    with pytest.raises(CheckpointError, match=r"step-000004.pieces.*another checksum"):
        trained(replace(copied, resume=True))
    assert not list(folder.glob("*.damaged"))


def test_half_written_ones_are_passed_over(copied):
    folder = copied.folder / "checkpoints"
    wanted = pieces(copied.out)
    (folder / "step-000004" / "checkpoint.json").unlink()
    assert trained(replace(copied, resume=True)).step == 4
    assert lines(copied.out, "start")[-1]["step"] == 2
    assert same(wanted, pieces(copied.out))
    assert [one["step"] for one in lines(copied.out)] == [1, 2, 3, 4]


def test_sigterm_saves_and_stops_and_the_run_goes_on(corpora, done, tmp_path):
    made = job(corpora, tmp_path, *done.settings)
    watched = Watched(signal_at=3)
    result = trained(made, watch=watched)
    assert (result.reason, result.step) == ("stopped", 3)
    assert result.checkpoint.name == "step-000003"
    assert any("stopping" in one.note for one in watched.told)
    assert lines(made.out, "end")[-1]["reason"] == "stopped"
    assert trained(replace(made, resume=True)).reason == "done"
    assert curve(made.out) == curve(done.out)
    assert same(pieces(made.out), pieces(done.out))


def test_a_checkpoint_that_cannot_be_written_ends_the_run(corpora, tmp_path):
    (tmp_path / "checkpoints").write_text("in the way")
    made = job(corpora, tmp_path, "steps=4", "checkpoint.every=1")
    with pytest.raises(CheckpointError, match="could not be written"):
        trained(made)
    [end] = lines(made.out, "end")
    assert end["reason"] == "failed"
    assert end["step"] < 4
    assert "could not be written" in end["message"]


def test_a_checkpoint_is_due_by_the_clock(corpora, tmp_path):
    trained(job(corpora, tmp_path, "steps=3", "checkpoint.every_s=1e-9"))
    assert [one["step"] for one in lines(tmp_path, "checkpoint")] == [1, 2, 3]
    kept = sorted(one.name for one in (tmp_path / "checkpoints").iterdir())
    assert kept == ["step-000002", "step-000003"]


def test_best_checkpoints_are_chosen_by_a_figure_of_the_evaluation(corpora, tmp_path, monkeypatch):
    figures = {1: 0.4, 2: 0.1, 3: 0.9, 4: 0.3, 5: 0.2}

    def evaluate(run: Trainer) -> None:
        run.metric = figures[run.progressed.step]

    monkeypatch.setattr(Trainer, "evaluate", evaluate)
    settings = ("steps=5", "eval.every=1", "checkpoint.keep_last=1", "checkpoint.keep_best=2")
    trained(job(corpora, tmp_path, *settings))
    kept = sorted(one.name for one in (tmp_path / "checkpoints").iterdir())
    assert kept == ["step-000002", "step-000005"]
    told = lines(tmp_path, "checkpoint")
    assert [one["metric"] for one in told] == list(figures.values())
    assert [one["best"] for one in told] == [True, True, False, False, False]


def test_a_figure_is_found_by_its_name():
    summary = {"levels": {"light": {"cer": {"value": 0.25, "low": 0.1}}}}
    assert value_of(summary, "levels.light.cer") == 0.25
    assert value_of(summary, "+levels.light.cer") == 0.25
    assert value_of(summary, "levels.heavy.cer") is None


ADAPTED = ("steps=14", "adapt.every=2", "stream.window_samples=4", "checkpoint.every=5")


@pytest.fixture(scope="module")
def adapted(corpora, tmp_path_factory) -> Job:
    made = job(corpora, tmp_path_factory.mktemp("adapted") / "run", *ADAPTED, "adapt.lead=4")
    trained(made)
    return made


def test_losses_change_the_levels_and_the_log_says_when(adapted):
    told = lines(adapted.out, "adapt")
    assert [one["step"] for one in told] == [2, 4, 6, 8, 10, 12, 14]
    assert all(a["window"] < b["window"] for a, b in pairwise(told))
    assert all(set(one["losses"]) == {"clean", "light", "moderate", "heavy"} for one in told)
    assert all(sum(one["shares"].values()) == pytest.approx(1, abs=1e-5) for one in told)
    assert len({tuple(one["shares"].values()) for one in told}) >= 4
    [summary] = (adapted.folder / "checkpoints").glob("step-000014/checkpoint.json")
    state = orjson.loads(summary.read_bytes())["state"]
    fed = state["stream"]["fed"]
    assert [one["start"] for one in fed] == [one["window"] for one in told]
    assert [one["losses"] for one in fed] == [one["losses"] for one in told]
    begun = told[0]["window"]
    steps = lines(adapted.out)
    assert steps[-1]["window"] > begun + 1
    shares = {one["window"]: one["shares"] for one in steps}
    assert all(shares[w] == shares[0] for w in shares if w < begun)
    # The means are those of the steps in between.
    tokens = [one["levels"]["clean"]["tokens"] for one in steps[2:4]]
    losses = [one["levels"]["clean"]["loss"] for one in steps[2:4]]
    mean = sum(a * b for a, b in zip(tokens, losses, strict=True)) / sum(tokens)
    assert told[1]["losses"]["clean"] == pytest.approx(mean)


@pytest.mark.slow
def test_levels_are_the_same_after_a_resume_and_with_workers(corpora, adapted, tmp_path):
    cut = replace(adapted, out=str(tmp_path / "cut"))
    assert trained(cut, watch=Watched(signal_at=5)).reason == "stopped"
    trained(replace(cut, resume=True))
    more = replace(
        adapted, out=str(tmp_path / "workers"),
        settings=(*adapted.settings, "data.workers=2", "data.prefetch=1"),
    )  # fmt: skip
    trained(more)
    for one in (cut, more):
        assert lines(one.out, "adapt") == lines(adapted.out, "adapt")
        assert curve(one.out) == curve(adapted.out)


@pytest.mark.slow
def test_a_lead_that_workers_have_passed_is_refused(corpora, tmp_path):
    settings = (*ADAPTED, "adapt.lead=1", "data.workers=2", "data.prefetch=4")
    with pytest.raises(ConfigError, match=r"raise adapt\.lead or stream\.window_samples, or lower"):
        trained(job(corpora, tmp_path, *settings))
    assert lines(tmp_path, "end")[-1]["reason"] == "failed"


def test_adaptations_within_one_window_follow_each_other(corpora, tmp_path):
    made = job(corpora, tmp_path, "steps=3", "adapt.every=1", "stream.window_samples=60")
    trained(made)
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
    made = Job(
        corpus=str(path), out=str(tmp_path / "run"), name="talks",
        settings=("steps=4", "adapt.every=1", "stream.pack.budget_tokens=128"),
    )  # fmt: skip
    assert trained(made, watch=Watched(signal_at=2)).reason == "stopped"
    assert trained(replace(made, resume=True)).reason == "done"
    assert not lines(made.out, "adapt")
    told = lines(made.out)
    assert [list(one["tasks"]) for one in told] == [["record"]] * 4
    assert told[-1]["loss"] < told[0]["loss"]


def test_the_log_may_leave_steps_out_but_not_the_first_and_last(corpora, tmp_path):
    watched = Watched()
    trained(job(corpora, tmp_path, "steps=6", "log.every=4"), watch=watched)
    assert [one["step"] for one in lines(tmp_path)] == [1, 4, 6]
    assert [one.step for one in watched.told if not one.note] == [1, 2, 3, 4, 5, 6]
    assert all(one.steps == 6 for one in watched.told)


def test_the_curve_of_a_small_run_is_the_known_one(corpora, tmp_path):
    """Forty steps by heart. After a wanted change: PAGEMILL_GOLDEN=1 writes it anew."""
    settings = (
        "steps=40", "data.pages=2", "optim.lr=3e-3", "stream.sample.plan_epochs=1",
        "stream.window_samples=4", "stream.pack.global_packs=1", "pace.final=0",
    )  # fmt: skip
    trained(job(corpora, tmp_path, *settings))
    losses = [round(loss, 5) for _, loss, _ in curve(tmp_path)]
    if os.environ.get("PAGEMILL_GOLDEN") == "1":
        GOLDEN.write_text(json.dumps({"settings": settings, "loss": losses}, indent=1) + "\n")
    golden = json.loads(GOLDEN.read_text())
    assert golden["settings"] == list(settings)
    off = [(mine - known) / known for mine, known in zip(losses, golden["loss"], strict=True)]
    assert max(map(abs, off)) < 2e-3
    assert abs(sum(off) / len(off)) < 2e-4
    assert losses[-1] < losses[0] / 2


def test_figures_go_to_tensorboard(corpora, tmp_path):
    made = job(corpora, tmp_path, "steps=2", "log.tensorboard=true")
    if importlib.util.find_spec("tensorboard") is None:
        with pytest.raises(DependencyError, match=r"tensorboard.*pagemill\[track\]"):
            trained(made)
        return
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trained(made)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [one.step for one in events.Scalars("loss")] == [1, 2]
    assert events.Scalars("loss")[1].value == pytest.approx(lines(tmp_path)[1]["loss"])
    assert "levels/clean/loss" in events.Tags()["scalars"]


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="wandb is installed")
def test_a_tracker_that_is_missing_names_its_extra(corpora, tmp_path):
    with pytest.raises(DependencyError, match=r"wandb.*pagemill\[track\]"):
        Trainer(job(corpora, tmp_path, "log.wandb=mill").recipe(), tmp_path)
