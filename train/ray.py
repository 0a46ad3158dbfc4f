"""The same run on many hosts: Ray Train starts a process a GPU and starts them again after a crash.

Every process resumes from the newest checkpoint in the run's folder, which all hosts must see.
Ray must be connected already.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import ray
import torch
from ray import train as ray_train
from ray.train.torch import TorchConfig, TorchTrainer

from ..engine.errors import ConfigError, TrainingError
from .launch import TrainJob, run_stages
from .log.journal import LOG, lines
from .log.run_log import OnStep, StepProgress
from .ranks import TIMEOUT, Ranks

POLL_S = 1.0
MOST_FAILURES = 8


def train_on_cluster(
    job: TrainJob,
    *,
    workers: int,
    gpus: int,
    on_step: OnStep | None = None,
    failures: int = MOST_FAILURES,
) -> str:
    """Train with so many processes; how the run ended, `done` or `stopped`.

    Args:
        job: what is asked for; its folder must be the same on all hosts.
        workers: processes, one a GPU, or one a host without GPUs.
        gpus: of each host; 0 computes on CPUs.
        on_step: called here with what rank 0 writes to its log.
        failures: times that the processes are started again after a crash.

    Raises:
        ConfigError: fewer than one process.
        TrainingError: the run failed, or crashed too often.
    """
    if workers < 1:
        raise ConfigError(f"--nodes is {workers}; at least one process is needed")
    job = replace(job, out=str(Path(job.out).absolute()))
    folders = [stage.folder for stage in job.read_stages() if stage.requested]
    trainer: Any = TorchTrainer(
        train_worker,
        train_loop_config=asdict(job),
        scaling_config=ray_train.ScalingConfig(num_workers=workers, use_gpu=gpus > 0),
        torch_config=TorchConfig(
            backend="nccl" if gpus else "gloo", timeout_s=int(TIMEOUT.total_seconds())
        ),
        run_config=ray_train.RunConfig(
            name="ray",
            storage_path=str(job.out),
            failure_config=ray_train.FailureConfig(max_failures=failures),
        ),
    )
    with following(folders, on_step):
        try:
            trainer.fit()
        except ray_train.TrainingFailedError as err:
            raise TrainingError(f"the run failed on the cluster: {err}") from err
    return "done" if all(end_reason(folder / LOG) == "done" for folder in folders) else "stopped"


def gpus_a_node(nodes: int) -> int:
    """GPUs that each of so many hosts of the cluster has."""
    return int(ray.cluster_resources().get("GPU", 0)) // max(1, nodes)


def train_worker(config: dict[str, Any]) -> None:
    """What every process does: go on from the newest checkpoint, if there is one."""
    fields: Any = {
        name: tuple(value) if isinstance(value, list) else value for name, value in config.items()
    }
    job = TrainJob(**fields)
    context = ray_train.get_context()
    ranks = Ranks(context.get_world_rank(), context.get_world_size(), worker_device())
    run_stages(replace(job, resume=True), ranks)


def worker_device() -> torch.device:
    """The device that Ray gave to this process."""
    device = ray_train.torch.get_device()
    assert isinstance(device, torch.device)
    return device


@contextmanager
def following(folders: list[Path], on_step: OnStep | None) -> Iterator[None]:
    """Call with the newest step in the logs of a run meanwhile."""
    if on_step is None:
        yield
        return
    finished = threading.Event()
    thread = threading.Thread(target=follow, args=(folders, on_step, finished), daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def follow(folders: list[Path], on_step: OnStep, finished: threading.Event) -> None:
    """Until it is finished, call with the last step of the newest log whenever it is a new one."""
    reported = (-1, "")
    while not finished.wait(POLL_S):
        for folder in folders:
            log = folder / LOG
            if not log.is_file():
                continue
            progress = last_step(log)
            if progress is not None and (progress.step, str(folder)) != reported:
                reported = (progress.step, str(folder))
                on_step(progress)


def end_reason(log: Path) -> str:
    """How the run with this log ended; empty where it did not."""
    ends = [line for line in lines(log) if line["kind"] == "end"] if log.is_file() else []
    return str(ends[-1]["reason"]) if ends else ""


def last_step(log: Path) -> StepProgress | None:
    """The last step in a log."""
    steps, last = 0, None
    for line in lines(log):
        if line["kind"] == "start":
            steps = int(line["steps"])
        elif line["kind"] == "step":
            last = line
    if last is None:
        return None
    return StepProgress(
        int(last["step"]), steps, float(last["loss"] or 0), float(last["tokens_per_s"])
    )
