"""One step of the optimizer: forward and backward over all micro-batches, then a guarded update."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from .backend.protocol import Backend
from .loss import GROUPS
from .micro_batch import MicroBatch, StepTotals

WORST_SAMPLES = 8
"""Samples of a rank that may be named when a step is skipped."""
NAMED_SAMPLES = 3
"""Of these, over all ranks, where no loss is infinite."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step did, the same on every rank."""

    loss: float
    group_sums: Tensor
    """float64 [len(GROUPS) + 1, 3], over all ranks."""
    grad_norm: float
    """Before gradients were cut."""
    fault: str
    """Why the step was not taken; empty where it was."""
    worst_samples: tuple[str, ...]
    """Keys of the samples with the highest losses, where it was not."""


def optimizer_step(
    backend: Backend,
    micro_batches: Sequence[MicroBatch],
    totals: StepTotals,
    *,
    lr: float,
    fault_of: Callable[[float, float], str],
) -> StepResult:
    """One step over the micro-batches of a rank.

    Args:
        backend: weights and optimizer.
        micro_batches: as many on every rank.
        totals: of all ranks.
        lr: learning rate before the factors of groups.
        fault_of: says what is wrong with (loss, norm); empty to take the step.
    """
    loss, group_sums, sample_sums = forward_backward(backend, micro_batches, totals)
    sums = torch.cat([loss[None], group_sums.flatten()])
    if backend.ranks > 1:
        dist.all_reduce(sums)
    sums = sums.cpu()
    step_loss, fault = float(sums[0]), ""

    def allow(grad_norm: float) -> bool:
        nonlocal fault
        fault = fault_of(step_loss, grad_norm)
        return not fault

    grad_norm = backend.update(lr, allow)
    worst = worst_samples(micro_batches, sample_sums, backend.ranks) if fault else ()
    return StepResult(step_loss, sums[1:].view(-1, 3), grad_norm, fault, worst)


def forward_backward(
    backend: Backend, micro_batches: Sequence[MicroBatch], totals: StepTotals
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Gradients of all micro-batches of a rank; (loss, sums by group, sums by sample of each)."""
    loss = torch.zeros((), dtype=torch.float64, device=backend.device)
    group_sums = torch.zeros(len(GROUPS) + 1, 3, dtype=torch.float64, device=backend.device)
    sample_sums: list[Tensor] = []
    for index, micro_batch in enumerate(micro_batches):
        is_last = index + 1 == len(micro_batches)
        result = backend.backward(micro_batch.to(backend.device), totals, index, is_last)
        loss += result.loss.detach().double()
        group_sums += result.group_sums
        sample_sums.append(result.sample_sums)
    return loss, group_sums, sample_sums


def exchange_totals(
    micro_batches: Sequence[MicroBatch],
    chunk_tokens: int,
    ranks: int,
    figures: Sequence[float] = (),
) -> tuple[StepTotals, Tensor]:
    """What the ranks must agree on before a step, and figures of each for all others.

    Args:
        micro_batches: as many on every rank.
        chunk_tokens: answer tokens whose logits exist at once.
        ranks: how many there are.
        figures: numbers of this rank.

    Returns:
        The totals, and the figures of all ranks, float64 [ranks, figures].
    """
    counts = [float(len(micro_batch.targets)) for micro_batch in micro_batches]
    weight = sum(float(part.weights.sum(dtype=torch.float64)) for part in micro_batches)
    gathered = all_gather([weight, *counts, *figures], ranks)
    most_tokens = gathered[:, 1 : 1 + len(counts)].max(0).values.tolist()
    chunks = tuple(max(1, math.ceil(tokens / chunk_tokens)) for tokens in most_tokens)
    return StepTotals(float(gathered[:, 0].sum()), chunks), gathered[:, 1 + len(counts) :]


def all_gather(values: Sequence[float], ranks: int) -> Tensor:
    """Some numbers of all ranks: float64 [ranks, values]."""
    local = torch.tensor(values, dtype=torch.float64)
    if ranks == 1:
        return local[None]
    device = torch.device("cuda") if dist.get_backend() == "nccl" else torch.device("cpu")
    gathered = [torch.empty_like(local, device=device) for _ in range(ranks)]
    dist.all_gather(gathered, local.to(device))
    return torch.stack(gathered).cpu()


def worst_samples(
    micro_batches: Sequence[MicroBatch], sample_sums: Sequence[Tensor], ranks: int
) -> tuple[str, ...]:
    """Keys of samples whose loss is not finite, or else the highest, over all ranks."""
    losses: list[tuple[float, str]] = []
    for micro_batch, sums in zip(micro_batches, sample_sums, strict=True):
        for key, (loss, tokens) in zip(micro_batch.keys, sums.tolist(), strict=False):
            mean = loss / tokens if tokens else 0.0
            losses.append((mean if math.isfinite(mean) else math.inf, key))
    worst = sorted(losses, reverse=True)[:WORST_SAMPLES]
    gathered: list[Any] = [worst]
    if ranks > 1:
        gathered = [None] * ranks
        dist.all_gather_object(gathered, worst)
    ordered = sorted((sample for samples in gathered for sample in samples), reverse=True)
    not_finite = [key for mean, key in ordered if math.isinf(mean)]
    return tuple(not_finite or [key for _, key in ordered[:NAMED_SAMPLES]])
