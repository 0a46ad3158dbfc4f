"""Which parameters learn: the parts that a stage trains, or adapters in place of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from torch import nn

from .adapter import add_adapters

if TYPE_CHECKING:
    from .recipe.config import LoraConfig

PART_OF_PREFIX = {
    "vision": "tower",
    "connector": "connector",
    "language_model": "language_model",
}
"""The part that a parameter belongs to, by the first word of its name."""


def part_of(name: str) -> str | None:
    """The part of the model that a parameter belongs to; None for the router."""
    return PART_OF_PREFIX.get(name.removeprefix("base_model.model.").partition(".")[0])


def freeze(model: nn.Module, trains: tuple[str, ...], lora: LoraConfig) -> Any:
    """Leave gradients only to the parts that learn; the model, with adapters where asked for.

    Raises:
        ConfigError: adapters are asked for and there is nothing to adapt.
    """
    for name, parameter in model.named_parameters():
        adapted = lora.rank > 0 and part_of(name) == "language_model"
        parameter.requires_grad_(part_of(name) in trains and not adapted)
    if lora.rank:
        add_adapters(model, lora)
    return model


def trainable_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """(name, parameter) of everything that learns, shared ones once."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            yield name, parameter


def count_parameters(model: nn.Module, trains: tuple[str, ...]) -> int:
    """Parameters of the parts that learn, adapters apart."""
    return sum(
        parameter.numel() for name, parameter in model.named_parameters() if part_of(name) in trains
    )
