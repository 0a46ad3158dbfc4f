"""Ray Train starts the processes of a run, and starts them again when one is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from pagemill.pipelines.cluster import connected
from pagemill.train.launch import TrainJob
from pagemill.train.log.journal import read
from pagemill.train.recipe import read_recipe
from pagemill.train.trainer import Trainer
from support.recipes import write_small_recipe

psutil = pytest.importorskip("psutil")

STEPS = 12
SETTINGS = """
[parallel]
threads = 1
[checkpoint]
every = 4
[eval]
at_end = false
"""


def losses(folder: Path) -> dict[int, float]:
    return {
        line["step"]: line["loss"] for line in read(folder / "log.jsonl") if line["kind"] == "step"
    }


def kill_one_worker(checkpoint: Path, done: list[int]) -> None:
    """Once there is a checkpoint, SIGKILL one of the processes that train."""
    while not (checkpoint / "checkpoint.json").is_file():
        time.sleep(0.05)
    for process in psutil.process_iter(["name", "cmdline"]):
        if "RayTrainWorker" in " ".join(process.info["cmdline"] or [process.info["name"] or ""]):
            done.append(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            return


@pytest.mark.ray
@pytest.mark.slow
def test_a_killed_worker_costs_the_steps_since_the_last_checkpoint(tmp_path, corpora):
    recipe = write_small_recipe(tmp_path, corpora[0], STEPS, SETTINGS)
    Trainer(read_recipe(recipe)[0], tmp_path / "alone").train()
    killed: list[int] = []
    folder = tmp_path / "cluster"
    killer = threading.Thread(
        target=kill_one_worker, args=(folder / "checkpoints" / "step-000004", killed)
    )
    killer.start()
    with connected(None, 2):
        from pagemill.train.ray import train_on_cluster

        progress = []
        job = TrainJob(recipe=recipe, out=str(folder))
        reason = train_on_cluster(job, workers=2, gpus=0, on_step=progress.append)
    killer.join()
    assert killed
    assert reason == "done"
    assert progress[-1].steps == STEPS
    starts = [line["step"] for line in read(folder / "log.jsonl") if line["kind"] == "start"]
    assert starts[0] == 0
    assert starts[-1] >= 4
    ours, theirs = losses(tmp_path / "alone"), losses(folder)
    assert list(theirs) == list(range(1, STEPS + 1))
    assert max(abs(theirs[step] / ours[step] - 1) for step in ours) < 1e-5
