"""FLOPs of forward, training and generation.

They are those of matrix products, a multiply-add two, as `torch.utils.flop_counter` counts them;
no padding, no recompute. The arguments are those of `load`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from ...engine.errors import ConfigError
from ..config import PagemillConfig
from ..slicing import FULL
from .load import Rate, Sizes, loaded
from .product import Product, Wanted, products, router_flops
from .size import language

PARTS = ("tower", "connector", "language_model")
"""What can be frozen, in the order in which values pass through."""


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
        frozen_with = owner(product.part)
        above = any(part in trained for part in PARTS[: PARTS.index(frozen_with)])
        passed = adapted and frozen_with == "language_model"
        met = {
            Wanted.NEVER: False,
            Wanted.OWN: frozen_with in trained and not passed,
            Wanted.ABOVE: above or passed,
            Wanted.ANY: above or frozen_with in trained,
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


def summed(parts: Iterator[Product], router: int, cost: Callable[[Product], int]) -> Flops:
    """Products added up by part."""
    totals = {"tower": 0, "connector": 0, "language_model": 0, "head": 0}
    for product in parts:
        totals[product.part] += cost(product)
    return Flops(router=router, **totals)
