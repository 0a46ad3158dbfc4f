"""Processes that read, corrupt and cut for a stream: how they start, and that they end with it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from typing import Any

import cv2
import torch


def worker_context() -> Any:
    """Workers are forked from a clean process that has the imports done.

    Spawned ones would each import torch anew, and some libraries abort when such a process ends.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"{__package__}.dataset"])
    return context


def start_worker(worker: int) -> None:
    """One thread a worker, since there is one worker a core; and none outlives the run."""
    threading.Thread(target=follow_parent, daemon=True).start()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def follow_parent() -> None:
    """End with the process that asked for this worker, however that one ends."""
    owner = multiprocessing.parent_process()
    if owner is not None:
        owner.join()
        os._exit(1)
