"""What a run goes on from, and what it refuses."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.train.recipe import read_recipe
from support.trained import Job, finished_job, job_on, lines, pieces, same, train_job

OLD_KEYS = Path(__file__).with_name("state_with_old_keys.json")


@pytest.fixture(scope="module")
def done(corpora, tmp_path_factory) -> Job:
    return finished_job(corpora, tmp_path_factory.mktemp("done") / "run")


@pytest.fixture
def copied(done, tmp_path) -> Job:
    shutil.copytree(done.folder, tmp_path / "run")
    return replace(done, out=str(tmp_path / "run"))


def test_a_run_is_not_begun_twice_nor_done_twice(copied):
    with pytest.raises(CheckpointError, match="step-000004: go on with --resume"):
        train_job(copied)
    before = pieces(copied.out)
    result = train_job(replace(copied, resume=True))
    assert (result.reason, result.step) == ("done", 4)
    assert same(before, pieces(copied.out))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("optim.lr=0.5", r"optim\.lr \(was 0\.001, is 0\.5\)"),
        ("seed=6", r"seed \(was 5, is 6\)"),
        ("stream.window_samples=25", r"stream\.window_samples \(was 24, is 25\)"),
        ("lora.rank=4", r"lora\.rank"),
    ],
)
def test_another_recipe_is_refused_and_named(copied, setting, message):
    settings = (*copied.settings, setting)
    with pytest.raises((CheckpointError, ConfigError), match=message):
        train_job(replace(copied, settings=settings, resume=True))
    assert read_recipe(str(copied.folder / "recipe.toml")) == (copied.recipe(),)


def test_what_does_not_decide_the_weights_may_change(copied):
    settings = (*copied.settings, "data.workers=1", "log.every=9", "checkpoint.keep_last=7")
    assert train_job(replace(copied, settings=settings, resume=True)).reason == "done"


def test_other_start_weights_are_refused(corpora, done, tmp_path):
    start = tmp_path / "start"
    shutil.copytree(done.folder / "checkpoints" / "step-000002" / "model", start)
    job = job_on(corpora, tmp_path / "run", "steps=2", f"model.start={start}")
    train_job(job)
    shutil.copytree(
        done.folder / "checkpoints" / "step-000004" / "model", start, dirs_exist_ok=True
    )
    with pytest.raises(CheckpointError, match="began with other weights"):
        train_job(replace(job, resume=True))


def flip(path: Path) -> None:
    """Change one bit near the end of a file."""
    data = bytearray(path.read_bytes())
    data[-100] ^= 4
    path.write_bytes(data)


def test_a_damaged_newest_checkpoint_is_set_aside(copied, caplog):
    folder = copied.folder / "checkpoints"
    wanted = {key: one.clone() for key, one in pieces(copied.out).items()}
    flip(folder / "step-000004" / "pieces-00-of-01.safetensors")
    assert train_job(replace(copied, resume=True)).step == 4
    assert "step-000004/pieces-00-of-01.safetensors has another checksum" in caplog.text
    assert "goes on from step-000002" in caplog.text
    assert (folder / "step-000004.damaged" / "checkpoint.json").is_file()
    assert same(wanted, pieces(copied.out))


def test_without_a_whole_checkpoint_the_run_is_refused(copied):
    folder = copied.folder / "checkpoints"
    for name in ("step-000002", "step-000004"):
        flip(folder / name / "pieces-00-of-01.safetensors")
    with pytest.raises(CheckpointError, match=r"step-000004.pieces.*another checksum"):
        train_job(replace(copied, resume=True))
    assert not list(folder.glob("*.damaged"))


def test_half_written_ones_are_passed_over(copied):
    folder = copied.folder / "checkpoints"
    wanted = pieces(copied.out)
    (folder / "step-000004" / "checkpoint.json").unlink()
    assert train_job(replace(copied, resume=True)).step == 4
    assert lines(copied.out, "start")[-1]["step"] == 2
    assert same(wanted, pieces(copied.out))
    assert [one["step"] for one in lines(copied.out)] == [1, 2, 3, 4]


def test_a_run_of_before_the_keys_were_renamed_is_resumed(done, tmp_path):
    """A checkpoint of 2026 with [pace], parallel.engine and corruption.paper in its recipe.

    A change that alters what the stream draws refuses such runs: then, and only then, take
    `stream` out of the file.
    """
    old = json.loads(OLD_KEYS.read_text().replace("CORPUS", done.corpus))
    assert "pace" in old["recipe"]
    job = replace(done, out=str(tmp_path / "run"), resume=True)
    shutil.copytree(done.folder, job.folder)
    shutil.rmtree(job.folder / "checkpoints" / "step-000004")
    summary = job.folder / "checkpoints" / "step-000002" / "checkpoint.json"
    tree = json.loads(summary.read_bytes())
    tree["state"] |= old
    summary.write_text(json.dumps(tree))
    assert train_job(job).step == 4
    assert lines(job.out, "start")[-1]["step"] == 2
    assert same(pieces(job.out), pieces(done.out))
    with pytest.raises(CheckpointError, match=r"lr_schedule\.warmup \(was 0\.2, is 0\.3\)"):
        train_job(replace(job, settings=(*job.settings, "lr_schedule.warmup=0.3")))
