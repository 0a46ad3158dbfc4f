"""Weights, gradients and moments spread over ranks by DeepSpeed; the only file that knows it.

DeepSpeed's configuration is derived from the recipe. Its optimiser is ours with a gate in front:
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
from ..checkpoint.export import exported
from ..loss import MicroBatch, MicroResult, PackedLoss, Totals
from ..optimizer import adamw, groups, learning, set_lr
from ..ranks import ensure_group
from ..recipe import Recipe
from .torch import KINDS, MOMENTS, Allow, fitted, norm_of

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


def settings(recipe: Recipe, ranks: int) -> dict[str, Any]:
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
        "gradient_clipping": recipe.optim.clip if cuts_itself(recipe) else 0.0,
        "zero_optimization": zero,
        "bf16": {"enabled": parallel.dtype == "bfloat16"},
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "steps_per_print": 2**31,
    }


def cuts_itself(recipe: Recipe) -> bool:
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
                "parallel.engine = deepspeed needs it: install torch first, then "
                "pip install --no-build-isolation 'pagemill[zero]'"
            ) from err
        ensure_group()
        self.recipe = recipe
        self.model = model
        self.device: torch.device = next(model.parameters()).device
        self.rank, self.ranks = rank, ranks
        self.config = model.config
        self.allow: Allow | None = None
        self.norm: float | None = None
        self.gated = adamw(groups(model, recipe.optim), recipe.optim, GatedAdamW)
        assert isinstance(self.gated, GatedAdamW)
        self.gated.gate = self.decide
        learner = PackedLoss(model, chunk_tokens=recipe.parallel.chunk_tokens)
        self.learner, *_ = deepspeed.initialize(
            model=learner, optimizer=self.gated, config=settings(recipe, ranks)
        )
        self.parameters = dict(learning(model))
        self.prime()

    def prime(self) -> None:
        """Make the optimiser's state, and let DeepSpeed find it in a step that changes nothing.

        DeepSpeed looks for the state of all groups after the step of the first one, and ZeRO-3
        shows parameters to the optimiser only within a step: so both ways are gone.
        """
        assert isinstance(self.gated, GatedAdamW)
        self.gated.prime()
        self.gated.priming = True
        self.backward(nothing_to_learn(self.device), Totals(1.0, (1,)), 0, True)
        self.learner.step()
        self.gated.priming = False

    def backward(self, part: MicroBatch, totals: Totals, number: int, last: bool) -> MicroResult:
        """Forward and backward of one micro-batch; gradients are averaged, so losses are scaled."""
        self.learner.set_gradient_accumulation_boundary(last)
        learned: MicroResult = self.learner(part, totals.weight, totals.chunks[number])
        self.learner.backward(learned.loss * self.ranks, scale_wrt_gas=False)
        return learned

    def update(self, lr: float, allow: Allow) -> float:
        """Take the step if it is allowed, forget the gradients; the norm before cutting."""
        assert isinstance(self.gated, GatedAdamW)
        set_lr(self.learner.optimizer, lr)
        self.allow, self.norm = allow, None
        self.learner.step()
        self.gated.closed = False
        norm = self.norm
        if norm is None:  # gradients that are not finite never reach the optimiser
            norm = float("inf")
            allow(norm)
        return norm

    def decide(self) -> None:
        """Called within DeepSpeed's step, for every group: open or close the gate, once a step."""
        if self.norm is not None or self.allow is None:
            return
        assert isinstance(self.gated, GatedAdamW)
        self.norm = self.norm_now()
        self.gated.closed = not self.allow(self.norm)

    def norm_now(self) -> float:
        """The norm of the gradients of this step, before they were cut."""
        if cuts_itself(self.recipe):
            return float(self.learner.optimizer._global_grad_norm)
        gradients = [one.grad for one in self.parameters.values() if one.grad is not None]
        norm = norm_of(gradients)
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

        if not cuts_itself(self.recipe):
            found: Tensor = parameter if kind == "weight" else self.gated.state[parameter][kind]
            return found.detach()
        whole: Tensor | None = (
            safe_get_full_fp32_param(parameter)
            if kind == "weight"
            else safe_get_full_optimizer_state(parameter, kind)
        )
        assert whole is not None, kind
        return whole.detach().view(getattr(parameter, "ds_shape", parameter.shape))

    def restore(self, pieces: Mapping[tuple[str, str], Tensor], applied: int) -> None:
        """Put pieces back, and the number of updates that they have seen.

        Raises:
            CheckpointError: they are of another model.
        """
        import deepspeed
        from deepspeed.utils import safe_set_full_fp32_param, safe_set_full_optimizer_state

        for name, parameter in self.parameters.items():
            shape = getattr(parameter, "ds_shape", parameter.shape)
            own = {kind: torch.empty(shape, device=self.device) for kind in KINDS}
            for kind, place in own.items():
                fitted(place, pieces, name, kind)
            with torch.no_grad(), deepspeed.zero.GatheredParameters([parameter], modifier_rank=0):
                if self.recipe.parallel.zero < 3 or self.rank == 0:
                    parameter.data.copy_(own["weight"])
            if cuts_itself(self.recipe):
                safe_set_full_fp32_param(parameter, own["weight"])
                for kind in MOMENTS:
                    safe_set_full_optimizer_state(parameter, own[kind], kind)
            else:
                for kind in MOMENTS:
                    self.gated.state[parameter][kind].copy_(own[kind])
        for state in self.gated.state.values():
            state["step"].fill_(float(applied))

    def weights(self) -> dict[str, Tensor]:
        """The model's whole state as it computes; every rank must ask, rank 0 gets it."""
        if self.recipe.parallel.zero < 3:
            whole: dict[str, Tensor] = self.model.state_dict()
            return whole
        import deepspeed

        found: dict[str, Tensor] = {}
        for name, parameter in self.model.named_parameters():
            with deepspeed.zero.GatheredParameters([parameter]):
                if self.rank == 0:
                    found[name] = parameter.detach().to("cpu", copy=True)
        return found

    @contextmanager
    def whole(self) -> Iterator[tuple[Any, int, int]]:
        """(model, number, count) for reading; with ZeRO-3 rank 0 reads alone, from a copy."""
        if self.recipe.parallel.zero < 3:
            yield self.model, self.rank, self.ranks
            return
        weights = self.weights()
        if self.rank:
            yield None, 0, 1
            return
        copy = PagemillForConditionalGeneration(self.config)
        copy.load_state_dict(exported(weights, self.model), strict=False)
        yield copy.to(self.device, next(iter(weights.values())).dtype), 0, 1


def nothing_to_learn(device: torch.device) -> MicroBatch:
    """A part of two tokens whose weight is 0: gradients of all parameters are zeros."""
    ids = torch.zeros(1, 2, dtype=torch.int64)
    one = torch.zeros(1, dtype=torch.int64)
    return MicroBatch(
        input_ids=ids,
        position_ids=torch.arange(2)[None],
        pixel_values=None,
        tgt_sizes=None,
        pictures=None,
        lengths=(2,),
        places=one,
        targets=one,
        weights=torch.zeros(1),
        levels=one - 1,
        tasks=one,
        samples=one,
        keys=("",),
        sample_lengths=(2,),
    ).to(device)
