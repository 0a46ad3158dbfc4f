"""Which parameters learn, how fast, and AdamW over them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..engine.errors import ConfigError
from .recipe.recipe import PARTS

if TYPE_CHECKING:
    from .recipe.recipe import LoraConfig, OptimConfig

OWNERS = {"vision": "tower", "connector": "connector", "language_model": "language_model"}
"""The part that a parameter belongs to, by the first word of its name."""
LAYER = re.compile(r"\.layers\.(\d+)\.")
EMBEDDINGS = ("embed_tokens", "position_embedding", "patch_embedding")
LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters with one learning rate and one decay."""

    names: tuple[str, ...]
    parameters: tuple[nn.Parameter, ...]
    share: float
    """Of the learning rate."""
    weight_decay: float


def part_of(name: str) -> str | None:
    """The part of the model that a parameter belongs to; None for the router."""
    return OWNERS.get(name.removeprefix("base_model.model.").partition(".")[0])


def freeze(model: nn.Module, trains: tuple[str, ...], lora: LoraConfig) -> Any:
    """Leave gradients only to the parts that learn; the model, with adapters where asked for.

    Raises:
        ConfigError: adapters are asked for and there is nothing to adapt.
    """
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(part_of(name) in trains)
    if not lora.rank:
        return model
    from peft import LoraConfig as Adapters
    from peft import inject_adapter_in_model

    for name, parameter in model.named_parameters():
        if part_of(name) == "language_model":
            parameter.requires_grad_(False)
    kept = [parameter for parameter in model.parameters() if parameter.requires_grad]
    pattern = rf"language_model\..*\.({'|'.join(LORA_TARGETS)})"
    adapters = Adapters(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=pattern
    )
    try:
        inject_adapter_in_model(adapters, model)
    except ValueError as err:
        raise ConfigError(f"lora.rank is set, but the model has no layer to adapt: {err}") from err
    for parameter in kept:
        parameter.requires_grad_(True)
    return model


def groups(model: nn.Module, optim: OptimConfig) -> list[ParameterGroup]:
    """The parameters that learn, by learning rate and decay, in a fixed order.

    Raises:
        ConfigError: none learns.
    """
    depths = depth_of_parts(model)
    found: dict[tuple[float, float], list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in learning(model):
        part = part_of(name) or "connector"
        share = getattr(optim, part) * optim.layer_decay ** below_top(name, depths[part])
        plain = parameter_ndim(parameter) < 2 or any(one in name for one in EMBEDDINGS)
        decay = 0.0 if plain else optim.weight_decay
        found.setdefault((share, decay), []).append((name, parameter))
    if not found:
        raise ConfigError("nothing learns: all parts are frozen")
    return [
        ParameterGroup(tuple(name for name, _ in own), tuple(one for _, one in own), share, decay)
        for (share, decay), own in found.items()
    ]


def learning(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """(name, parameter) of everything that learns, shared ones once."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            yield name, parameter


def parameter_ndim(parameter: nn.Parameter) -> int:
    """Dimensions, also where ZeRO-3 holds the parameter elsewhere."""
    return len(getattr(parameter, "ds_shape", parameter.shape))


def depth_of_parts(model: nn.Module) -> dict[str, int]:
    """Layers of each part."""
    depths = dict.fromkeys(PARTS, 0)
    for name, _ in model.named_parameters():
        found, part = LAYER.search(name), part_of(name)
        if found and part:
            depths[part] = max(depths[part], int(found.group(1)) + 1)
    return depths


def below_top(name: str, depth: int) -> int:
    """Layers between a parameter and the top of its part; embeddings are below all layers."""
    if found := LAYER.search(name):
        return depth - 1 - int(found.group(1))
    return depth if any(one in name for one in EMBEDDINGS) else 0


def adamw(
    own: list[ParameterGroup], optim: OptimConfig, kind: type[torch.optim.AdamW]
) -> torch.optim.AdamW:
    """AdamW over the groups, fused where the device can.

    Args:
        own: as `groups` makes them, or with other tensors in the parameters' places.
        optim: its settings.
        kind: AdamW, or a class derived from it.
    """
    return kind(
        [
            {
                "params": list(group.parameters),
                "lr": optim.lr * group.share,
                "weight_decay": group.weight_decay,
                "share": group.share,
            }
            for group in own
        ],
        betas=(optim.beta1, optim.beta2),
        eps=optim.eps,
        fused=all(one.is_cuda for group in own for one in group.parameters) or None,
    )


def set_lr(optimiser: Any, lr: float) -> None:
    """Give every group its share of a learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = lr * group["share"]
