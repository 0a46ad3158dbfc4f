"""One step of the optimiser: forward and backward over all micro-batches, then a guarded update.

`Backend` is what a step needs of a way to hold weights and gradients. `TorchBackend` holds all of
them on every rank, with float32 masters of bfloat16 weights; `parallel.py` has the one that
DeepSpeed spreads over ranks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ...engine.errors import CheckpointError
from ..loss import GROUPS, MicroBatch, MicroResult, PackedLoss, Totals
from ..optimizer import ParameterGroup, adamw, groups, set_lr
from ..recipe import Recipe

MOMENTS = ("exp_avg", "exp_avg_sq")
KINDS = ("weight", *MOMENTS)
"""What is kept of every parameter that learns, float32 each."""
Allow = Callable[[float], bool]
"""Says, from the norm of the gradients, whether a step is taken."""
WORST = 8
"""Samples that are named when a step is skipped."""


class Backend(Protocol):
    """Weights, gradients and moments, wherever they lie."""

    learner: Any
    model: Any
    device: torch.device
    rank: int
    ranks: int

    def backward(self, part: MicroBatch, totals: Totals, number: int, last: bool) -> MicroResult:
        """Forward and backward of one micro-batch."""
        ...

    def update(self, lr: float, allow: Allow) -> float:
        """Take the step if it is allowed, forget the gradients; the norm before cutting."""
        ...

    def pieces(self) -> Iterator[tuple[str, str, Tensor]]:
        """(name, kind, float32 tensor) of all that a checkpoint needs; every rank must iterate."""
        ...

    def restore(self, pieces: Mapping[tuple[str, str], Tensor], applied: int) -> None:
        """Put pieces back, and the number of updates that they have seen."""
        ...

    def weights(self) -> dict[str, Tensor]:
        """The model's whole state as it computes; every rank must ask, rank 0 gets it."""
        ...

    def whole(self) -> AbstractContextManager[tuple[Any, int, int]]:
        """For reading: (model or None, number of this reader, readers in all)."""
        ...


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step did, the same on every rank."""

    loss: float
    groups: Tensor
    """float64 [len(GROUPS) + 1, 3], over all ranks."""
    norm: float
    fault: str
    """Why the step was not taken; empty where it was."""
    worst: tuple[str, ...]
    """Keys of the samples with the highest losses, where it was not."""


def exchange(values: Sequence[float], ranks: int) -> Tensor:
    """Some numbers of all ranks: float64 [ranks, values]."""
    own = torch.tensor(values, dtype=torch.float64)
    if ranks == 1:
        return own[None]
    device = torch.device("cuda") if dist.get_backend() == "nccl" else torch.device("cpu")
    all_of_them = [torch.empty_like(own, device=device) for _ in range(ranks)]
    dist.all_gather(all_of_them, own.to(device))
    return torch.stack(all_of_them).cpu()


def totals_of(
    parts: Sequence[MicroBatch], chunk_tokens: int, ranks: int, told: Sequence[float] = ()
) -> tuple[Totals, Tensor]:
    """What the ranks must agree on before a step, and what else each wants to tell the others.

    Args:
        parts: as many on every rank.
        chunk_tokens: answer tokens whose logits exist at once.
        ranks: how many there are.
        told: numbers of this rank.

    Returns:
        The totals, and the numbers of all ranks, float64 [ranks, numbers].
    """
    counts = [float(len(part.targets)) for part in parts]
    weight = sum(float(part.weights.sum(dtype=torch.float64)) for part in parts)
    found = exchange([weight, *counts, *told], ranks)
    most = found[:, 1 : 1 + len(parts)].max(0).values.tolist()
    chunks = tuple(max(1, math.ceil(count / chunk_tokens)) for count in most)
    return Totals(float(found[:, 0].sum()), chunks), found[:, 1 + len(parts) :]


def optimizer_step(
    engine: Backend,
    parts: Sequence[MicroBatch],
    totals: Totals,
    *,
    lr: float,
    fault_of: Callable[[float, float], str],
) -> StepResult:
    """One step over the parts of a rank.

    Args:
        engine: weights and optimiser.
        parts: as many on every rank.
        totals: of all ranks.
        lr: learning rate before the shares of groups.
        fault_of: says what is wrong with (loss, norm); empty to take the step.
    """
    loss = torch.zeros((), dtype=torch.float64, device=engine.device)
    sums = torch.zeros(len(GROUPS) + 1, 3, dtype=torch.float64, device=engine.device)
    samples: list[Tensor] = []
    for number, part in enumerate(parts):
        moved = part.to(engine.device)
        learned = engine.backward(moved, totals, number, number + 1 == len(parts))
        loss += learned.loss.detach().double()
        sums += learned.groups
        samples.append(learned.samples)
    told = torch.cat([loss[None], sums.flatten()])
    if engine.ranks > 1:
        dist.all_reduce(told)
    told = told.cpu()
    value, faults = float(told[0]), [""]

    def allow(norm: float) -> bool:
        faults[0] = fault_of(value, norm)
        return not faults[0]

    norm = engine.update(lr, allow)
    worst = worst_samples(parts, samples, engine.ranks) if faults[0] else ()
    return StepResult(value, told[1:].view(-1, 3), norm, faults[0], worst)


def worst_samples(
    parts: Sequence[MicroBatch], samples: Sequence[Tensor], ranks: int
) -> tuple[str, ...]:
    """Keys of samples whose loss is not finite, or else the highest, over all ranks."""
    own: list[tuple[float, str]] = []
    for part, sums in zip(parts, samples, strict=True):
        for key, (loss, count) in zip(part.keys, sums.tolist(), strict=False):
            mean = loss / count if count else 0.0
            own.append((mean if math.isfinite(mean) else math.inf, key))
    own = sorted(own, reverse=True)[:WORST]
    found: list[Any] = [own]
    if ranks > 1:
        found = [None] * ranks
        dist.all_gather_object(found, own)
    every = sorted((one for rank in found for one in rank), reverse=True)
    broken = [key for mean, key in every if math.isinf(mean)]
    return tuple(broken or [key for _, key in every[:3]])


class TorchBackend:
    """Everything on every rank; gradients are summed over ranks once a step.

    Args:
        model: on its device, in float32 or bfloat16.
        recipe: of the run.
        rank: which of the ranks.
        ranks: how many there are.
    """

    def __init__(self, model: Any, recipe: Recipe, *, rank: int = 0, ranks: int = 1) -> None:
        self.model = model
        self.learner = PackedLoss(model, chunk_tokens=recipe.parallel.chunk_tokens)
        self.device: torch.device = next(model.parameters()).device
        self.rank, self.ranks = rank, ranks
        self.clip = recipe.optim.clip
        own = groups(model, recipe.optim)
        self.names = [name for group in own for name in group.names]
        self.parameters = [one for group in own for one in group.parameters]
        self.masters = [as_master(one) for one in self.parameters]
        masters = iter(self.masters)
        self.optimiser = adamw(
            [
                ParameterGroup(
                    group.names,
                    tuple(next(masters) for _ in group.parameters),
                    group.share,
                    group.weight_decay,
                )
                for group in own
            ],
            recipe.optim,
            torch.optim.AdamW,
        )

    def backward(self, part: MicroBatch, totals: Totals, number: int, last: bool) -> MicroResult:
        """Forward and backward of one micro-batch."""
        learned: MicroResult = self.learner(part, totals.weight, totals.chunks[number])
        learned.loss.backward()  # type: ignore[no-untyped-call]
        self.collect()
        return learned

    def collect(self) -> None:
        """Move gradients to the float32 weights, where those are others."""
        for parameter, master in zip(self.parameters, self.masters, strict=True):
            if master is not parameter and parameter.grad is not None:
                add_gradient(master, parameter)

    def spread(self) -> None:
        """Copy the float32 weights to those that compute, where they are others."""
        with torch.no_grad():
            for parameter, master in zip(self.parameters, self.masters, strict=True):
                if master is not parameter:
                    parameter.copy_(master)

    def update(self, lr: float, allow: Allow) -> float:
        """Take the step if it is allowed, forget the gradients; the norm before cutting."""
        for master in self.masters:
            if master.grad is None:
                master.grad = torch.zeros_like(master)
        gradients = [master.grad for master in self.masters if master.grad is not None]
        if self.ranks > 1:
            sum_over_ranks(gradients)
        norm = norm_of(gradients)
        value = float(norm)
        if allow(value):
            if self.clip:
                torch.nn.utils.clip_grads_with_norm_(self.masters, self.clip, norm)
            set_lr(self.optimiser, lr)
            self.optimiser.step()
            self.spread()
        self.optimiser.zero_grad(set_to_none=True)
        return value

    def pieces(self) -> Iterator[tuple[str, str, Tensor]]:
        """(name, kind, float32 tensor) of all that a checkpoint needs."""
        for name, master in zip(self.names, self.masters, strict=True):
            yield name, "weight", master.detach()
            state = self.optimiser.state.get(master, {})
            for kind in MOMENTS:
                yield name, kind, state.get(kind, torch.zeros_like(master))

    def restore(self, pieces: Mapping[tuple[str, str], Tensor], applied: int) -> None:
        """Put pieces back, and the number of updates that they have seen.

        Raises:
            CheckpointError: they are of another model.
        """
        for name, parameter, master in zip(self.names, self.parameters, self.masters, strict=True):
            with torch.no_grad():
                fitted(master, pieces, name, "weight")
                if master is not parameter:
                    parameter.copy_(master)
            state = self.optimiser.state[master]
            state["step"] = torch.tensor(float(applied), device=step_device(self.optimiser, master))
            for kind in MOMENTS:
                state[kind] = torch.zeros_like(master)
                fitted(state[kind], pieces, name, kind)

    def weights(self) -> dict[str, Tensor]:
        """The model's whole state as it computes."""
        found: dict[str, Tensor] = self.model.state_dict()
        return found

    @contextmanager
    def whole(self) -> Iterator[tuple[Any, int, int]]:
        """(model, number, count) for reading: every rank reads its share."""
        yield self.model, self.rank, self.ranks


def norm_of(gradients: Sequence[Tensor]) -> Tensor:
    """The norm of all gradients together, float32.

    On a CPU torch sums squares of large tensors one after another: float32 is then 1e-4 off.
    """
    if gradients[0].is_cuda:
        return torch.nn.utils.get_total_norm(gradients)
    each = [torch.linalg.vector_norm(one, dtype=torch.float64) for one in gradients]
    whole: Tensor = torch.linalg.vector_norm(torch.stack(each))
    return whole.float()


def as_master(parameter: nn.Parameter) -> nn.Parameter:
    """The float32 weights behind a parameter: itself where it is float32."""
    if parameter.dtype == torch.float32:
        return parameter
    return nn.Parameter(parameter.detach().float())


def add_gradient(master: nn.Parameter, parameter: nn.Parameter) -> None:
    """Move a gradient to the float32 weights."""
    assert parameter.grad is not None
    if master.grad is None:
        master.grad = parameter.grad.float()
    else:
        master.grad += parameter.grad
    parameter.grad = None


def sum_over_ranks(gradients: Sequence[Tensor]) -> None:
    """Add up gradients over all ranks, in one message."""
    flat = torch.cat([one.flatten() for one in gradients])
    dist.all_reduce(flat)
    for one, summed in zip(
        gradients, torch.split(flat, [one.numel() for one in gradients]), strict=True
    ):
        one.copy_(summed.view_as(one))


def step_device(optimiser: torch.optim.AdamW, parameter: Tensor) -> torch.device:
    """Where AdamW keeps the number of steps."""
    fused = optimiser.defaults.get("fused") or optimiser.defaults.get("capturable")
    return parameter.device if fused else torch.device("cpu")


def fitted(place: Tensor, pieces: Mapping[tuple[str, str], Tensor], name: str, kind: str) -> None:
    """Copy a piece into its place.

    Raises:
        CheckpointError: there is none, or it has another shape.
    """
    piece = pieces.get((name, kind))
    if piece is None:
        raise CheckpointError(f"the checkpoint has no {kind} of {name}: it is of another model")
    if piece.shape != place.shape:
        raise CheckpointError(
            f"{name} is {list(piece.shape)} in the checkpoint and {list(place.shape)} in the model"
        )
    place.copy_(piece)
