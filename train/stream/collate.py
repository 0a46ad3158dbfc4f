"""Packs of samples as tensors: what one rank learns from in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .sample import IGNORED, NO_LEVEL, TrainingSample


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one rank learns from in one step; B packs of T tokens."""

    input_ids: Tensor
    """int64 [B, T], padded behind the samples."""
    labels: Tensor
    """int64 [B, T], -100 where nothing is learned."""
    position_ids: Tensor
    """int64 [B, T]: every sample, and the padding, starts again at 0."""
    levels: Tensor
    """int8 [B, T]: level of an answer's text, 0 clean to 3 heavy, -1 elsewhere."""
    loss_weights: Tensor
    """float32 [B, T]."""
    pixel_values: Tensor | None
    """[slices, patches, 3 · p · p] of all packs in order; None where there is no picture."""
    tgt_sizes: Tensor | None
    num_tiles: Tensor
    """int64 [samples]: slices of each."""
    cu_seqlens: Tensor
    """int32: where samples begin in the packs laid end to end, padding counted as one."""
    keys: tuple[tuple[str, ...], ...]
    """Page keys of each pack."""
    tasks_of_packs: tuple[tuple[str, ...], ...]
    """Task of each sample of each pack; `lost` where it could not be read."""
    failures: tuple[str, ...]
    """What was wrong with those."""

    @property
    def inputs(self) -> dict[str, Tensor]:
        """The arguments of the model's forward."""
        given = {
            "input_ids": self.input_ids,
            "labels": self.labels,
            "position_ids": self.position_ids,
            "pixel_values": self.pixel_values,
            "tgt_sizes": self.tgt_sizes,
        }
        return {name: value for name, value in given.items() if value is not None}

    def pin_memory(self) -> Batch:
        """The same in pinned memory; DataLoader calls it."""
        pinned: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            pinned[name] = value.pin_memory() if isinstance(value, Tensor) else value
        return Batch(**pinned)


def collate(
    packs: Sequence[Sequence[TrainingSample]], budget: int, pad: int, failures: tuple[str, ...]
) -> Batch:
    """Packs as tensors, each filled up to the budget."""
    shape = (len(packs), budget)
    ids = np.full(shape, pad, dtype=np.int64)
    labels = np.full(shape, IGNORED, dtype=np.int64)
    levels = np.full(shape, NO_LEVEL, dtype=np.int8)
    weights = np.zeros(shape, dtype=np.float32)
    positions = np.zeros(shape, dtype=np.int64)
    starts = [0]
    for number, pack in enumerate(packs):
        at = 0
        for sample in pack:
            stop = at + len(sample.input_ids)
            ids[number, at:stop] = sample.input_ids
            labels[number, at:stop] = sample.labels
            labels[number, at] = IGNORED
            levels[number, at:stop] = sample.levels
            weights[number, at:stop] = sample.weights
            positions[number, at:stop] = np.arange(stop - at)
            starts.append(number * budget + stop)
            at = stop
        positions[number, at:] = np.arange(budget - at)
        if at < budget:
            starts.append((number + 1) * budget)
    samples = [sample for pack in packs for sample in pack]
    pixels, sizes = stack_slices(samples)
    return Batch(
        input_ids=torch.from_numpy(ids),
        labels=torch.from_numpy(labels),
        position_ids=torch.from_numpy(positions),
        levels=torch.from_numpy(levels),
        loss_weights=torch.from_numpy(weights),
        pixel_values=pixels,
        tgt_sizes=sizes,
        num_tiles=torch.tensor([len(sample.tgt_sizes) for sample in samples]),
        cu_seqlens=torch.tensor(starts, dtype=torch.int32),
        keys=tuple(tuple(sample.key for sample in pack) for pack in packs),
        tasks_of_packs=tuple(tuple(sample.task for sample in pack) for pack in packs),
        failures=failures,
    )


def stack_slices(samples: Sequence[TrainingSample]) -> tuple[Tensor | None, Tensor | None]:
    """The slices of all samples, each filled up with zeros to the longest."""
    pictured = [sample for sample in samples if len(sample.tgt_sizes)]
    if not pictured:
        return None, None
    total = sum(len(sample.tgt_sizes) for sample in pictured)
    longest = max(sample.pixel_values.shape[1] for sample in pictured)
    first = pictured[0].pixel_values
    pixels = np.zeros((total, longest, first.shape[2]), dtype=first.dtype)
    at = 0
    for sample in pictured:
        count, patches, _ = sample.pixel_values.shape
        pixels[at : at + count, :patches] = sample.pixel_values
        at += count
    sizes = np.concatenate([sample.tgt_sizes for sample in pictured])
    return torch.from_numpy(pixels), torch.from_numpy(sizes)
