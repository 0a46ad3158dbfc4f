"""Which of the processes of a run this one is, and the device that it computes on."""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from ..engine.errors import TrainingError

T = TypeVar("T")
CPU = torch.device("cpu")
TIMEOUT = datetime.timedelta(hours=2)
"""For the slowest rank: rank 0 may read a long evaluation alone."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those of a run."""

    rank: int = 0
    ranks: int = 1
    device: torch.device = CPU

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and logs."""
        return self.rank == 0


def single_process() -> Ranks:
    """One process, on a GPU if there is one."""
    return Ranks(device=torch.device("cuda" if torch.cuda.is_available() else "cpu"))


@contextmanager
def from_environment() -> Iterator[Ranks]:
    """The process as torchrun, DeepSpeed's launcher or Ray started it.

    Raises:
        TrainingError: more processes on this host than GPUs, where there are any.
    """
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if ranks == 1 and "MASTER_ADDR" not in os.environ:
        yield single_process()
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    gpus = torch.cuda.device_count()
    if gpus and local >= gpus:
        raise TrainingError(f"process {local} of this host has no GPU: there are {gpus}")
    device = torch.device("cuda", local) if gpus else torch.device("cpu")
    if gpus:
        torch.cuda.set_device(device)
    owns_group = not dist.is_initialized()
    if owns_group:
        dist.init_process_group("nccl" if gpus else "gloo", timeout=TIMEOUT)
    try:
        yield Ranks(rank, ranks, device)
    finally:
        if owns_group and dist.is_initialized():
            dist.destroy_process_group()


def ensure_group() -> None:
    """A process group of this process alone, where no launcher made one."""
    if dist.is_initialized():
        return
    for name, value in (("RANK", "0"), ("LOCAL_RANK", "0"), ("WORLD_SIZE", "1")):
        os.environ.setdefault(name, value)
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    rendezvous = Path(tempfile.mkdtemp()) / "ranks"
    dist.init_process_group(
        backend, init_method=f"file://{rendezvous}", rank=0, world_size=1, timeout=TIMEOUT
    )


def broadcast(value: str, ranks: Ranks) -> str:
    """The value that rank 0 has."""
    if ranks.ranks == 1:
        return value
    values = [value]
    dist.broadcast_object_list(values, src=0)
    return values[0]


def gather_lists(values: Sequence[T], ranks: Ranks) -> list[T]:
    """The values of all ranks in one list, on every rank."""
    if ranks.ranks == 1:
        return list(values)
    gathered: list[Any] = [None] * ranks.ranks
    dist.all_gather_object(gathered, list(values))
    return [value for rank_values in gathered for value in rank_values]
