"""Checkpoints: whole or not at all; what is wrong with a damaged one is said; faults surface."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from pathlib import Path

import orjson
import pytest
import torch
from pagemill.engine.errors import CheckpointError
from pagemill.train.checkpoint.checkpoint import (
    Snapshot,
    Writer,
    complete,
    differing,
    newest,
    own_share,
    prune,
    read_pieces,
    read_saved,
    sweep,
)
from pagemill.train.checkpoint.retention import best_of, changes
from pagemill.train.recipe.recipe import CheckpointConfig
from pagemill.train.trainer import RunState

PIECES = {("a", "weight"): torch.arange(6.0).view(2, 3), ("a", "exp_avg"): torch.ones(2, 3)}


def export(folder: Path) -> None:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(range(200)))


def snapshot(step: int, **other) -> Snapshot:
    pieces = own_share(((name, kind, one) for (name, kind), one in PIECES.items()), 0, 1)
    return Snapshot(step, {"metric": None, "step": step}, pieces, other.get("export", export))


def written(folder: Path, *steps: int) -> list[Path]:
    writer = Writer(folder, background=False)
    for step in steps:
        writer.save(snapshot(step))
    return [folder / f"step-{step:06d}" for step in steps]


def test_a_checkpoint_gives_back_what_was_written(tmp_path):
    [path] = written(tmp_path, 12)
    saved = read_saved(path, check=True)
    assert (saved.step, saved.state["step"]) == (12, 12)
    found = read_pieces(saved)
    assert found.keys() == PIECES.keys()
    assert all(torch.equal(found[name], PIECES[name]) for name in PIECES)
    assert {*saved.files, "checkpoint.json"} == {
        str(one.relative_to(path)) for one in path.rglob("*") if one.is_file()
    }


def test_ranks_write_their_share_and_any_number_reads_all(tmp_path):
    tensors = [(f"p{n}", "weight", torch.full((n + 1,), float(n))) for n in range(5)]
    threads = []
    for rank in (2, 1, 0):
        own = Snapshot(7, {}, own_share(tensors, rank, 3), None if rank else export)
        writer = Writer(tmp_path, rank, 3, background=False, attempt="x")
        threads.append(threading.Thread(target=writer.save, args=(own,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    saved = read_saved(tmp_path / "step-000007", check=True)
    assert sum(name.startswith("pieces-") for name in saved.files) == 3
    found = read_pieces(saved)
    assert {name: float(one[0]) for (name, _), one in found.items()} == {
        f"p{n}": n for n in range(5)
    }


def damage(path: Path, name: str) -> None:
    pieces = path / "pieces-00-of-01.safetensors"
    if name == "summary":
        (path / "checkpoint.json").unlink()
    elif name == "torn summary":
        data = (path / "checkpoint.json").read_bytes()
        (path / "checkpoint.json").write_bytes(data[: len(data) // 2])
    elif name == "file":
        (path / "model" / "config.json").unlink()
    elif name == "cut":
        pieces.write_bytes(pieces.read_bytes()[:-9])
    elif name == "bit":
        data = bytearray(pieces.read_bytes())
        data[-3] ^= 1
        pieces.write_bytes(data)
    elif name == "schema":
        tree = orjson.loads((path / "checkpoint.json").read_bytes())
        (path / "checkpoint.json").write_bytes(orjson.dumps({**tree, "schema": "other.9"}))
    elif name == "gone":
        shutil.rmtree(path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("summary", r"step-000002 has no checkpoint\.json: it is half-written"),
        ("torn summary", r"step-000002.checkpoint\.json is not JSON"),
        ("file", r"model.config\.json is missing"),
        ("cut", r"pieces-00-of-01\.safetensors has \d+ bytes, \d+ were written"),
        ("bit", r"pieces-00-of-01\.safetensors has another checksum"),
        ("schema", r"the schema 'other\.9'; this version reads 'pagemill\.checkpoint"),
        ("gone", "there is no checkpoint"),
    ],
)
def test_a_damaged_checkpoint_is_refused_and_says_why(tmp_path, name, told):
    [path] = written(tmp_path, 2)
    damage(path, name)
    with pytest.raises(CheckpointError, match=told):
        read_saved(path, check=True)


def test_half_written_ones_are_left_out_and_named(tmp_path, caplog):
    first, second, third = written(tmp_path, 2, 4, 6)
    damage(third, "summary")
    second.rename(tmp_path / "step-000004.part")
    (tmp_path / "notes").mkdir()
    assert newest(tmp_path) == first
    assert complete(tmp_path) == [first]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert any("step-000004.part is half-written" in one for one in said)
    assert any("step-000006 is half-written" in one for one in said)


def test_what_a_killed_process_left_is_written_over(tmp_path):
    part = tmp_path / "step-000004.part"
    (part / "model").mkdir(parents=True)
    (part / "model" / "stray.bin").write_bytes(b"old")
    (part / "pieces-01-of-02.safetensors").write_bytes(b"old")
    (part / "rank-00-of-01-old.json").write_text("{}")
    (part / "checkpoint.json").write_text("{}")
    [path] = written(tmp_path, 4)
    saved = read_saved(path, check=True)
    assert {*saved.files, "checkpoint.json"} == {
        str(one.relative_to(path)) for one in path.rglob("*") if one.is_file()
    }
    assert not part.exists()
    assert read_pieces(saved).keys() == PIECES.keys()


def test_a_kill_while_it_is_written_leaves_the_older_one(tmp_path):
    [older] = written(tmp_path, 2)
    began = tmp_path / "began"

    def slow(folder: Path) -> None:
        export(folder)
        began.touch()
        time.sleep(60)

    child = os.fork()
    if not child:
        Writer(tmp_path).save(snapshot(4, export=slow))
        time.sleep(60)
        os._exit(0)
    until = time.monotonic() + 30
    while not began.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert (tmp_path / "step-000004.part").is_dir()
    assert newest(tmp_path) == older
    read_saved(older, check=True)
    [path] = written(tmp_path, 4)
    assert newest(tmp_path) == path


def broken(folder: Path) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("background", [True, False])
def test_a_disk_that_is_full_is_told(tmp_path, background):
    [older] = written(tmp_path, 2)
    writer = Writer(tmp_path, background=background)
    with pytest.raises(CheckpointError, match="No space left"):  # noqa: PT012
        writer.save(snapshot(4, export=broken))
        writer.wait()
    writer.wait()  # told once
    assert newest(tmp_path) == older
    writer.save(snapshot(6))
    writer.wait()
    assert newest(tmp_path) == tmp_path / "step-000006"


@pytest.mark.parametrize("what", ["tensors", "folder", "state"])
def test_whatever_keeps_a_file_from_being_written_is_told(tmp_path, what):
    """Also faults of libraries that are no errors of the system."""
    if what == "tensors":  # safetensors has an error of its own
        (tmp_path / "step-000004.part" / "pieces-00-of-01.safetensors").mkdir(parents=True)
    elif what == "folder":
        (tmp_path / "step-000004.part").write_text("in the way")
    state = {"rank": object()} if what == "state" else {}
    writer = Writer(tmp_path)
    made = snapshot(4)
    made.state |= state
    writer.save(made)
    with pytest.raises(CheckpointError, match="could not be written"):
        writer.wait()
    assert newest(tmp_path) is None


def test_the_next_save_tells_of_the_one_before(tmp_path):
    writer = Writer(tmp_path)
    writer.save(snapshot(2, export=broken))
    with pytest.raises(CheckpointError, match="No space left"):
        writer.save(snapshot(4))


def test_the_last_and_the_best_are_kept(tmp_path):
    paths = written(tmp_path, *range(1, 9))
    figures = {1: 0.5, 3: 0.1, 4: 0.3, 6: 0.1, 8: 0.9}
    for step, path in enumerate(paths, 1):
        tree = orjson.loads((path / "checkpoint.json").read_bytes())
        tree["state"]["metric"] = figures.get(step)
        (path / "checkpoint.json").write_bytes(orjson.dumps(tree))
    config = CheckpointConfig(keep_last=2, keep_best=2)
    best = best_of(paths, config)
    assert [one.name for one in best] == ["step-000003", "step-000006"]
    highest = best_of(paths, CheckpointConfig(metric="+accuracy", keep_best=1))
    assert [one.name for one in highest] == ["step-000008"]
    assert best_of(paths, CheckpointConfig(keep_best=0)) == []
    removed = prune(tmp_path, keep_last=2, best=best)
    assert [one.name for one in removed] == [f"step-00000{n}" for n in (1, 2, 4, 5)]
    assert [one.name for one in complete(tmp_path)] == [f"step-00000{n}" for n in (3, 6, 7, 8)]
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        f"step-00000{n}" for n in (3, 6, 7, 8)
    ]


def test_what_killed_processes_left_is_swept_away_behind_a_complete_one(tmp_path):
    first, second, third, last = written(tmp_path, 2, 4, 6, 8)
    first.rename(tmp_path / "step-000002.part")
    damage(second, "summary")
    (tmp_path / "step-000010.part").mkdir()  # a rank that is ahead writes here already
    (tmp_path / "notes").mkdir()
    assert [one.name for one in sweep(tmp_path, 8)] == ["step-000002.part", "step-000004"]
    assert sorted(tmp_path.iterdir()) == [
        tmp_path / "notes", third, last, tmp_path / "step-000010.part",
    ]  # fmt: skip


def test_what_a_checkpoint_says_is_of_its_own_step():
    """The state is written in the background, while the next steps go on counting."""
    now = RunState(step=4, summary={"levels": {"light": {"cer": {"value": 0.5}}}})
    state = now.state()
    now.level_sums[0][0] += 9.5
    now.level_sums[1][1] += 3
    now.summary["levels"].clear()
    assert state["level_sums"] == [[0.0, 0.0]] * 4
    assert state["summary"]["levels"]
    assert RunState.restored(orjson.loads(orjson.dumps(state))).level_sums[0] == [0.0, 0.0]


def test_what_differs_is_named_with_both_values():
    theirs = {"optim": {"lr": 1e-3, "clip": 1.0}, "seed": 1, "old": 2}
    ours = {"optim": {"lr": 5e-4, "clip": 1.0}, "seed": 1, "new": [3]}
    assert differing(theirs, ours) == [
        "new (was None, is [3])",
        "old (was 2, is None)",
        "optim.lr (was 0.001, is 0.0005)",
    ]
    assert not differing(theirs, theirs)


def test_only_what_decides_the_weights_must_be_the_same():
    theirs = {"data": {"corpora": ["a"], "workers": 1}, "parallel": {"dtype": "float32", "zero": 0}}
    ours = {"data": {"corpora": ["a"], "workers": 4}, "parallel": {"dtype": "float32", "zero": 3}}
    assert not changes(theirs, ours)
    ours["data"]["corpora"], ours["parallel"]["dtype"] = ["b"], "bfloat16"
    assert [one.partition(" ")[0] for one in changes(theirs, ours)] == [
        "data.corpora", "parallel.dtype",
    ]  # fmt: skip
