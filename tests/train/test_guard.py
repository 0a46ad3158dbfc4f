"""Steps that are not taken, samples that are lost: named, and without a trace in the weights."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pagemill.engine.errors import TrainingError
from pagemill.train.checkpoint.reader import read_checkpoint, read_pieces
from pagemill.train.guard import Guard
from pagemill.train.initial import initial_model
from pagemill.train.recipe.config import GuardConfig
from pagemill.train.setup import open_stream
from pagemill.train.stream.corpus import open_page_source
from pagemill.train.stream.dataset import PackDataset
from pagemill.train.stream.sample import SampleBuilder, TrainingSample
from pagemill.train.stream.stream import PageStream
from support.trained import Job, curve, lines, pieces, same, train_job


def filled(**config) -> Guard:
    guard = Guard(GuardConfig(least=4, window=8, **config), clip=1.0)
    for step in range(4):
        guard.record("", 2.0 + step / 10, 3.0, step, ())
    return guard


@pytest.mark.parametrize(
    ("loss", "norm", "message"),
    [
        (2.0, 3.0, ""),
        (math.nan, 3.0, "the loss is nan"),
        (math.inf, 3.0, "the loss is inf"),
        (2.0, math.nan, "the norm of the gradients is nan"),
        (2.0, math.inf, "the norm of the gradients is inf"),
        (2.0, 29.9, ""),
        (2.0, 30.1, "the norm of the gradients is 30.1, usual is 3"),
        (5.1, 3.0, ""),
        (5.2, 3.0, "the loss is 5.2, usual is 2.15"),
    ],
)
def test_what_is_not_finite_or_explodes_is_a_fault(loss, norm, message):
    assert filled().fault(loss, norm) == message


def test_small_norms_far_below_the_cut_are_no_alarm():
    guard = Guard(GuardConfig(least=1), clip=1.0)
    guard.record("", 2.0, 0.01, 1, ())
    assert guard.fault(2.0, 9.0) == ""  # 900 times the usual, and cut to 1
    assert guard.fault(2.0, 11.0)


def test_medians_do_not_count_at_the_beginning_nor_where_switched_off():
    young = Guard(GuardConfig(least=4))
    young.record("", 2.0, 3.0, 1, ())
    assert young.fault(99.0, 9e9) == ""
    assert filled(spike=0.0, jump=0.0).fault(99.0, 9e9) == ""


def test_a_skipped_step_is_no_measure_of_later_ones():
    guard = filled()
    before = guard.state_dict()
    guard.record("the loss is nan", math.nan, math.nan, 9, ())
    assert {**guard.state_dict(), "skipped": 0} == before
    assert guard.skipped == 1
    guard.record("", 2.0, 3.0, 10, ())
    assert guard.skipped == 0


def test_a_restored_guard_judges_alike():
    guard, other = filled(), Guard(GuardConfig(least=4, window=8), clip=1.0)
    guard.record("fault", 9.0, 9.0, 5, ())
    other.load_state_dict(json.loads(json.dumps(guard.state_dict())))
    assert other.state_dict() == guard.state_dict()
    assert other.fault(2.0, 30.1) == guard.fault(2.0, 30.1) != ""


def test_many_in_a_row_end_the_run_and_name_the_samples():
    guard = filled(most_skips=3)
    for step in (5, 6):
        guard.record("the loss is nan", math.nan, 1.0, step, ("k1",))
    with pytest.raises(TrainingError, match=r"3 steps in a row.*step 7: the loss is nan.*k1, k2"):
        guard.record("the loss is nan", math.nan, 1.0, 7, ("k1", "k2"))


def at(folder: Path, step: int):
    saved = read_checkpoint(folder / "checkpoints" / f"step-{step:06d}", check=True)
    return saved, read_pieces(saved)


def test_a_poisoned_step_leaves_no_trace_and_names_its_page(corpora, tmp_path):
    settings = ("steps=5", "checkpoint.every=1", "checkpoint.keep_last=9")
    train_job(Job(corpus=corpora[0], out=str(tmp_path / "run"), settings=settings, poisoned=(0, 3)))
    logged = lines(tmp_path / "run")
    assert [one["skipped"] for one in logged] == ["", "", "the loss is nan", "", ""]
    assert logged[2]["loss"] is None
    (before, two), (after, three), (_, four) = (at(tmp_path / "run", n) for n in (2, 3, 4))
    assert same(two, three)
    assert not same(three, four)
    steps = [one.state["progressed"] for one in (before, after)]
    assert [one["applied"] for one in steps] == [2, 2]
    assert [one["step"] for one in steps] == [2, 3]
    assert steps[1]["level_sums"] == steps[0]["level_sums"]
    # The samples were taken and the learning rate goes on by the step, not by updates.
    train_job(Job(corpus=corpora[0], out=str(tmp_path / "sound"), settings=("steps=5",)))
    sound = lines(tmp_path / "sound")
    for name in ("lr", "tokens", "window"):
        assert [one[name] for one in logged] == [one[name] for one in sound]
    assert curve(tmp_path / "run")[:2] == curve(tmp_path / "sound")[:2]
    assert logged[2]["samples"] == [first_key(corpora[0], 3)]
    assert all(not one["samples"] for one in logged if not one["skipped"])


def first_key(corpus: str, step: int) -> str:
    """Of the sample that `trained.poison` hits."""
    recipe = Job(corpus=corpus, out="").recipe()
    batches = open_stream(recipe, initial_model(recipe)[1]).batches()
    batch = [next(batches) for _ in range(step)][-1]
    return batch.keys[0][0]


def test_a_run_of_poisoned_steps_ends_and_says_so_in_its_log(corpora, tmp_path):
    settings = ("guard.most_skips=2", "checkpoint.every=1")
    job = Job(corpus=corpora[0], out=str(tmp_path), settings=settings, poisoned=(0, 2, 3))
    with pytest.raises(TrainingError, match="2 steps in a row were skipped, the last at step 3"):
        train_job(job)
    [end] = lines(tmp_path, "end")
    assert (end["reason"], end["step"]) == ("failed", 3)
    assert "TrainingError: 2 steps in a row" in end["message"]
    result = train_job(replace(job, poisoned=None, resume=True))
    assert (result.reason, result.step) == ("done", 6)


def spoil(monkeypatch, key: str, **changes) -> None:
    """The sample of a page gets other arrays."""
    make = SampleBuilder.build

    def make_spoilt(self, page, *rest, **more) -> TrainingSample:
        sample = make(self, page, *rest, **more)
        if page.key != key:
            return sample
        arrays = {name: getattr(sample, name).copy() for name in changes}
        for name, array in arrays.items():
            array[-1] = changes[name]
        return replace(sample, **arrays)

    monkeypatch.setattr(SampleBuilder, "build", make_spoilt)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": 12288}, "the label 12288 is out of range"),
        ({"input_ids": -7}, "the token -7 is out of range"),
        ({"labels": -1}, "the label -1 is out of range"),
    ],
)
def test_a_number_out_of_range_is_a_lost_sample(corpora, processor, monkeypatch, changes, message):
    made = PageStream(corpora[0], processor, seed=1)
    window = made.pack_planner.plan(0)
    ask = made.planned(window[0][0])
    key = str(made.sources[0].keys[ask.sample.row])
    spoil(monkeypatch, key, **changes)
    failures: list[str] = []
    lost = PackDataset(made.sources, made.builder, made.config).build(ask, failures)
    assert (lost.task, lost.key, len(lost.input_ids)) == ("lost", key, ask.tokens)
    assert not lost.weights.any()
    [one] = failures
    assert message in one
    assert key in one


def test_pixels_that_are_no_numbers_are_a_lost_sample(corpora, processor, monkeypatch):
    made = PageStream(corpora[0], processor, seed=1, do_normalize=True)
    ask = made.planned(made.pack_planner.plan(0)[0][0])
    key = str(made.sources[0].keys[ask.sample.row])
    spoil(monkeypatch, key, pixel_values=np.nan)
    failures: list[str] = []
    assert PackDataset(made.sources, made.builder, made.config).build(ask, failures).task == "lost"
    assert "not finite" in failures[0]
    assert key in failures[0]


def test_training_goes_on_past_broken_samples_and_names_them(corpora, tmp_path, monkeypatch):
    """One image with a flipped bit, one page with a label out of range."""
    shutil.copytree(corpora[0], tmp_path / "scans")
    source = open_page_source(str(tmp_path / "scans"))
    sound = Job(corpus=corpora[0], out=str(tmp_path / "sound"))
    train_job(sound)
    keys = [first_key(corpora[0], step) for step in (1, 2)]
    row = int(np.flatnonzero(source.keys == keys[0])[0])
    path = Path(source.place.local_path(source.tars[source.shards[row]]))
    data = bytearray(path.read_bytes())
    data[int(source.columns["image_offset"][row]) + 30] ^= 0x40
    path.write_bytes(data)
    spoil(monkeypatch, keys[1], labels=99_999)
    result = train_job(Job(corpus=str(tmp_path / "scans"), out=str(tmp_path / "run")))
    assert result.reason == "done"
    logged = lines(tmp_path / "run")
    assert any(keys[0] in one for one in logged[0]["failures"])
    assert any(keys[1] in one and "out of range" in one for one in logged[1]["failures"])
    assert not any(one["skipped"] for one in logged)
    assert logged[0]["answer_tokens"] < lines(tmp_path / "sound")[0]["answer_tokens"]
    assert all(torch.isfinite(one).all() for one in pieces(tmp_path / "run").values())
