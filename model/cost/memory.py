"""What a model needs of memory, reading and learning.

Weights, cache and optimizer state are exact; activations are estimates. The arguments are those of
`flops`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ...engine.errors import ConfigError
from ..config import PagemillConfig
from ..slicing import FULL
from .flops import PARTS, trained_parts
from .load import Load, Rate, Sizes, loaded
from .product import pixels_of
from .size import Language, language, parameters

BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}
LAYOUTS = ("bf16", "fp32")
"""Training state: bf16 weights and gradients with an fp32 master copy, or everything in fp32."""
PIXEL_BYTES = 4
"""Pixels come from the processor as fp32."""
MOMENTS_BYTES = 8
"""AdamW's two moments of one parameter, in fp32."""


@dataclass(frozen=True, slots=True)
class Inference:
    """Bytes while reading and answering."""

    weights_bytes: int
    """Exact."""
    cache_bytes_per_token: int
    """Keys and values of one token; exact."""
    cache_bytes: int
    """Keys and values of all tokens; exact."""
    activations_bytes: int
    """The most that lives at once beside weights and cache, pixels included; an estimate, for
    attention that keeps no scores and logits of the last position only."""

    @property
    def total_bytes(self) -> int:
        """Everything at once."""
        return self.weights_bytes + self.cache_bytes + self.activations_bytes


@dataclass(frozen=True, slots=True)
class Training:
    """Bytes while learning with AdamW, on one device that holds everything."""

    weights_bytes: int
    """Exact; frozen ones too."""
    gradients_bytes: int
    """Exact, in the type of the weights."""
    master_bytes: int
    """The fp32 copy that bf16 weights are updated through; exact."""
    moments_bytes: int
    """AdamW's; exact."""
    activations_bytes: int
    """The most that lives at once beside the state, logits with their gradient and pixels
    included; an estimate, for attention that keeps no scores."""

    @property
    def state_bytes(self) -> int:
        """Weights, gradients and optimizer, which do not depend on what is read."""
        held = self.weights_bytes + self.gradients_bytes
        return held + self.master_bytes + self.moments_bytes

    @property
    def total_bytes(self) -> int:
        """State and activations."""
        return self.state_bytes + self.activations_bytes


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of both uses."""

    inference: Inference
    training: Training


def memory(
    config: PagemillConfig,
    tgt_sizes: Sizes = (),
    packages: Sequence[int] | None = None,
    lengths: Sequence[int] = (),
    *,
    rate: Rate = FULL,
    dtype: str = "bfloat16",
    layout: str = "bf16",
    checkpointing: bool = False,
    frozen: Collection[str] = (),
) -> Memory:
    """Bytes for inference and for training. Weights, cache and optimizer are exact, activations an
    estimate for this code with attention that keeps no scores.

    Not counted: what the framework and its allocator take, padding, and buffers of communication.

    Args:
        config: of the model.
        tgt_sizes: as `forward_flops` takes them; without any, and without `lengths`, activations
            and cache are 0.
        packages: as `forward_flops` takes them.
        lengths: as `forward_flops` takes them; for inference the answer belongs to it.
        rate: as `forward_flops` takes it.
        dtype: of inference: `bfloat16`, `float16` or `float32`.
        layout: of training: `bf16` or `fp32`.
        checkpointing: whether the layers of tower and language model are computed again for
            backward, with only their inputs kept.
        frozen: as `training_flops` takes them.

    Raises:
        ConfigError: as `training_flops`, or an unknown type or layout.
    """
    if dtype not in BYTES:
        raise ConfigError(f"dtype is {dtype!r}; there are: {', '.join(BYTES)}")
    if layout not in LAYOUTS:
        raise ConfigError(f"layout is {layout!r}; there are: {', '.join(LAYOUTS)}")
    load = loaded(config, tgt_sizes, packages, lengths, rate)
    trained = trained_parts(frozen)
    counts = parameters(config)
    words = counts["embeddings"] + counts["layers"] + counts["head"]
    owned = {"tower": counts["tower"], "connector": counts["connector"], "language_model": words}
    learning = sum(owned[part] for part in trained)
    width = 2 if layout == "bf16" else 4
    per_token = cache_bytes_per_token(config, dtype)
    return Memory(
        Inference(
            weights_bytes=counts["total"] * BYTES[dtype],
            cache_bytes_per_token=per_token,
            cache_bytes=per_token * load.tokens,
            activations_bytes=largest_activations(config, load, BYTES[dtype]),
        ),
        Training(
            weights_bytes=counts["total"] * width,
            gradients_bytes=learning * width,
            master_bytes=learning * 4 if layout == "bf16" else 0,
            moments_bytes=learning * MOMENTS_BYTES,
            activations_bytes=training_activations(config, load, width, trained, checkpointing),
        ),
    )


def cache_bytes_per_token(config: PagemillConfig, dtype: str = "bfloat16") -> int:
    """Keys and values of one token in all layers; exact."""
    model = language(config.text_config)
    return 2 * model.layers * model.kv_heads * model.head_width * BYTES[dtype]


def largest_activations(config: PagemillConfig, load: Load, width: int) -> int:
    """Bytes that live at once in the most expensive step of a forward pass; an estimate.

    Args:
        config: of the model.
        load: what is read.
        width: bytes of one number.
    """
    vision, words = config.vision_config, language(config.text_config)
    raw = load.patches * pixels_of(vision) * PIXEL_BYTES
    packed = load.patches * pixels_of(vision) * width
    unpacked = raw if width < PIXEL_BYTES else 0
    block = max(8 * vision.hidden_size, 4 * vision.hidden_size + 2 * vision.intermediate_size)
    tower = max(packed + unpacked, load.patches * block * width)
    if config.connector == "resampler3d":
        answers = 2 * load.packages * config.query_num * words.width
        inner = load.patches * (vision.hidden_size + 4 * words.width) + answers
    else:
        answers = (load.full + 2 * load.quarter) * 2 * words.width
        inner = 4 * load.patches * vision.hidden_size + answers
    reading = load.tokens * (4 * words.width + 3 * words.feed_forward)
    return raw + max(tower, inner * width, reading * width)


def training_activations(
    config: PagemillConfig,
    load: Load,
    width: int,
    trained: Collection[str],
    checkpointing: bool,
) -> int:
    """The most bytes that live at once between forward and backward; an estimate.

    Without checkpointing that is when the loss is turned around: what all layers kept, the pixels,
    and logits with their gradient. With it, that or one whole layer beside the inputs of all. A
    part through which no gradient passes keeps nothing; one that is frozen but passed through
    counts as if it were trained, which is too much.

    Args:
        config: of the model.
        load: what is read.
        width: bytes of one number.
        trained: parts that are trained.
        checkpointing: whether layers are computed again.
    """
    vision, model = config.vision_config, language(config.text_config)
    learning = [bool(set(PARTS[: number + 1]) & set(trained)) for number in range(len(PARTS))]
    patches = load.patches if learning[0] else 0
    tokens = load.tokens if learning[2] else 0
    edges = load.patches * pixels_of(vision) * PIXEL_BYTES
    edges += patches * (pixels_of(vision) + vision.hidden_size) * width
    edges += kept_by_connector(config, load) * width if learning[1] else 0
    edges += tokens * model.width * (4 + 2 * width)
    logits = tokens * model.vocabulary
    turning = logits * (12 + width)
    tower = patches * width * (9 * vision.hidden_size + 2 * vision.intermediate_size)
    words = tokens * kept_by_layer(model, width)
    reading = largest_activations(config, load, width)
    if not checkpointing:
        kept = vision.num_hidden_layers * tower + model.layers * words
        return max(reading, edges + turning + kept)
    inputs = patches * vision.hidden_size * vision.num_hidden_layers
    inputs += tokens * model.width * model.layers
    busiest = max(turning, logits * width + max(tower, words))
    return max(reading, edges + inputs * width + busiest)


def kept_by_connector(config: PagemillConfig, load: Load) -> int:
    """Numbers that the connector keeps."""
    width, kv_width = config.text_config.hidden_size, config.vision_config.hidden_size
    if config.connector == "resampler3d":
        answers = 4 * load.packages * config.query_num * width
        return load.patches * (kv_width + 5 * width) + answers
    return load.full * (8 * kv_width + 2 * width) + load.quarter * (32 * kv_width + 10 * width)


def kept_by_layer(model: Language, width: int) -> int:
    """Bytes that one layer of a language model keeps of one token; norms keep fp32."""
    queries, keys = model.heads * model.head_width, model.kv_heads * model.head_width
    norms = 2 * model.width * (4 + 2 * width)
    heads = (queries + keys) * (4 + width)
    attention = (3 * queries + 2 * keys) * width
    return norms + heads + attention + 4 * model.feed_forward * width
