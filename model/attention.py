"""Attention that is not inside a language model: written out, and pooling by learned queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import segment
from .varlen import usable, varlen


def eager_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """The formula, step by step, with the signature of transformers' attention functions.

    Args:
        module: the caller, for its training flag.
        query: [batch, heads, queries, head width]; key and value alike.
        key: as the query, over keys.
        value: as the key.
        attention_mask: added to the scores, or None.
        scaling: factor of the scores.
        dropout: share of weights set to zero while training.
        **kwargs: what other implementations take.

    Returns:
        The mix, [batch, queries, heads, head width], and the weights.
    """
    scores = query @ key.transpose(2, 3) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype)
    weights = F.dropout(weights, dropout, module.training)
    return (weights @ value).transpose(1, 2).contiguous(), weights


def pool(query: Tensor, key: Tensor, value: Tensor, lengths: Sequence[int], heads: int) -> Tensor:
    """Every segment of keys seen by the same queries; no segment sees another's keys.

    Args:
        query: [Q, W].
        key: [N, W], segments end to end.
        value: [N, W].
        lengths: keys of each segment.
        heads: heads that W is split into.

    Returns:
        [segments, Q, W].
    """
    if usable(key):
        return pool_at_once(query, key, value, lengths, heads)
    order = segment.by_length(lengths)
    ordered = [lengths[number] for number in order]
    sorted_already = order == list(range(len(order)))
    if not sorted_already:
        starts = [0, *torch.tensor(lengths).cumsum(0).tolist()]
        index = segment.gather_index([starts[number] for number in order], ordered, key.device)
        key, value = key[index], value[index]
    queries = query.view(query.shape[0], heads, -1).transpose(0, 1)
    mixed = torch.cat([pool_group(queries, key, value, group) for group in segment.groups(ordered)])
    if sorted_already:
        return mixed
    back = torch.empty(len(order), dtype=torch.int64)
    back[torch.tensor(order)] = torch.arange(len(order))
    return mixed[back.to(mixed.device)]


def pool_at_once(
    query: Tensor, key: Tensor, value: Tensor, lengths: Sequence[int], heads: int
) -> Tensor:
    """The same by one kernel call: the queries stand once before every segment of keys."""
    count, segments = query.shape[0], len(lengths)
    queries = query.view(count, heads, -1).repeat(segments, 1, 1)
    keys, values = (tensor.view(len(tensor), heads, -1) for tensor in (key, value))
    ends = (
        segment.cumulative([count] * segments, key.device),
        segment.cumulative(lengths, key.device),
    )
    mixed = varlen(queries, keys, values, ends, (count, max(lengths)))
    return mixed.reshape(segments, count, -1)


def pool_group(queries: Tensor, key: Tensor, value: Tensor, group: segment.LengthGroup) -> Tensor:
    """Segments of one length as one batch; queries [heads, Q, head width] to [count, Q, W]."""
    heads, count, width = queries.shape
    shape = (group.count, group.length, heads, width)
    mixed = F.scaled_dot_product_attention(
        queries.expand(group.count, -1, -1, -1),
        key[group.start : group.stop].view(shape).transpose(1, 2),
        value[group.start : group.stop].view(shape).transpose(1, 2),
    )
    return mixed.transpose(1, 2).reshape(group.count, count, heads * width)
