"""Models on the meta device and what goes through them."""

from __future__ import annotations

import torch
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.model.slicing import FULL, package_tokens

IMAGE, QUERIES, WORDS = 11, 16, 40

PAGE = [(12, 16)] + [(14, 18)] * 3
"""A thumbnail and three slices."""

EMBEDDED = {"tower": "vision", "connector": "connector", "language_model": "language_model"}


def built(connector: str = "resampler3d", **changes) -> PagemillForConditionalGeneration:
    config = preset("nano", connector=connector, query_num=QUERIES, router=True, **changes)
    config.text_config.vocab_size = 300
    torch.manual_seed(0)
    return PagemillForConditionalGeneration(config)


def visual(config, sizes, frames=None, rate=FULL) -> int:
    """Visual tokens of all packages."""
    rest = iter(sizes)
    packages = [[next(rest) for _ in range(count)] for count in frames or [1] * len(sizes)]
    rates = [rate] * len(packages) if isinstance(rate, int) else rate
    return sum(
        package_tokens(own, connector=config.connector, query_num=config.query_num, rate=one)
        for own, one in zip(packages, rates, strict=True)
    )


def pictures(sizes, frames=None) -> dict:
    """Random pixels of slices; with `frames`, times of a video."""
    longest = max(height * width for height, width in sizes)
    inputs = {
        "pixel_values": torch.randn(len(sizes), longest, 588),
        "tgt_sizes": torch.tensor(sizes),
    }
    if frames:
        times = iter(range(len(sizes)))
        inputs["temporal_ids"] = [[next(times) for _ in range(count)] for count in frames]
    return inputs


def prompt(config, sizes, frames=None, rate=FULL) -> list[int]:
    return [IMAGE] * visual(config, sizes, frames, rate) + [40] * WORDS


FROZEN = [
    (),
    ("tower",),
    ("language_model",),
    ("tower", "language_model"),
    ("connector", "language_model"),
    ("tower", "connector"),
    ("connector",),
]
