"""Low-rank adapters: put into the language model before training, merged into its weights after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from ..engine.errors import ConfigError

if TYPE_CHECKING:
    from .recipe.config import LoraConfig

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Layers of the language model that get adapters."""
BASE = ".base_layer"
"""What peft puts into the name of a layer that it adapts."""


def add_adapters(model: nn.Module, lora: LoraConfig) -> None:
    """Put adapters into the language model; all other parameters learn or not as before.

    Raises:
        ConfigError: there is no layer to adapt.
    """
    from peft import LoraConfig as PeftConfig
    from peft import inject_adapter_in_model

    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    config = PeftConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=rf"language_model\..*\.({'|'.join(LORA_TARGETS)})",
    )
    try:
        inject_adapter_in_model(config, model)
    except ValueError as err:
        raise ConfigError(f"lora.rank is set, but the model has no layer to adapt: {err}") from err
    for parameter in trainable:  # peft freezes everything but its adapters
        parameter.requires_grad_(True)


def merged_weights(weights: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Copies of weights on the CPU under the names of a model without adapters.

    Args:
        weights: the model's state, adapters apart.
        model: whose adapters they are.
    """
    scales = dict(adapter_scales(model))
    merged: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if ".lora_" in name:
            continue
        layer = name.removesuffix(f"{BASE}.weight")
        if layer in scales and layer != name:
            down, up = (weights[f"{layer}.lora_{side}.default.weight"] for side in ("A", "B"))
            delta = up.float() @ down.float() * scales[layer]
            tensor = (tensor.float() + delta.to(tensor.device)).to(tensor.dtype)
        plain_name = name.replace(f"{BASE}.", ".")
        merged[plain_name] = tensor.detach().to("cpu", copy=True).contiguous()
    return merged


def adapter_scales(model: nn.Module) -> Iterator[tuple[str, float]]:
    """(name, scale) of every adapted layer."""
    for name, module in model.named_modules():
        scaling = getattr(module, "scaling", None)
        if hasattr(module, "lora_A") and isinstance(scaling, dict):
            yield name, float(scaling["default"])
