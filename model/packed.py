"""Attention of a language model over samples laid end to end: none sees another, nothing is masked.

transformers knows it by the name `packed`. Where a call carries the lengths of samples, each is
attended to alone, by one kernel call on a GPU; any other call, such as those of `generate`, goes to
`sdpa`. A mask of the whole pack is never made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from . import segment
from .varlen import usable, varlen

PACKED = "packed"


def packed_inputs(lengths: Sequence[int], device: torch.device) -> dict[str, Any]:
    """What a language model's decoder takes beside `inputs_embeds` [1, N, W] to see samples apart.

    Args:
        lengths: tokens of each sample, end to end; they add up to N.
        device: of the model.
    """
    return {
        "attention_mask": {"full_attention": None, "sliding_attention": None},
        "packed_lengths": tuple(lengths),
        "packed_ends": segment.cumulative(lengths, device),
    }


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    dropout: float = 0.0,
    scaling: float | None = None,
    packed_lengths: Sequence[int] | None = None,
    packed_ends: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Causal attention inside each sample, with the signature of transformers' functions.

    Args:
        module: the caller.
        query: [1, heads, N, head width].
        key: [1, key heads, N, head width].
        value: as the key.
        attention_mask: of calls without lengths.
        dropout: of the weights; 0 where samples are packed.
        scaling: factor of the scores.
        packed_lengths: tokens of each sample.
        packed_ends: the same summed up, int32 [samples + 1].
        **kwargs: what other implementations take.

    Returns:
        The mix, [1, N, heads, head width], and no weights.
    """
    if packed_lengths is None:
        usual: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return usual
    query, key = query.to(value.dtype), key.to(value.dtype)
    if usable(value) and packed_ends is not None:
        ends, longest = (packed_ends, packed_ends), (max(packed_lengths),) * 2
        query, key, value = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
        mixed = varlen(query, key, value, ends, longest, causal=True, scaling=scaling)
        return mixed[None], None
    repeats = query.shape[1] // key.shape[1]
    key, value = repeat_kv(key, repeats), repeat_kv(value, repeats)
    sizes = list(packed_lengths)
    parts = [
        F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling)
        for q, k, v in zip(
            *(torch.split(tensor, sizes, 2) for tensor in (query, key, value)), strict=True
        )
    ]
    return torch.cat(parts, 2).transpose(1, 2), None


def register() -> None:
    """Make the name known to transformers; once more does no harm."""
    AttentionInterface.register(PACKED, packed_attention)
    AttentionMaskInterface.register(PACKED, sdpa_mask)
