"""Attention inside segments of any lengths by one kernel call: GPUs, half precision.

Elsewhere segments of equal length go together as batches (`segment`).
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

HALF = (torch.bfloat16, torch.float16)


def usable(tensor: Tensor) -> bool:
    """Whether the kernel takes tensors like this one."""
    return tensor.is_cuda and tensor.dtype in HALF and kernel() is not None


@lru_cache(maxsize=1)
def kernel() -> Any | None:
    """torch's kernel, or None in versions before it."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return varlen_attn


@lru_cache(maxsize=8)
def options(call: Any, causal: bool, grouped: bool) -> dict[str, Any]:
    """What tells the kernel so, in the words of its version.

    Args:
        call: the kernel.
        causal: whether a position sees only those before it in its segment.
        grouped: whether there are fewer key heads than query heads.
    """
    accepted = inspect.signature(call).parameters
    options: dict[str, Any] = {}
    if causal:
        options.update(
            {"window_size": (-1, 0)} if "window_size" in accepted else {"is_causal": True}
        )
    if grouped and "enable_gqa" in accepted:
        options["enable_gqa"] = True
    return options


def varlen(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    ends: tuple[Tensor, Tensor],
    longest: tuple[int, int],
    *,
    causal: bool = False,
    scaling: float | None = None,
) -> Tensor:
    """Every segment of queries mixes the values of its own segment; [N, heads, head width].

    Args:
        query: [N, heads, head width], segments end to end.
        key: [M, key heads, head width]; heads are a multiple of key heads.
        value: as the key.
        ends: of segments of queries and of keys, summed up: int32 [segments + 1] each.
        longest: segment of queries, and of keys.
        causal: whether a position sees only those before it; both have the same ends then.
        scaling: factor of the scores; None for one over the root of the head width.
    """
    call = kernel()
    assert call is not None
    repeats = query.shape[1] // key.shape[1]
    extra = options(call, causal, repeats > 1)
    if repeats > 1 and "enable_gqa" not in extra:
        key, value = (tensor.repeat_interleave(repeats, 1) for tensor in (key, value))
    if scaling is not None and scaling != query.shape[2] ** -0.5:
        query = query * (scaling * query.shape[2] ** 0.5)
    mixed = call(query, key, value, *ends, *longest, **extra)
    assert isinstance(mixed, Tensor)
    return mixed
