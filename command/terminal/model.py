"""A model and its costs as tables, in 100 columns: `pagemill model show`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from ...model.cost.picture import FRAMES_A_PACKAGE, PictureCost
from ...model.cost.summary import (
    ANSWER_TOKENS,
    CACHE_TOKENS,
    ConnectorSize,
    LanguageSize,
    MemorySummary,
    ModelSummary,
    TowerSize,
)
from .number import plural, scaled
from .table import table

COLUMNS = 100
NAME_COLUMNS = 16
PARTS = {
    "tower": "tower",
    "connector": "connector",
    "router": "router",
    "embeddings": "embeddings",
    "layers": "language model",
    "head": "head",
}
"""Parts with parameters, and how the page calls them."""
POSITIONS = {"interpolate": "interpolated from", "bucket": "looked up in"}
PICTURE_HEADS = (
    "picture", "pixels", "grid", "visual\ntokens", "at a\nquarter", "in the\nprompt", "patches",
    "patches\na token", "FLOPs of\nprefill", "FLOPs per\nnew token",
)  # fmt: skip


def model_view(model: ModelSummary) -> Iterator[RenderableType]:
    """Parameters by part, sizes in words, what pictures cost, and memory."""
    yield f"{model.model}: {model.parameters['total']:,} parameters"
    yield ""
    yield table(parts_rows(model.parameters), justify="lrr", heads=("part", "parameters", "share"))
    yield ""
    yield from sizes_lines(model)
    yield ""
    yield table(
        [picture_row(picture) for picture in model.pictures],
        justify="lll" + "r" * 7,
        heads=PICTURE_HEADS,
    )
    yield filled(
        f"A picture is cut into at most {model.slicing.max_slice_nums} slices of about "
        f"{model.slicing.scale_resolution} x {model.slicing.scale_resolution} px beside a "
        f"thumbnail; {FRAMES_A_PACKAGE} frames of a video share a package. FLOPs: the prompt holds "
        f"the picture alone, at the full rate; a new token is the mean of an answer of "
        f"{ANSWER_TOKENS}."
    )
    yield ""
    yield from memory_view(model.memory)


def parts_rows(counts: dict[str, int]) -> Iterator[Sequence[str]]:
    """Parts, parameters and shares."""
    for part, name in PARTS.items():
        count = counts[part]
        if part == "head" and not count:
            yield name, "= embeddings", ""
        elif count:
            yield name, f"{count:,}", f"{count / counts['total']:.1%}"


def sizes_lines(model: ModelSummary) -> Iterator[str]:
    """The dimensions of every part, in words."""
    threshold = model.router_threshold
    router = (
        "none" if threshold is None else f"the quarter rate from a probability of {threshold:g}"
    )
    for name, text in (
        ("tower", tower_text(model.tower)),
        ("connector", connector_text(model.connector)),
        ("router", router),
        ("language model", language_text(model.language_model)),
    ):
        yield filled(text, f"{name:<{NAME_COLUMNS}}")


def tower_text(tower: TowerSize) -> str:
    """The tower's dimensions."""
    return (
        f"{plural(tower.layers, 'layer')} of width {tower.width:,}, {plural(tower.heads, 'head')}, "
        f"feed-forward {tower.feed_forward:,}; patches of {tower.patch_size_px} px, positions "
        f"{POSITIONS[tower.position]} a table of {tower.position_side} x {tower.position_side}"
    )


def connector_text(connector: ConnectorSize) -> str:
    """The connector's dimensions."""
    if connector.queries is None or connector.heads is None:
        return (
            f"{connector.kind} to width {connector.width:,}: a token for 2 x 2 patches, "
            "for 4 x 4 at the quarter rate"
        )
    return (
        f"{connector.kind}, width {connector.width:,}, {plural(connector.heads, 'head')}: "
        f"{connector.queries} tokens a slice or package of frames, {connector.queries // 4} at the "
        "quarter rate"
    )


def language_text(model: LanguageSize) -> str:
    """The language model's dimensions."""
    context = model.context_tokens
    return (
        f"{model.kind}, {plural(model.layers, 'layer')} of width {model.width:,}, "
        f"{plural(model.heads, 'head')} of {model.head_width} "
        f"({model.key_value_heads} for keys and values), "
        f"feed-forward {model.feed_forward:,}; vocabulary {model.vocabulary:,}"
        + (f", context {context:,}" if context else "")
    )


def picture_row(picture: PictureCost) -> Sequence[str]:
    """One line of the table of pictures."""
    return (
        picture.name,
        f"{picture.width_px} x {picture.height_px}",
        f"{picture.cols} x {picture.rows}",
        f"{picture.visual_tokens:,}",
        f"{picture.visual_tokens_quarter:,}",
        f"{picture.prompt_tokens:,}",
        f"{picture.patches:,}",
        f"{picture.patches_per_token:.1f}",
        scaled(picture.prefill_flops.total),
        scaled(picture.flops_per_answer_token),
    )


def memory_view(memory: MemorySummary) -> Iterator[RenderableType]:
    """The tables of memory, and what they leave out."""
    types = (memory.bf16, memory.fp32)
    yield table(
        [
            ("weights", *(size_text(kind.weights_bytes) for kind in types)),
            (
                f"cache of {CACHE_TOKENS:,} tokens",
                *(size_text(kind.cache_bytes_per_1000_tokens) for kind in types),
            ),
            ("activations", *(size_text(kind.activations_bytes) for kind in types)),
        ],
        justify="lrr",
        heads=("memory of reading", "bf16", "fp32"),
    )
    yield ""
    rows = (
        ("weights", [kind.training.weights_bytes for kind in types]),
        ("gradients", [kind.training.gradients_bytes for kind in types]),
        ("fp32 copy of the weights", [kind.training.master_bytes for kind in types]),
        ("moments of AdamW", [kind.training.moments_bytes for kind in types]),
        ("state in all", [kind.training.state_bytes for kind in types]),
        ("activations", [kind.training.activations_bytes for kind in types]),
        (
            "activations with checkpointing",
            [kind.activations_checkpointing_bytes for kind in types],
        ),
    )
    yield table(
        [(name, *map(size_text, sizes)) for name, sizes in rows],
        justify="lrr",
        heads=("memory of training", "bf16", "fp32"),
    )
    yield filled(
        f"Activations are estimates: {memory.page} and an answer of {ANSWER_TOKENS}, "
        f"{memory.page_tokens:,} tokens in all, with attention that keeps no scores."
    )


def size_text(size_bytes: int) -> str:
    """Bytes with three digits; `none` for 0."""
    return scaled(size_bytes) + "B" if size_bytes else "none"


def filled(text: str, head: str = "") -> str:
    """Text in lines of at most 100 columns, hanging behind its head."""
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_on_hyphens=False,
    )
