"""What a model is made of, as Hugging Face configurations.

`PagemillConfig` holds a tower (`vision_config`), any causal language model of transformers
(`text_config`, Qwen3 by default), the connector between them and the router.
"""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from ..engine.errors import ConfigError
from .slicing import CONNECTORS

DEFAULT_TEXT = {
    "hidden_size": 512,
    "intermediate_size": 1408,
    "num_hidden_layers": 5,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 64,
    "vocab_size": 12288,
    "tie_word_embeddings": True,
}
"""The language model of a configuration that names none: that of the preset `small`."""
POSITIONS = ("interpolate", "bucket")
"""How a slice of any shape reads the tower's square table of positions."""


class PagemillVisionConfig(PreTrainedConfig):
    """A SigLIP-style tower for slices of any shape.

    `position` is `interpolate` (the table is resized to the slice, as SigLIP 2 does) or `bucket`
    (each patch looks up the nearest entry, as the tower of MiniCPM-V 4.5 does). `position_side` is
    the side of the square table, in patches. `image_mean` and `image_std` are applied by the tower
    when pixels come as bytes.
    """

    model_type = "pagemill_vision"
    base_config_key = "vision_config"

    hidden_size: int = 384
    intermediate_size: int = 1536
    num_hidden_layers: int = 8
    num_attention_heads: int = 6
    num_channels: int = 3
    patch_size: int = 14
    position_side: int = 32
    position: str = "interpolate"
    hidden_act: str = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    image_mean: float = 0.5
    image_std: float = 0.5
    initializer_range: float = 0.02

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        if self.position not in POSITIONS:
            raise ConfigError(
                f"vision_config.position is {self.position!r}; there are: {', '.join(POSITIONS)}"
            )
        if self.hidden_size % self.num_attention_heads:
            raise ConfigError(
                f"vision_config.hidden_size is {self.hidden_size}, which "
                f"{self.num_attention_heads} attention heads cannot share evenly"
            )


class PagemillConfig(PreTrainedConfig):
    """The whole model.

    `connector` is `resampler3d` or `shuffle_mlp`; `query_num` the resampler's queries, a multiple
    of 4; `connector_heads` its attention heads (width / 128, at least 1, when left out). With
    `router` the model carries a router; `router_threshold` is the probability from which it takes
    the quarter rate, an absolute number, to be calibrated on held-out data.
    """

    model_type = "pagemill"
    sub_configs_defaults = {
        "text_config": SubConfigSpec(
            config_class=AutoConfig, model_type="qwen3", init_kwargs=DEFAULT_TEXT
        ),
        "vision_config": SubConfigSpec(config_class=PagemillVisionConfig),
    }

    text_config: Any = None
    vision_config: Any = None
    connector: str = "resampler3d"
    query_num: int = 64
    connector_heads: int | None = None
    router: bool = False
    router_threshold: float = 0.5
    image_token_id: int = 11
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        if self.connector not in CONNECTORS:
            raise ConfigError(
                f"connector is {self.connector!r}; there are: {', '.join(CONNECTORS)}"
            )
        if self.query_num < 4 or self.query_num % 4:
            raise ConfigError(
                f"query_num is {self.query_num}; it must be a multiple of 4, "
                "so that a quarter of the tokens is a whole number"
            )
        self.tie_word_embeddings = bool(getattr(self.text_config, "tie_word_embeddings", False))

    @property
    def heads(self) -> int:
        """Attention heads of the resampler."""
        return self.connector_heads or max(1, self.text_config.hidden_size // 128)
