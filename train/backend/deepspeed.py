"""Weights, gradients and moments spread over ranks by DeepSpeed; the only file that knows it.

DeepSpeed's configuration is derived from the recipe. Its optimizer is ours with a gate in front:
DeepSpeed has the norm of the gradients only inside its step, and there the gate decides whether
the step is taken, alike on every rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ...engine.errors import DependencyError
from ...model import PagemillForConditionalGeneration
from ..adapter import merged_weights
from ..loss import MicroResult, PackedLoss
from ..micro_batch import MicroBatch, StepTotals
from ..optimizer import adamw, gradient_norm, parameter_groups, set_lr
from ..ranks import ensure_group
from ..recipe import Recipe
from ..trainable import trainable_parameters
from .protocol import KINDS, MOMENTS, AllowUpdate, copy_piece

BUCKET_ELEMENTS = 200_000_000


class GatedAdamW(torch.optim.AdamW):
    """AdamW that may leave a step out, and makes its state before the first one."""

    priming = False
    """Whether a step only makes the state."""
    closed = False
    """Whether steps are left out."""
    gate: Any = None
    """Called at every step; sets `closed`."""

    def step(self, closure: Any = None) -> Any:
        """A step of AdamW, or nothing."""
        if self.priming:
            self.prime()
            return None
        if self.gate is not None:
            self.gate()
        return None if self.closed else super().step(closure)

    def prime(self) -> None:
        """Make the state of all parameters as it is before the first step."""
        where = None if self.defaults.get("fused") else torch.device("cpu")
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                if not state:
                    state["step"] = torch.zeros((), device=where or parameter.device)
                    for moment in MOMENTS:
                        state[moment] = torch.zeros_like(parameter)


def deepspeed_config(recipe: Recipe, ranks: int) -> dict[str, Any]:
    """DeepSpeed's configuration for a recipe."""
    parallel, packs = recipe.parallel, recipe.stream.pack.global_packs
    steps = packs // (ranks * parallel.micro_packs)
    zero: dict[str, Any] = {"stage": parallel.zero}
    if parallel.zero:
        zero |= {
            "contiguous_gradients": True,
            "overlap_comm": torch.cuda.is_available(),
            "reduce_bucket_size": BUCKET_ELEMENTS,
        }
    if parallel.offload:
        zero["offload_optimizer"] = {"device": parallel.offload, "pin_memory": True}
    return {
        "train_batch_size": packs,
        "train_micro_batch_size_per_gpu": parallel.micro_packs,
        "gradient_accumulation_steps": steps,
        "gradient_clipping": recipe.optim.clip if deepspeed_clips(recipe) else 0.0,
        "zero_optimization": zero,
        "bf16": {"enabled": parallel.dtype == "bfloat16"},
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "steps_per_print": 2**31,
    }


def deepspeed_clips(recipe: Recipe) -> bool:
    """Whether DeepSpeed takes the norm and cuts; it does not for whole float32 gradients."""
    return recipe.parallel.zero > 0 or recipe.parallel.dtype == "bfloat16"


class DeepSpeedBackend:
    """What DeepSpeed holds.

    Args:
        model: on its device.
        recipe: of the run.
        rank: which of the ranks.
        ranks: how many there are.

    Raises:
        DependencyError: DeepSpeed is not installed.
    """

    def __init__(self, model: Any, recipe: Recipe, *, rank: int, ranks: int) -> None:
        try:
            import deepspeed
        except ImportError as err:
            raise DependencyError(
                "parallel.backend = deepspeed needs it: install torch first, then "
                "pip install --no-build-isolation 'pagemill[zero]'"
            ) from err
        ensure_group()
        self.recipe = recipe
        self.model = model
        self.device: torch.device = next(model.parameters()).device
        self.rank, self.ranks = rank, ranks
        self.config = model.config
        self.allow: AllowUpdate | None = None
        self.norm: float | None = None
        optimizer = adamw(parameter_groups(model, recipe.optim), recipe.optim, GatedAdamW)
        assert isinstance(optimizer, GatedAdamW)
        self.optimizer = optimizer
        self.optimizer.gate = self.decide
        self.engine, *_ = deepspeed.initialize(
            model=PackedLoss(model, chunk_tokens=recipe.parallel.chunk_tokens),
            optimizer=self.optimizer,
            config=deepspeed_config(recipe, ranks),
        )
        self.parameters = dict(trainable_parameters(model))
        self.prime()

    def prime(self) -> None:
        """Make the optimizer's state, and let DeepSpeed find it in a step that changes nothing.

        DeepSpeed looks for the state of all groups after the step of the first one, and ZeRO-3
        shows parameters to the optimizer only within a step: so both ways are gone.
        """
        self.optimizer.prime()
        self.optimizer.priming = True
        self.backward(empty_micro_batch(self.device), StepTotals(1.0, (1,)), 0, True)
        self.engine.step()
        self.optimizer.priming = False

    def backward(
        self, micro_batch: MicroBatch, totals: StepTotals, index: int, is_last: bool
    ) -> MicroResult:
        """Forward and backward of one micro-batch; gradients are averaged, so losses are scaled."""
        self.engine.set_gradient_accumulation_boundary(is_last)
        result: MicroResult = self.engine(micro_batch, totals.weight, totals.chunks[index])
        self.engine.backward(result.loss * self.ranks, scale_wrt_gas=False)
        return result

    def update(self, lr: float, allow: AllowUpdate) -> float:
        """Take the step if it is allowed, forget the gradients; the norm before cutting."""
        set_lr(self.engine.optimizer, lr)
        self.allow, self.norm = allow, None
        self.engine.step()
        self.optimizer.closed = False
        norm = self.norm
        if norm is None:  # gradients that are not finite never reach the optimizer
            norm = float("inf")
            allow(norm)
        return norm

    def decide(self) -> None:
        """Called within DeepSpeed's step, for every group: open or close the gate, once a step."""
        if self.norm is not None or self.allow is None:
            return
        self.norm = self.step_norm()
        self.optimizer.closed = not self.allow(self.norm)

    def step_norm(self) -> float:
        """The norm of the gradients of this step, before they were cut."""
        if deepspeed_clips(self.recipe):
            return float(self.engine.optimizer._global_grad_norm)
        gradients = [
            parameter.grad for parameter in self.parameters.values() if parameter.grad is not None
        ]
        norm = gradient_norm(gradients)
        if self.recipe.optim.clip:
            torch.nn.utils.clip_grads_with_norm_(
                list(self.parameters.values()), self.recipe.optim.clip, norm
            )
        return float(norm)

    def pieces(self) -> Iterator[tuple[str, str, Tensor]]:
        """(name, kind, float32 tensor) of all that a checkpoint needs; every rank must iterate."""
        for name, parameter in self.parameters.items():
            for kind in KINDS:
                yield name, kind, self.piece(parameter, kind)

    def piece(self, parameter: nn.Parameter, kind: str) -> Tensor:
        """One of them, whole."""
        from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_optimizer_state

        if not deepspeed_clips(self.recipe):
            piece: Tensor = parameter if kind == "weight" else self.optimizer.state[parameter][kind]
            return piece.detach()
        full: Tensor | None = (
            safe_get_full_fp32_param(parameter)
            if kind == "weight"
            else safe_get_full_optimizer_state(parameter, kind)
        )
        assert full is not None, kind
        return full.detach().view(getattr(parameter, "ds_shape", parameter.shape))

    def restore(self, pieces: Mapping[tuple[str, str], Tensor], updates: int) -> None:
        """Put pieces back, and the number of updates that they have seen.

        Raises:
            CheckpointError: they are of another model.
        """
        import deepspeed
        from deepspeed.utils import safe_set_full_fp32_param, safe_set_full_optimizer_state

        for name, parameter in self.parameters.items():
            shape = getattr(parameter, "ds_shape", parameter.shape)
            restored = {kind: torch.empty(shape, device=self.device) for kind in KINDS}
            for kind, target in restored.items():
                copy_piece(target, pieces, name, kind)
            with torch.no_grad(), deepspeed.zero.GatheredParameters([parameter], modifier_rank=0):
                if self.recipe.parallel.zero < 3 or self.rank == 0:
                    parameter.data.copy_(restored["weight"])
            if deepspeed_clips(self.recipe):
                safe_set_full_fp32_param(parameter, restored["weight"])
                for kind in MOMENTS:
                    safe_set_full_optimizer_state(parameter, restored[kind], kind)
            else:
                for kind in MOMENTS:
                    self.optimizer.state[parameter][kind].copy_(restored[kind])
        for state in self.optimizer.state.values():
            state["step"].fill_(float(updates))

    def weights(self) -> dict[str, Tensor]:
        """The model's whole state as it computes; every rank must ask, rank 0 gets it."""
        if self.recipe.parallel.zero < 3:
            state: dict[str, Tensor] = self.model.state_dict()
            return state
        import deepspeed

        gathered: dict[str, Tensor] = {}
        for name, parameter in self.model.named_parameters():
            with deepspeed.zero.GatheredParameters([parameter]):
                if self.rank == 0:
                    gathered[name] = parameter.detach().to("cpu", copy=True)
        return gathered

    @contextmanager
    def evaluation_model(self) -> Iterator[tuple[Any, int, int]]:
        """(model or None, number of this reader, readers in all).

        With ZeRO-3 rank 0 reads alone, from a copy.
        """
        if self.recipe.parallel.zero < 3:
            yield self.model, self.rank, self.ranks
            return
        weights = self.weights()
        if self.rank:
            yield None, 0, 1
            return
        copy = PagemillForConditionalGeneration(self.config)
        copy.load_state_dict(merged_weights(weights, self.model), strict=False)
        yield copy.to(self.device, next(iter(weights.values())).dtype), 0, 1


def empty_micro_batch(device: torch.device) -> MicroBatch:
    """Two tokens whose weight is 0: gradients of all parameters are zeros."""
    ids = torch.zeros(1, 2, dtype=torch.int64)
    zero = torch.zeros(1, dtype=torch.int64)
    return MicroBatch(
        input_ids=ids,
        position_ids=torch.arange(2)[None],
        pixel_values=None,
        tgt_sizes=None,
        image_positions=None,
        lengths=(2,),
        positions=zero,
        targets=zero,
        weights=torch.zeros(1),
        levels=zero - 1,
        tasks=zero,
        samples=zero,
        keys=("",),
        sample_lengths=(2,),
    ).to(device)
