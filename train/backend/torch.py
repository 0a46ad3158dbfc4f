"""Weights, gradients and moments whole on every rank; bfloat16 weights have float32 masters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..loss import MicroResult, PackedLoss
from ..micro_batch import MicroBatch, StepTotals
from ..optimizer import adamw, gradient_norm, parameter_groups, set_lr
from ..recipe import Recipe
from .protocol import MOMENTS, AllowUpdate, copy_piece


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
        self.packed_loss = PackedLoss(model, chunk_tokens=recipe.parallel.chunk_tokens)
        self.device: torch.device = next(model.parameters()).device
        self.rank, self.ranks = rank, ranks
        self.clip = recipe.optim.clip
        groups = parameter_groups(model, recipe.optim)
        self.names = [name for group in groups for name in group.names]
        self.parameters = [parameter for group in groups for parameter in group.parameters]
        self.masters = [master_of(parameter) for parameter in self.parameters]
        masters = iter(self.masters)
        self.optimizer = adamw(
            [
                replace(group, parameters=tuple(next(masters) for _ in group.parameters))
                for group in groups
            ],
            recipe.optim,
            torch.optim.AdamW,
        )

    def backward(
        self, micro_batch: MicroBatch, totals: StepTotals, index: int, is_last: bool
    ) -> MicroResult:
        """Forward and backward of one micro-batch."""
        result: MicroResult = self.packed_loss(micro_batch, totals.weight, totals.chunks[index])
        result.loss.backward()  # type: ignore[no-untyped-call]
        self.collect_gradients()
        return result

    def collect_gradients(self) -> None:
        """Move gradients to the float32 masters, where those are others."""
        for parameter, master in zip(self.parameters, self.masters, strict=True):
            if master is not parameter and parameter.grad is not None:
                move_gradient(parameter, master)

    def copy_masters(self) -> None:
        """Copy the float32 masters to the weights that compute, where they are others."""
        with torch.no_grad():
            for parameter, master in zip(self.parameters, self.masters, strict=True):
                if master is not parameter:
                    parameter.copy_(master)

    def update(self, lr: float, allow: AllowUpdate) -> float:
        """Take the step if it is allowed, forget the gradients; the norm before cutting."""
        for master in self.masters:
            if master.grad is None:
                master.grad = torch.zeros_like(master)
        gradients = [master.grad for master in self.masters if master.grad is not None]
        if self.ranks > 1:
            all_reduce(gradients)
        norm = gradient_norm(gradients)
        norm_value = float(norm)
        if allow(norm_value):
            if self.clip:
                torch.nn.utils.clip_grads_with_norm_(self.masters, self.clip, norm)
            set_lr(self.optimizer, lr)
            self.optimizer.step()
            self.copy_masters()
        self.optimizer.zero_grad(set_to_none=True)
        return norm_value

    def pieces(self) -> Iterator[tuple[str, str, Tensor]]:
        """(name, kind, float32 tensor) of all that a checkpoint needs."""
        for name, master in zip(self.names, self.masters, strict=True):
            yield name, "weight", master.detach()
            state = self.optimizer.state.get(master, {})
            for kind in MOMENTS:
                yield name, kind, state.get(kind, torch.zeros_like(master))

    def restore(self, pieces: Mapping[tuple[str, str], Tensor], updates: int) -> None:
        """Put pieces back, and the number of updates that they have seen.

        Raises:
            CheckpointError: they are of another model.
        """
        device_of_step = step_device(self.optimizer)
        for name, parameter, master in zip(self.names, self.parameters, self.masters, strict=True):
            with torch.no_grad():
                copy_piece(master, pieces, name, "weight")
                if master is not parameter:
                    parameter.copy_(master)
            state = self.optimizer.state[master]
            state["step"] = torch.tensor(float(updates), device=device_of_step or master.device)
            for kind in MOMENTS:
                state[kind] = torch.zeros_like(master)
                copy_piece(state[kind], pieces, name, kind)

    def weights(self) -> dict[str, Tensor]:
        """The model's whole state as it computes."""
        state: dict[str, Tensor] = self.model.state_dict()
        return state

    @contextmanager
    def evaluation_model(self) -> Iterator[tuple[Any, int, int]]:
        """(model, number of this reader, readers in all): every rank reads its share."""
        yield self.model, self.rank, self.ranks


def master_of(parameter: nn.Parameter) -> nn.Parameter:
    """The float32 weights behind a parameter: itself where it is float32."""
    if parameter.dtype == torch.float32:
        return parameter
    return nn.Parameter(parameter.detach().float())


def move_gradient(parameter: nn.Parameter, master: nn.Parameter) -> None:
    """Add a parameter's gradient to that of its master, and forget it."""
    assert parameter.grad is not None
    if master.grad is None:
        master.grad = parameter.grad.float()
    else:
        master.grad += parameter.grad
    parameter.grad = None


def all_reduce(gradients: Sequence[Tensor]) -> None:
    """Add up gradients over all ranks, in one message."""
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    sums = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, summed in zip(gradients, sums, strict=True):
        gradient.copy_(summed.view_as(gradient))


def step_device(optimizer: torch.optim.AdamW) -> torch.device | None:
    """Where AdamW keeps the number of steps; None for the device of each parameter."""
    fused = optimizer.defaults.get("fused") or optimizer.defaults.get("capturable")
    return None if fused else torch.device("cpu")
