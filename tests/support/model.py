"""A small model with two packages of pictures in a prompt."""

from __future__ import annotations

import torch
from pagemill.model import PagemillForConditionalGeneration, preset

IMAGE = 11

QUERIES = 8

SIZES = torch.tensor([[4, 6], [3, 3], [2, 5]])


def built(*, tied: bool = False, **changes) -> PagemillForConditionalGeneration:
    """Random weights that do not repeat one token for ever."""
    config = preset("nano", **{"query_num": QUERIES, "router": True, **changes})
    config.text_config.vocab_size = 300
    config.text_config.tie_word_embeddings = config.tie_word_embeddings = tied
    torch.manual_seed(0)
    model = PagemillForConditionalGeneration(config).eval()
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(20)
    return model


def pixels(seed: int = 0) -> torch.Tensor:
    return torch.randn(3, 24, 588, generator=torch.Generator().manual_seed(seed))


def prompt(*parts: int | list[int]) -> list[int]:
    """Token ids; a number n stands for n image tokens."""
    ids: list[int] = []
    for part in parts:
        ids += [IMAGE] * part if isinstance(part, int) else part
    return ids


ONE = prompt([40, 41], QUERIES, [42], QUERIES, [43, 44, 0, 45])
"""Two packages and a token 0 that is text."""

TWO = prompt([50], QUERIES, [51, 52])


def batch() -> dict[str, torch.Tensor]:
    """Two prompts of unequal length, filled up on the left, and the pictures of both."""
    rows = [ONE, [0] * (len(ONE) - len(TWO)) + TWO]
    mask = [[1] * len(ONE), [0] * (len(ONE) - len(TWO)) + [1] * len(TWO)]
    return {
        "input_ids": torch.tensor(rows),
        "attention_mask": torch.tensor(mask),
        "pixel_values": pixels(),
        "tgt_sizes": SIZES,
    }
