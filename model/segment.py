"""Sequences of different lengths, laid end to end without padding, and attention inside each.

Segments of equal length are computed as one batch: no mask, no padding, nothing to leak.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class LengthGroup:
    """Segments of one length that stand next to each other."""

    start: int
    count: int
    length: int

    @property
    def stop(self) -> int:
        """One past the last position."""
        return self.start + self.count * self.length


def by_length(lengths: Sequence[int]) -> list[int]:
    """Segment numbers with equal lengths side by side; their order is kept otherwise."""
    seen: dict[int, list[int]] = defaultdict(list)
    for number, length in enumerate(lengths):
        seen[length].append(number)
    return [number for numbers in seen.values() for number in numbers]


def groups(lengths: Sequence[int]) -> list[LengthGroup]:
    """Runs of equal lengths in this order; empty segments are left out."""
    runs: list[LengthGroup] = []
    start = 0
    for length in lengths:
        if runs and runs[-1].length == length:
            last = runs[-1]
            runs[-1] = LengthGroup(last.start, last.count + 1, length)
        elif length:
            runs.append(LengthGroup(start, 1, length))
        start += length
    return runs


def gather_index(starts: Sequence[int], lengths: Sequence[int], device: torch.device) -> Tensor:
    """Positions start, start + 1, … of every segment, end to end; int64 [sum of lengths]."""
    total = sum(lengths)
    sizes = torch.tensor(lengths, dtype=torch.int64)
    begins = torch.tensor(starts, dtype=torch.int64)
    before = sizes.cumsum(0) - sizes
    index = torch.arange(total) + (begins - before).repeat_interleave(sizes)
    return onto(index, device)


def cumulative(lengths: Sequence[int], device: torch.device) -> Tensor:
    """0, then the running sum: int32 [segments + 1], as flash attention takes it."""
    ends = torch.tensor([0, *lengths], dtype=torch.int64).cumsum(0)
    return onto(ends.to(torch.int32), device)


def onto(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of the CPU on another device; a GPU is not waited for."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
