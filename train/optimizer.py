"""AdamW over the parameters that learn: how fast each goes, and the norm of their gradients."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..engine.errors import ConfigError
from .recipe import PARTS
from .trainable import part_of, trainable_parameters

if TYPE_CHECKING:
    from .recipe.config import OptimConfig

LAYER = re.compile(r"\.layers\.(\d+)\.")
EMBEDDINGS = ("embed_tokens", "position_embedding", "patch_embedding")


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters with one learning rate and one decay."""

    names: tuple[str, ...]
    parameters: tuple[nn.Parameter, ...]
    lr_scale: float
    """Factor of the learning rate."""
    weight_decay: float


def parameter_groups(model: nn.Module, optim: OptimConfig) -> list[ParameterGroup]:
    """The parameters that learn, by learning rate and decay, in a fixed order.

    Raises:
        ConfigError: none learns.
    """
    depths = part_depths(model)
    members: dict[tuple[float, float], list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in trainable_parameters(model):
        part = part_of(name) or "connector"
        lr_scale = getattr(optim, part) * optim.layer_decay ** layers_above(name, depths[part])
        plain = parameter_ndim(parameter) < 2 or any(word in name for word in EMBEDDINGS)
        decay = 0.0 if plain else optim.weight_decay
        members.setdefault((lr_scale, decay), []).append((name, parameter))
    if not members:
        raise ConfigError("nothing learns: all parts are frozen")
    return [
        ParameterGroup(
            tuple(name for name, _ in group),
            tuple(parameter for _, parameter in group),
            lr_scale,
            decay,
        )
        for (lr_scale, decay), group in members.items()
    ]


def parameter_ndim(parameter: nn.Parameter) -> int:
    """Dimensions, also where ZeRO-3 holds the parameter elsewhere."""
    return len(getattr(parameter, "ds_shape", parameter.shape))


def part_depths(model: nn.Module) -> dict[str, int]:
    """Layers of each part."""
    depths = dict.fromkeys(PARTS, 0)
    for name, _ in model.named_parameters():
        layer, part = LAYER.search(name), part_of(name)
        if layer and part:
            depths[part] = max(depths[part], int(layer.group(1)) + 1)
    return depths


def layers_above(name: str, depth: int) -> int:
    """Layers between a parameter and the top of its part; embeddings are below all layers."""
    if layer := LAYER.search(name):
        return depth - 1 - int(layer.group(1))
    return depth if any(word in name for word in EMBEDDINGS) else 0


def adamw(
    groups: Sequence[ParameterGroup], optim: OptimConfig, kind: type[torch.optim.AdamW]
) -> torch.optim.AdamW:
    """AdamW over the groups, fused where the device can.

    Args:
        groups: as `parameter_groups` makes them, or with other tensors in the parameters' places.
        optim: its settings.
        kind: AdamW, or a class derived from it.
    """
    return kind(
        [
            {
                "params": list(group.parameters),
                "lr": optim.lr * group.lr_scale,
                "weight_decay": group.weight_decay,
                "lr_scale": group.lr_scale,
            }
            for group in groups
        ],
        betas=(optim.beta1, optim.beta2),
        eps=optim.eps,
        fused=all(weight.is_cuda for group in groups for weight in group.parameters) or None,
    )


def set_lr(optimizer: Any, lr: float) -> None:
    """Give every group its share of a learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_scale"]


def gradient_norm(gradients: Sequence[Tensor]) -> Tensor:
    """The norm of all gradients together, float32.

    On a CPU torch sums squares of large tensors one after another: float32 is then 1e-4 off.
    """
    if gradients[0].is_cuda:
        return torch.nn.utils.get_total_norm(gradients)
    norms = [torch.linalg.vector_norm(gradient, dtype=torch.float64) for gradient in gradients]
    total: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return total.float()
