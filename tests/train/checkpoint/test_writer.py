"""Checkpoints: whole or not at all, whatever is killed; faults surface."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import torch
from pagemill.engine.errors import CheckpointError
from pagemill.train.checkpoint.listing import (
    newest_checkpoint,
)
from pagemill.train.checkpoint.reader import read_checkpoint, read_pieces
from pagemill.train.checkpoint.writer import CheckpointWriter, Snapshot, pieces_of_rank
from support.checkpoints import PIECES, snapshot, write_checkpoints, write_model


def test_a_checkpoint_gives_back_what_was_written(tmp_path):
    [path] = write_checkpoints(tmp_path, 12)
    saved = read_checkpoint(path, check=True)
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
        own = Snapshot(7, {}, pieces_of_rank(tensors, rank, 3), None if rank else write_model)
        writer = CheckpointWriter(tmp_path, rank, 3, background=False, attempt="x")
        threads.append(threading.Thread(target=writer.save, args=(own,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    saved = read_checkpoint(tmp_path / "step-000007", check=True)
    assert sum(name.startswith("pieces-") for name in saved.files) == 3
    found = read_pieces(saved)
    assert {name: float(one[0]) for (name, _), one in found.items()} == {
        f"p{n}": n for n in range(5)
    }


def test_what_a_killed_process_left_is_written_over(tmp_path):
    part = tmp_path / "step-000004.part"
    (part / "model").mkdir(parents=True)
    (part / "model" / "stray.bin").write_bytes(b"old")
    (part / "pieces-01-of-02.safetensors").write_bytes(b"old")
    (part / "rank-00-of-01-old.json").write_text("{}")
    (part / "checkpoint.json").write_text("{}")
    [path] = write_checkpoints(tmp_path, 4)
    saved = read_checkpoint(path, check=True)
    assert {*saved.files, "checkpoint.json"} == {
        str(one.relative_to(path)) for one in path.rglob("*") if one.is_file()
    }
    assert not part.exists()
    assert read_pieces(saved).keys() == PIECES.keys()


def test_a_kill_while_it_is_written_leaves_the_older_one(tmp_path):
    [older] = write_checkpoints(tmp_path, 2)
    began = tmp_path / "began"

    def slow(folder: Path) -> None:
        write_model(folder)
        began.touch()
        time.sleep(60)

    child = os.fork()
    if not child:
        CheckpointWriter(tmp_path).save(snapshot(4, write=slow))
        time.sleep(60)
        os._exit(0)
    until = time.monotonic() + 30
    while not began.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert (tmp_path / "step-000004.part").is_dir()
    assert newest_checkpoint(tmp_path) == older
    read_checkpoint(older, check=True)
    [path] = write_checkpoints(tmp_path, 4)
    assert newest_checkpoint(tmp_path) == path


def broken(folder: Path) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("background", [True, False])
def test_a_disk_that_is_full_is_told(tmp_path, background):
    [older] = write_checkpoints(tmp_path, 2)
    writer = CheckpointWriter(tmp_path, background=background)
    with pytest.raises(CheckpointError, match="No space left"):  # noqa: PT012
        writer.save(snapshot(4, write=broken))
        writer.wait()
    writer.wait()  # told once
    assert newest_checkpoint(tmp_path) == older
    writer.save(snapshot(6))
    writer.wait()
    assert newest_checkpoint(tmp_path) == tmp_path / "step-000006"


@pytest.mark.parametrize("what", ["tensors", "folder", "state"])
def test_whatever_keeps_a_file_from_being_written_is_told(tmp_path, what):
    """Also faults of libraries that are no errors of the system."""
    if what == "tensors":  # safetensors has an error of its own
        (tmp_path / "step-000004.part" / "pieces-00-of-01.safetensors").mkdir(parents=True)
    elif what == "folder":
        (tmp_path / "step-000004.part").write_text("in the way")
    state = {"rank": object()} if what == "state" else {}
    writer = CheckpointWriter(tmp_path)
    made = snapshot(4)
    made.state |= state
    writer.save(made)
    with pytest.raises(CheckpointError, match="could not be written"):
        writer.wait()
    assert newest_checkpoint(tmp_path) is None


def test_the_next_save_tells_of_the_one_before(tmp_path):
    writer = CheckpointWriter(tmp_path)
    writer.save(snapshot(2, write=broken))
    with pytest.raises(CheckpointError, match="No space left"):
        writer.save(snapshot(4))
