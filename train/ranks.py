"""Which of the processes of a run this one is, and the device that it computes on."""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist

from ..engine.errors import TrainingError

CPU = torch.device("cpu")
WAIT = datetime.timedelta(hours=2)
"""For the slowest rank: rank 0 may read a long evaluation alone."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those of a run."""

    rank: int = 0
    ranks: int = 1
    device: torch.device = CPU

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and tells."""
        return self.rank == 0


def alone() -> Ranks:
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
        yield alone()
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    gpus = torch.cuda.device_count()
    if gpus and local >= gpus:
        raise TrainingError(f"process {local} of this host has no GPU: there are {gpus}")
    device = torch.device("cuda", local) if gpus else torch.device("cpu")
    if gpus:
        torch.cuda.set_device(device)
    ours = not dist.is_initialized()
    if ours:
        dist.init_process_group("nccl" if gpus else "gloo", timeout=WAIT)
    try:
        yield Ranks(rank, ranks, device)
    finally:
        if ours and dist.is_initialized():
            dist.destroy_process_group()


def ensure_group() -> None:
    """A process group of this process alone, where no launcher made one."""
    if dist.is_initialized():
        return
    for name, value in (("RANK", "0"), ("LOCAL_RANK", "0"), ("WORLD_SIZE", "1")):
        os.environ.setdefault(name, value)
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    meeting = Path(tempfile.mkdtemp()) / "ranks"
    dist.init_process_group(
        backend, init_method=f"file://{meeting}", rank=0, world_size=1, timeout=WAIT
    )


def agreed(value: str, ranks: Ranks) -> str:
    """The value that rank 0 has."""
    if ranks.ranks == 1:
        return value
    held = [value]
    dist.broadcast_object_list(held, src=0)
    return held[0]


def gathered(value: object, ranks: Ranks) -> list[object]:
    """The values of all ranks, on every rank."""
    if ranks.ranks == 1:
        return [value]
    found: list[object] = [None] * ranks.ranks
    dist.all_gather_object(found, value)
    return found
