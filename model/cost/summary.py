"""What a model is and what it costs, as one record: `model_summary("small")`.

Everything follows from the configuration; no weights are read or made. `to_dict` is what
`pagemill model show --json` prints; `command.terminal.model` lays it out for people.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..config import PagemillConfig
from .configuration import SlicingSettings, configuration_of
from .memory import Training, memory
from .picture import FRAMES_A_PACKAGE, PAGE, PICTURES, PictureCost, picture_cost, picture_load
from .size import language, parameters

ANSWER_TOKENS = 500
"""Length of the answer that FLOPs and activations are given for."""
CACHE_TOKENS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerSize:
    """Sizes of the tower."""

    layers: int
    width: int
    heads: int
    feed_forward: int
    patch_size_px: int
    position: str
    """`interpolate` or `bucket`."""
    position_side: int
    """Of the square table of positions, in patches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSize:
    """Sizes of the connector."""

    kind: str
    width: int
    queries: int | None = None
    """Of a resampler alone, as its heads."""
    heads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageSize:
    """Sizes of the language model."""

    kind: str
    layers: int
    width: int
    heads: int
    key_value_heads: int
    head_width: int
    feed_forward: int
    vocabulary: int
    context_tokens: int | None
    tied_head: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeMemory:
    """Bytes with the weights in one floating point type."""

    weights_bytes: int
    cache_bytes_per_1000_tokens: int
    activations_bytes: int
    training: Training
    activations_checkpointing_bytes: int
    """Of training that computes activations again."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "weights_bytes": self.weights_bytes,
            "cache_bytes_per_1000_tokens": self.cache_bytes_per_1000_tokens,
            "activations_bytes": self.activations_bytes,
            "training": {
                **asdict(self.training),
                "state_bytes": self.training.state_bytes,
                "activations_checkpointing_bytes": self.activations_checkpointing_bytes,
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySummary:
    """Bytes of weights, cache, training state and activations."""

    page: str
    """The picture that activations are given for."""
    page_tokens: int
    """Of the picture in its prompt and the answer."""
    bf16: TypeMemory
    fp32: TypeMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """The numbers of a model: bytes, FLOPs and parameters as whole numbers."""

    model: str
    parameters: dict[str, int]
    """By part, and in `total`."""
    tower: TowerSize
    connector: ConnectorSize
    router_threshold: float | None
    """Probability from which the quarter rate is taken; None without a router."""
    language_model: LanguageSize
    slicing: SlicingSettings
    pictures: tuple[PictureCost, ...]
    memory: MemorySummary

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        connector = {
            name: size for name, size in asdict(self.connector).items() if size is not None
        }
        threshold = self.router_threshold
        return {
            "model": self.model,
            "parameters": self.parameters,
            "tower": asdict(self.tower),
            "connector": connector,
            "router": None if threshold is None else {"threshold": threshold},
            "language_model": asdict(self.language_model),
            "slicing": asdict(self.slicing),
            "answer_tokens": ANSWER_TOKENS,
            "frames_per_package": FRAMES_A_PACKAGE,
            "pictures": [picture.to_dict() for picture in self.pictures],
            "memory": {
                "page": self.memory.page,
                "page_tokens": self.memory.page_tokens,
                "bf16": self.memory.bf16.to_dict(),
                "fp32": self.memory.fp32.to_dict(),
            },
        }


def model_summary(model: str, **changes: Any) -> ModelSummary:
    """What a model is and what it costs.

    Args:
        model: a preset or a folder with a config.json; a preset goes before a folder of its name.
        **changes: fields of `PagemillConfig` to set otherwise, such as `connector`.

    Raises:
        ConfigError: there is no such preset or folder, or it is not one of our models.
    """
    config, settings = configuration_of(str(model), changes)
    return ModelSummary(
        model=str(model),
        parameters=parameters(config),
        tower=tower_size(config),
        connector=connector_size(config),
        router_threshold=config.router_threshold if config.router else None,
        language_model=language_size(config),
        slicing=settings,
        pictures=tuple(
            picture_cost(config, settings, picture, ANSWER_TOKENS) for picture in PICTURES
        ),
        memory=memory_summary(config, settings),
    )


def tower_size(config: PagemillConfig) -> TowerSize:
    """Sizes of the tower."""
    vision = config.vision_config
    return TowerSize(
        layers=vision.num_hidden_layers,
        width=vision.hidden_size,
        heads=vision.num_attention_heads,
        feed_forward=vision.intermediate_size,
        patch_size_px=vision.patch_size,
        position=vision.position,
        position_side=vision.position_side,
    )


def connector_size(config: PagemillConfig) -> ConnectorSize:
    """Sizes of the connector."""
    width = config.text_config.hidden_size
    if config.connector != "resampler3d":
        return ConnectorSize(kind=config.connector, width=width)
    return ConnectorSize(
        kind=config.connector, width=width, queries=config.query_num, heads=config.heads
    )


def language_size(config: PagemillConfig) -> LanguageSize:
    """Sizes of the language model."""
    text, size = config.text_config, language(config.text_config)
    return LanguageSize(
        kind=text.model_type,
        layers=size.layers,
        width=size.width,
        heads=size.heads,
        key_value_heads=size.kv_heads,
        head_width=size.head_width,
        feed_forward=size.feed_forward,
        vocabulary=size.vocabulary,
        context_tokens=getattr(text, "max_position_embeddings", None),
        tied_head=config.tie_word_embeddings,
    )


def memory_summary(config: PagemillConfig, settings: SlicingSettings) -> MemorySummary:
    """Bytes of weights, cache, training state and activations."""
    load = picture_load(config, settings, PAGE)
    page_tokens = load.prompt_tokens + ANSWER_TOKENS
    sizes = load.tgt_sizes
    return MemorySummary(
        page=PAGE.name,
        page_tokens=page_tokens,
        bf16=type_memory(config, sizes, page_tokens, "bf16", "bfloat16"),
        fp32=type_memory(config, sizes, page_tokens, "fp32", "float32"),
    )


def type_memory(
    config: PagemillConfig, sizes: list[tuple[int, int]], tokens: int, layout: str, dtype: str
) -> TypeMemory:
    """Bytes with the weights in one floating point type."""
    kept, again = (
        memory(
            config, sizes, None, [tokens], dtype=dtype, layout=layout, checkpointing=checkpointing
        )
        for checkpointing in (False, True)
    )
    return TypeMemory(
        weights_bytes=kept.inference.weights_bytes,
        cache_bytes_per_1000_tokens=CACHE_TOKENS * kept.inference.cache_bytes_per_token,
        activations_bytes=kept.inference.activations_bytes,
        training=kept.training,
        activations_checkpointing_bytes=again.training.activations_bytes,
    )
