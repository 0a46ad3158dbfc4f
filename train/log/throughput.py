"""Figures of a step: tokens, pages, FLOPs, and which share of a device's peak they are.

FLOPs are those that the model needs (`model/cost/flops.py`): 6 a trained parameter and token, 2 or
4 of frozen ones, attention by the samples' own lengths, logits of answer tokens alone; no
padding, and nothing that is computed twice. MFU is their rate over the peak of all devices.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch

from ...model.config import PagemillConfig
from ...model.cost.flops import training_flops
from ..micro_batch import MicroBatch

PEAKS = {
    "H200": 989.4e12, "H100": 989.4e12, "H800": 989.4e12, "GH200": 989.4e12, "H20": 148e12,
    "B200": 2250e12, "B100": 1750e12, "A100": 312e12, "A800": 312e12, "L40S": 362e12,
    "L4": 121e12, "A10G": 70e12, "A10": 125e12, "RTX 4090": 165.2e12, "RTX 3090": 71e12,
}  # fmt: skip
"""Dense bfloat16 FLOP/s with sparsity off, by a part of the device's name. Source: data sheets."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Of one step, on one rank or over all."""

    tokens: float
    """Of samples, without what packs are filled up with."""
    answer_tokens: float
    pages: float
    slices: float
    room: float
    """Tokens that the packs have room for."""
    flops: float


FIGURES = len(fields(Throughput))
"""Numbers that ranks exchange of it."""


def throughput_of(
    config: PagemillConfig,
    micro_batches: Sequence[MicroBatch],
    frozen: Sequence[str],
    *,
    adapted: bool = False,
) -> Throughput:
    """Figures of what a rank learns from in one step.

    Args:
        config: of the model.
        micro_batches: of the step.
        frozen: parts of the model that do not learn.
        adapted: whether the language model learns by adapters alone.
    """
    lengths: list[int] = []
    sizes: list[tuple[int, int]] = []
    room = answers = pages = 0
    for part in micro_batches:
        lengths += part.sample_lengths
        if part.tgt_sizes is not None:
            sizes += [(rows, columns) for rows, columns in part.tgt_sizes.tolist()]
        room += part.input_ids.numel()
        answers += len(part.targets)
        pages += len(part.keys)
    flops = training_flops(
        config, sizes, None, lengths, frozen=frozen, logit_tokens=answers, adapted=adapted
    )
    return Throughput(sum(lengths), answers, pages, len(sizes), room, flops.total)


def summed(rows: Sequence[Sequence[float]]) -> Throughput:
    """Figures of all ranks together."""
    return Throughput(*(float(sum(column)) for column in zip(*rows, strict=True)))


def as_row(throughput: Throughput) -> list[float]:
    """Figures as numbers, to be sent to other ranks."""
    return [float(getattr(throughput, item.name)) for item in fields(Throughput)]


def peak_flops(device: torch.device) -> float | None:
    """FLOP/s of a device in bfloat16; None where it is not known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in PEAKS.items() if part in name), None)


def peak_memory(device: torch.device) -> int:
    """Most bytes that were in use: of the device, or of the process on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    kilo = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilo * (1 if sys.platform == "darwin" else 1024)
