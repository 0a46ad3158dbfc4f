"""A trained model as a folder that `from_pretrained` reads, adapters merged in."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import save_torch_state_dict
from torch import Tensor, nn

SHARD_BYTES = 5_000_000_000


def exported(weights: Mapping[str, Tensor], model: Any) -> dict[str, Tensor]:
    """Copies of weights on the CPU under the names of a model without adapters.

    Args:
        weights: the model's state, adapters apart.
        model: whose adapters they are.
    """
    scales = dict(adapter_scales(model))
    found: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if ".lora_" in name:
            continue
        own = name.removesuffix(".base_layer.weight")
        if own in scales and own != name:
            down, up = (weights[f"{own}.lora_{one}.default.weight"] for one in ("A", "B"))
            delta = up.float() @ down.float() * scales[own]
            tensor = (tensor.float() + delta.to(tensor.device)).to(tensor.dtype)
        found[name.replace(".base_layer.", ".")] = tensor.detach().to("cpu", copy=True).contiguous()
    return found


def adapter_scales(model: nn.Module) -> Any:
    """(name, scale) of every adapted layer."""
    for name, module in model.named_modules():
        if hasattr(module, "lora_A") and hasattr(module, "scaling"):
            yield name, float(module.scaling["default"])


def write_model(
    folder: Path, weights: dict[str, Tensor], config: Any, processor: Any, generation: Any
) -> None:
    """Write weights, configuration and processor.

    Args:
        folder: a new one.
        weights: as `exported` makes them; tied ones may be there twice.
        config: of the model.
        processor: of the model.
        generation: its `GenerationConfig`, or None.
    """
    folder.mkdir(parents=True)
    own = copy.deepcopy(config)
    own.architectures = ["PagemillForConditionalGeneration"]
    own.dtype = next(one.dtype for one in weights.values() if one.is_floating_point())
    own.save_pretrained(folder)
    if generation is not None:
        generation.save_pretrained(folder)
    if own.text_config.tie_word_embeddings:
        weights = {
            name: one for name, one in weights.items() if name != "language_model.lm_head.weight"
        }
    save_torch_state_dict(weights, folder, max_shard_size=SHARD_BYTES, metadata={"format": "pt"})
    processor.save_pretrained(folder)
