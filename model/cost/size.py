"""How large a model is: its parameters by part, and the sizes of its language model."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...engine.errors import ConfigError
from ..config import PagemillConfig

GATED = ("llama", "mistral", "qwen2", "qwen3")
"""Language models whose layers are four projections and a gated feed-forward."""


@dataclass(frozen=True, slots=True)
class Language:
    """Sizes of a causal language model."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_width: int
    feed_forward: int
    vocabulary: int
    matrices: int
    """Weights of all matrices that every token is multiplied with, without the head."""


def parameters(config: PagemillConfig) -> dict[str, int]:
    """Parameters of `tower`, `connector`, `router`, `embeddings`, `layers`, `head` and `total`.

    Exact, from a model without memory. The language model is embeddings, layers (with the last
    norm) and head; a head that is the table of embeddings has 0 of its own.
    """
    model = skeleton(config)
    table, head = model.get_input_embeddings().weight, model.get_output_embeddings()
    counts = {
        "tower": counted(model.vision),
        "connector": counted(model.connector),
        "router": counted(model.router) if model.router is not None else 0,
        "embeddings": table.numel(),
        "layers": counted(model.get_decoder()) - table.numel(),
        "head": 0 if head.weight is table else counted(head),
    }
    return {**counts, "total": counted(model)}


def language(text: Any) -> Language:
    """Sizes of a language model from its configuration.

    Raises:
        ConfigError: it is not dense.
    """
    width, heads = text.hidden_size, text.num_attention_heads
    kv_heads = getattr(text, "num_key_value_heads", None) or heads
    head_width = getattr(text, "head_dim", None) or width // heads
    feed_forward = getattr(text, "intermediate_size", None) or 4 * width
    if text.model_type in GATED:
        projections = 2 * width * (heads + kv_heads) * head_width
        matrices = text.num_hidden_layers * (projections + 3 * width * feed_forward)
    else:
        matrices = matrices_of(json.dumps(text.to_dict(), sort_keys=True, default=str))
    return Language(
        text.num_hidden_layers, width, heads, kv_heads, head_width, feed_forward, text.vocab_size,
        matrices,
    )  # fmt: skip


@lru_cache(maxsize=32)
def matrices_of(text: str) -> int:
    """Weights of all matrices of a language model but its tables and its head, counted.

    Args:
        text: its configuration as JSON.

    Raises:
        ConfigError: it has experts, so not every token meets every matrix.
    """
    import torch
    from torch import nn
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = json.loads(text)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**settings))
    left_out = {id(part.weight) for part in model.modules() if isinstance(part, nn.Embedding)}
    left_out.add(id(model.get_output_embeddings().weight))
    if any(weight.ndim > 2 for weight in model.parameters()):
        raise ConfigError(
            f"FLOPs of {settings['model_type']} are not known: it has experts or convolutions"
        )
    weights = (weight for weight in model.parameters() if weight.ndim == 2)
    return sum(weight.numel() for weight in weights if id(weight) not in left_out)


def skeleton(config: PagemillConfig) -> Any:
    """The model without memory for its weights."""
    import torch

    from ..modeling import PagemillForConditionalGeneration

    with torch.device("meta"):
        return PagemillForConditionalGeneration(copy.deepcopy(config))


def counted(module: Any) -> int:
    """Parameters of a module, shared ones once."""
    return sum(parameter.numel() for parameter in module.parameters())
