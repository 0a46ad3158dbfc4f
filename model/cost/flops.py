"""What a model costs: FLOPs of forward and training, parameters, and memory.

FLOPs are those of matrix products, a multiply-add two, as `torch.utils.flop_counter` counts them;
no padding, no recompute. What goes through the model is named by four arguments everywhere:
`tgt_sizes`, (height, width) in patches of every slice; `packages`, slices of each package, None
where every slice is one; `lengths`, tokens of each sample, pictures included; `rate`, 1 or 4.

Shapes: N patches, P packages, Q queries, T tokens, D width of the tower, W of the language model.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from ...engine.errors import ConfigError
from ..config import PagemillConfig
from ..slicing import FULL, QUARTER, package_tokens

PARTS = ("tower", "connector", "language_model")
"""What can be frozen, in the order in which values pass through."""
GATED = ("llama", "mistral", "qwen2", "qwen3")
"""Language models whose layers are four projections and a gated feed-forward."""
ROUTER_BLOCKS, ROUTER_OUT = 2, 2

Sizes = Sequence[tuple[int, int]]
Rate = int | Sequence[int]


@dataclass(frozen=True, slots=True)
class Flops:
    """FLOPs of each part; the language model without its head."""

    tower: int = 0
    connector: int = 0
    router: int = 0
    language_model: int = 0
    head: int = 0

    @property
    def total(self) -> int:
        """Of all parts."""
        return self.tower + self.connector + self.router + self.language_model + self.head


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


@dataclass(frozen=True, slots=True)
class Load:
    """What goes through the model, checked and counted."""

    slices: list[int]
    """Patches of each slice."""
    packages: int
    full: int
    """Visual tokens of packages at the full rate."""
    quarter: int
    """Visual tokens of packages at the quarter rate."""
    lengths: list[int]
    """Tokens of each sample."""

    @property
    def patches(self) -> int:
        """Of all slices."""
        return sum(self.slices)

    @property
    def tokens(self) -> int:
        """Of all samples."""
        return sum(self.lengths)


class Wanted(Enum):
    """When the gradient of one factor of a product is computed."""

    NEVER = "it is data"
    OWN = "the part is trained"
    ABOVE = "a part before this one is trained"
    ANY = "the part or one before it is trained"


class Product(NamedTuple):
    """Matrix products of one part."""

    part: str
    flops: int
    left: Wanted
    right: Wanted


def forward_flops(
    config: PagemillConfig,
    tgt_sizes: Sizes,
    packages: Sequence[int] | None,
    lengths: Sequence[int],
    *,
    rate: Rate = FULL,
    routed: bool = False,
    full_square: bool = False,
    logit_tokens: int | None = None,
) -> Flops:
    """FLOPs of one forward pass over pictures and samples, packed or not.

    Exact: attention of the tower within each slice, of the language model within each sample. The
    resampler computes all of its queries at either rate. A sliding window counts as no window.

    Args:
        config: of the model.
        tgt_sizes: (height, width) in patches of every slice.
        packages: slices of each package, in order; None where every slice is one.
        lengths: tokens of each sample, visual ones included.
        rate: 1 or 4, for all packages or for each.
        routed: whether the router ran.
        full_square: count causal attention as the whole square of queries and keys, as
            `FlopCounterMode` does, and not as exactly half of it, as formulas of MFU do.
        logit_tokens: tokens that get logits; None for all, 1 a sample where a prompt is read.

    Raises:
        ConfigError: the arguments do not fit each other, or the language model is not dense.
    """
    load = loaded(config, tgt_sizes, packages, lengths, rate)
    parts = products(
        config, load, full_square, load.tokens if logit_tokens is None else logit_tokens
    )
    return summed(parts, router_flops(config, load) if routed else 0, lambda product: product.flops)


def training_flops(
    config: PagemillConfig,
    tgt_sizes: Sizes,
    packages: Sequence[int] | None,
    lengths: Sequence[int],
    *,
    rate: Rate = FULL,
    frozen: Collection[str] = (),
    full_square: bool = False,
    logit_tokens: int | None = None,
    adapted: bool = False,
) -> Flops:
    """FLOPs of forward and backward: 6 a trained parameter and token, 2 where nothing is trained
    up to there, 4 where a gradient only passes through.

    Exact to the product: the first matrix of what is trained takes no gradient of its input, so it
    counts 4. Attention counts twice its forward for backward. Nothing is recomputed, whatever
    gradient checkpointing does. The router is not part of this loss.

    Args:
        config: of the model.
        tgt_sizes: as `forward_flops` takes them.
        packages: as `forward_flops` takes them.
        lengths: as `forward_flops` takes them.
        rate: as `forward_flops` takes it.
        frozen: any of `tower`, `connector` and `language_model`, its embeddings and head included.
        full_square: as `forward_flops` takes it.
        logit_tokens: tokens that get logits, such as those with a label; None for all.
        adapted: whether the language model learns by adapters: gradients pass through it, its own
            weights take none. The adapters' own products, a few percent, are left out.

    Raises:
        ConfigError: as `forward_flops`, or an unknown part.
    """
    load = loaded(config, tgt_sizes, packages, lengths, rate)
    trained = trained_parts(frozen)
    if not load.slices:
        trained = trained & {"language_model"}

    def cost(product: Product) -> int:
        own = owner(product.part)
        above = any(part in trained for part in PARTS[: PARTS.index(own)])
        passed = adapted and own == "language_model"
        met = {
            Wanted.NEVER: False,
            Wanted.OWN: own in trained and not passed,
            Wanted.ABOVE: above or passed,
            Wanted.ANY: above or own in trained,
        }
        return product.flops * (1 + met[product.left] + met[product.right])

    logits = load.tokens if logit_tokens is None else logit_tokens
    return summed(products(config, load, full_square, logits), 0, cost)


def generation_flops(config: PagemillConfig, context_tokens: int, new_tokens: int) -> Flops:
    """FLOPs of `new_tokens` steps with a cache, the first behind `context_tokens` tokens; exact."""
    model = language(config.text_config)
    keys = new_tokens * context_tokens + new_tokens * (new_tokens + 1) // 2
    attention = 4 * model.layers * model.heads * model.head_width * keys
    return Flops(
        language_model=2 * new_tokens * model.matrices + attention,
        head=2 * new_tokens * model.width * model.vocabulary,
    )


def parameters(config: PagemillConfig) -> dict[str, int]:
    """Parameters of `tower`, `connector`, `router`, `embeddings`, `layers`, `head` and `total`.

    Exact, from a model without memory. The language model is embeddings, layers (with the last
    norm) and head; a head that is the table of embeddings has 0 of its own.
    """
    model = skeleton(config)
    table, head = model.get_input_embeddings().weight, model.get_output_embeddings()
    found = {
        "tower": counted(model.vision),
        "connector": counted(model.connector),
        "router": counted(model.router) if model.router is not None else 0,
        "embeddings": table.numel(),
        "layers": counted(model.get_decoder()) - table.numel(),
        "head": 0 if head.weight is table else counted(head),
    }
    return {**found, "total": counted(model)}


def loaded(
    config: PagemillConfig,
    tgt_sizes: Sizes,
    packages: Sequence[int] | None,
    lengths: Sequence[int],
    rate: Rate,
) -> Load:
    """The four arguments, checked against each other.

    Raises:
        ConfigError: they do not fit.
    """
    frames = [1] * len(tgt_sizes) if packages is None else list(packages)
    rates = [rate] * len(frames) if isinstance(rate, int) else list(rate)
    if sum(frames) != len(tgt_sizes) or any(count < 1 for count in frames):
        raise ConfigError(f"packages of {frames} slices do not hold {len(tgt_sizes)} slices")
    if len(rates) != len(frames):
        raise ConfigError(f"{len(rates)} rates for {len(frames)} packages")
    tokens = {FULL: 0, QUARTER: 0}
    rest = iter(tgt_sizes)
    for count, one in zip(frames, rates, strict=True):
        sizes = [next(rest) for _ in range(count)]
        given = package_tokens(
            sizes, connector=config.connector, query_num=config.query_num, rate=one
        )
        tokens[one] += given
    visual = tokens[FULL] + tokens[QUARTER]
    if lengths and visual > sum(lengths):
        raise ConfigError(
            f"samples of {sum(lengths)} tokens have no room for {visual} visual tokens: "
            "lengths count visual tokens too"
        )
    slices = [height * width for height, width in tgt_sizes]
    return Load(slices, len(frames), tokens[FULL], tokens[QUARTER], list(lengths))


def trained_parts(frozen: Collection[str]) -> frozenset[str]:
    """The parts that are not frozen.

    Raises:
        ConfigError: an unknown part.
    """
    unknown = sorted(set(frozen) - set(PARTS))
    if unknown:
        raise ConfigError(f"frozen names {', '.join(unknown)}; parts are: {', '.join(PARTS)}")
    return frozenset(PARTS) - set(frozen)


def owner(part: str) -> str:
    """The part whose freezing decides: the head goes with its language model."""
    return "language_model" if part == "head" else part


def summed(parts: Iterator[Product], router: int, cost: Any) -> Flops:
    """Products added up by part."""
    totals = {"tower": 0, "connector": 0, "language_model": 0, "head": 0}
    for product in parts:
        totals[product.part] += cost(product)
    return Flops(router=router, **totals)


def products(
    config: PagemillConfig, load: Load, full_square: bool, logit_tokens: int
) -> Iterator[Product]:
    """Every matrix product of a forward pass, without the router."""
    yield from tower_products(config.vision_config, load)
    if config.connector == "resampler3d":
        yield from resampler_products(config, load)
    else:
        yield from shuffle_products(config, load)
    yield from language_products(config, load, full_square, logit_tokens)


def pixels_of(vision: Any) -> int:
    """Numbers of one patch of pixels."""
    return int(vision.num_channels * vision.patch_size**2)


def tower_products(vision: Any, load: Load) -> Iterator[Product]:
    """Patches, projections and feed-forward of every patch, attention within each slice."""
    width, layers = vision.hidden_size, vision.num_hidden_layers
    matrices = layers * (4 * width * width + 2 * width * vision.intermediate_size)
    pairs = sum(count * count for count in load.slices)
    yield Product("tower", 2 * load.patches * pixels_of(vision) * width, Wanted.NEVER, Wanted.OWN)
    yield Product("tower", 2 * load.patches * matrices, Wanted.ANY, Wanted.OWN)
    yield Product("tower", 4 * layers * width * pairs, Wanted.ANY, Wanted.ANY)


def resampler_products(config: PagemillConfig, load: Load) -> Iterator[Product]:
    """Queries once, keys and values of every patch, answers of every package."""
    if not load.packages:
        return
    width, queries = config.text_config.hidden_size, config.query_num
    patches, square = load.patches, width * width
    kv_proj = 2 * patches * config.vision_config.hidden_size * width
    scores = 2 * queries * patches * width
    yield Product("connector", kv_proj, Wanted.ABOVE, Wanted.OWN)
    yield Product("connector", 2 * queries * square, Wanted.OWN, Wanted.OWN)
    yield Product("connector", 4 * patches * square, Wanted.ANY, Wanted.OWN)
    yield Product("connector", scores, Wanted.OWN, Wanted.ANY)
    yield Product("connector", scores, Wanted.ANY, Wanted.ANY)
    yield Product("connector", 4 * load.packages * queries * square, Wanted.ANY, Wanted.OWN)


def shuffle_products(config: PagemillConfig, load: Load) -> Iterator[Product]:
    """The layers of both branches, each over its own blocks of patches."""
    width, kv_width = config.text_config.hidden_size, config.vision_config.hidden_size
    full = 4 * kv_width * width + width * width
    quarter = 2 * width * (16 * kv_width + 2 * width + width)
    yield Product("connector", 2 * load.full * full, Wanted.ANY, Wanted.OWN)
    yield Product("connector", 2 * load.quarter * quarter, Wanted.ANY, Wanted.OWN)


def language_products(
    config: PagemillConfig, load: Load, full_square: bool, logit_tokens: int
) -> Iterator[Product]:
    """Projections and feed-forward of every token, attention within each sample, logits."""
    model = language(config.text_config)
    square = 4 * model.layers * model.heads * model.head_width
    attention = square * sum(length * length for length in load.lengths)
    attention = attention if full_square else attention // 2
    head = 2 * logit_tokens * model.width * model.vocabulary
    yield Product("language_model", 2 * load.tokens * model.matrices, Wanted.ANY, Wanted.OWN)
    yield Product("language_model", attention, Wanted.ANY, Wanted.ANY)
    yield Product("head", head, Wanted.ANY, Wanted.OWN)


def router_flops(config: PagemillConfig, load: Load) -> int:
    """Pooling of every package by one query, gated blocks and two logits."""
    width, square = config.vision_config.hidden_size, config.vision_config.hidden_size**2
    pooling = load.patches * (2 * square + 2 * width)
    answers = load.packages * ((1 + 2 * ROUTER_BLOCKS) * square + ROUTER_OUT * width)
    return 2 * (pooling + answers)


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
    if any(one.ndim > 2 for one in model.parameters()):
        raise ConfigError(
            f"FLOPs of {settings['model_type']} are not known: it has experts or convolutions"
        )
    weights = (one for one in model.parameters() if one.ndim == 2)
    return sum(one.numel() for one in weights if id(one) not in left_out)


def skeleton(config: PagemillConfig) -> Any:
    """The model without memory for its weights."""
    import torch

    from ..modeling import PagemillForConditionalGeneration

    with torch.device("meta"):
        return PagemillForConditionalGeneration(copy.deepcopy(config))


def counted(module: Any) -> int:
    """Parameters of a module, shared ones once."""
    return sum(one.numel() for one in module.parameters())
