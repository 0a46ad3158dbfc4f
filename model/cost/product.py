"""The matrix products of a forward pass, part by part, and which of their factors learn.

Shapes: N patches, P packages, Q queries, T tokens, D width of the tower, W of the language model.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

from ..config import PagemillConfig
from .load import Load
from .size import language

ROUTER_BLOCKS, ROUTER_OUT = 2, 2


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


def pixels_of(vision: Any) -> int:
    """Numbers of one patch of pixels."""
    return int(vision.num_channels * vision.patch_size**2)
