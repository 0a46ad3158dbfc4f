"""Models by name: their sizes, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine.errors import ConfigError
from .config import PagemillConfig

SHIPPED_VOCABULARY = 12288
"""Entries of the tokenizer in this package."""
SHIPPED_IMAGE_TOKEN, SHIPPED_END, SHIPPED_PAD = 11, 2, 0


def preset(name: str, **changes: Any) -> PagemillConfig:
    """The configuration of a preset.

    Args:
        name: `nano`, `small`, `base` or `minicpm-v-4.5`.
        **changes: fields of `PagemillConfig` to set otherwise, such as `connector`.

    Raises:
        ConfigError: there is no preset of that name.
    """
    if name not in PRESETS:
        raise ConfigError(f"there is no preset {name!r}; there are: {', '.join(PRESETS)}")
    return PagemillConfig(**{**PRESETS[name](), **changes})


def nano() -> dict[str, Any]:
    """Under 3 million parameters: learns a few pages by heart in minutes on a CPU."""
    return {
        "vision_config": {
            "hidden_size": 96,
            "intermediate_size": 384,
            "num_hidden_layers": 3,
            "num_attention_heads": 3,
            "position_side": 32,
        },
        "text_config": qwen3(
            hidden_size=128,
            intermediate_size=384,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=32,
            vocab_size=SHIPPED_VOCABULARY,
        ),
        "image_token_id": SHIPPED_IMAGE_TOKEN,
    }


def small() -> dict[str, Any]:
    """About 37 million parameters: reads printed pages."""
    return {
        "vision_config": {
            "hidden_size": 384,
            "intermediate_size": 1536,
            "num_hidden_layers": 8,
            "num_attention_heads": 6,
            "position_side": 32,
        },
        "text_config": qwen3(
            hidden_size=512,
            intermediate_size=1408,
            num_hidden_layers=5,
            num_attention_heads=8,
            num_key_value_heads=4,
            head_dim=64,
            vocab_size=SHIPPED_VOCABULARY,
        ),
        "image_token_id": SHIPPED_IMAGE_TOKEN,
    }


def base() -> dict[str, Any]:
    """The sizes of SigLIP 2 base (patch 16, NaFlex) and Qwen3-0.6B."""
    return {
        "vision_config": {
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "patch_size": 16,
            "position_side": 16,
        },
        "text_config": qwen3(
            hidden_size=1024,
            intermediate_size=3072,
            num_hidden_layers=28,
            num_attention_heads=16,
            num_key_value_heads=8,
            head_dim=128,
            vocab_size=151936,
            rope_theta=1e6,
            end=151645,
            pad=151643,
        ),
        "image_token_id": 151655,
    }


def minicpm_v_4_5() -> dict[str, Any]:
    """SigLIP 2 400M and Qwen3-8B as in MiniCPM-V 4.5. Source: its released configuration."""
    return {
        "vision_config": {
            "hidden_size": 1152,
            "intermediate_size": 4304,
            "num_hidden_layers": 27,
            "num_attention_heads": 16,
            "position_side": 70,
            "position": "bucket",
        },
        "text_config": qwen3(
            hidden_size=4096,
            intermediate_size=12288,
            num_hidden_layers=36,
            num_attention_heads=32,
            num_key_value_heads=8,
            head_dim=128,
            vocab_size=151748,
            rope_theta=1e6,
            max_position_embeddings=40960,
            tie_word_embeddings=False,
            max_window_layers=36,
            end=151645,
            pad=151643,
        ),
        "image_token_id": 128244,
    }


PRESETS: dict[str, Callable[[], dict[str, Any]]] = {
    "nano": nano,
    "small": small,
    "base": base,
    "minicpm-v-4.5": minicpm_v_4_5,
}


def qwen3(
    *,
    rope_theta: float = 1e4,
    end: int = SHIPPED_END,
    pad: int = SHIPPED_PAD,
    tie_word_embeddings: bool = True,
    max_position_embeddings: int = 32768,
    **sizes: int,
) -> dict[str, Any]:
    """A Qwen3 language model of these sizes."""
    return {
        "model_type": "qwen3",
        "rope_parameters": {"rope_type": "default", "rope_theta": rope_theta},
        "tie_word_embeddings": tie_word_embeddings,
        "max_position_embeddings": max_position_embeddings,
        "eos_token_id": end,
        "pad_token_id": pad,
        **sizes,
    }
