"""A batch in micro-batches: some packs each, with the answer tokens that a loss is taken of.

Shapes: B packs, T tokens of a pack, N = B · T, A answer tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..corruption import Level
from .stream.collate import Batch
from .stream.sample import IGNORED

LEVELS = tuple(str(level) for level in Level)
TASKS = ("read", "restore", "record", "lost")


class MicroBatch(NamedTuple):
    """Some packs of a batch, ready for the model."""

    input_ids: Tensor
    """int64 [B, T]."""
    position_ids: Tensor
    """int64 [B, T]."""
    pixel_values: Tensor | None
    tgt_sizes: Tensor | None
    image_positions: Tensor | None
    """int64, which of the N positions hold image tokens; None where the model is to look."""
    lengths: tuple[int, ...]
    """Tokens of every sample, packs end to end; a pack's filling counts as one."""
    positions: Tensor
    """int64 [A], which of the N positions predicts each answer token."""
    targets: Tensor
    """int64 [A]."""
    weights: Tensor
    """float32 [A]."""
    levels: Tensor
    """int64 [A], 0 clean to 3 heavy, -1 for none."""
    tasks: Tensor
    """int64 [A], index in `TASKS`."""
    samples: Tensor
    """int64 [A], index in `keys`."""
    keys: tuple[str, ...]
    """Of the samples."""
    sample_lengths: tuple[int, ...]
    """Tokens of every sample, without what packs are filled up with."""

    def to(self, device: torch.device) -> MicroBatch:
        """The same on another device."""
        moved: list[Any] = [
            value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
            for value in self
        ]
        # Sizes are read on the CPU: fetching them back would wait for the device.
        return MicroBatch(*moved)._replace(tgt_sizes=self.tgt_sizes)


@dataclass(frozen=True, slots=True)
class StepTotals:
    """What all ranks and micro-batches of a step share, known before any of them is computed."""

    weight: float
    """Sum of the weights of all answer tokens."""
    chunks: tuple[int, ...]
    """Pieces in which each micro-batch gets its logits, the same on every rank."""


def micro_batches(batch: Batch, packs: int, image_token: int | None = None) -> Iterator[MicroBatch]:
    """A batch in parts of at most so many packs.

    Args:
        batch: of one rank.
        packs: of a micro-batch at most.
        image_token: its id; None leaves the search for it to the model.
    """
    pack_count, budget = batch.input_ids.shape
    sample_tiles = batch.num_tiles.tolist()
    ends = batch.cu_seqlens.tolist()
    sample = tile = segment = 0
    for start in range(0, pack_count, packs):
        stop = min(start + packs, pack_count)
        samples = sum(map(len, batch.keys[start:stop]))
        tiles = sum(sample_tiles[sample : sample + samples])
        first = segment
        while ends[segment] < stop * budget:
            segment += 1
        lengths = tuple(ends[index + 1] - ends[index] for index in range(first, segment))
        yield micro_batch(
            batch, slice(start, stop), slice(tile, tile + tiles), lengths, image_token
        )
        sample, tile = sample + samples, tile + tiles


def micro_batch(
    batch: Batch,
    packs: slice,
    tiles: slice,
    lengths: tuple[int, ...],
    image_token: int | None = None,
) -> MicroBatch:
    """One part of a batch.

    Args:
        batch: of one rank.
        packs: its packs.
        tiles: the slices of pictures of these packs.
        lengths: tokens of every sample and filling in them.
        image_token: its id; None leaves the search for it to the model.
    """
    labels, budget = batch.labels[packs], batch.input_ids.shape[1]
    targets = labels[:, 1:]
    row, column = torch.nonzero(targets != IGNORED, as_tuple=True)
    sample_of_token, sample_lengths = samples_of_tokens(batch, packs, lengths)
    task_of_sample = [TASKS.index(task) for tasks in batch.tasks_of_packs[packs] for task in tasks]
    positions = row * budget + column
    samples = sample_of_token[positions + 1]
    has_tiles = tiles.stop > tiles.start
    pixel_values, tgt_sizes = batch.pixel_values, batch.tgt_sizes
    return MicroBatch(
        input_ids=batch.input_ids[packs],
        position_ids=batch.position_ids[packs],
        pixel_values=pixel_values[tiles] if has_tiles and pixel_values is not None else None,
        tgt_sizes=tgt_sizes[tiles] if has_tiles and tgt_sizes is not None else None,
        image_positions=positions_of(batch.input_ids[packs], image_token),
        lengths=lengths,
        positions=positions,
        targets=targets[row, column],
        weights=batch.loss_weights[packs][:, 1:][row, column],
        levels=batch.levels[packs][:, 1:][row, column].long(),
        tasks=torch.tensor(task_of_sample or [0])[samples],
        samples=samples,
        keys=tuple(key for keys in batch.keys[packs] for key in keys),
        sample_lengths=tuple(sample_lengths),
    )


def positions_of(input_ids: Tensor, token: int | None) -> Tensor | None:
    """Where a token stands in the flattened ids; None where none is asked for."""
    return None if token is None else torch.nonzero(input_ids.flatten() == token)[:, 0]


def samples_of_tokens(
    batch: Batch, packs: slice, lengths: tuple[int, ...]
) -> tuple[Tensor, list[int]]:
    """The sample of every token, int64 [N], and tokens of every sample.

    The filling of a pack goes to its last sample; nothing is learned there.
    """
    budget = batch.input_ids.shape[1]
    repeats: list[int] = []
    sample_lengths: list[int] = []
    remaining = iter(lengths)
    for keys in batch.keys[packs]:
        in_pack = [next(remaining) for _ in keys]
        sample_lengths += in_pack
        filling = budget - sum(in_pack)
        repeats += in_pack
        if filling:
            next(remaining)
            repeats[-1] += filling
    indices = torch.arange(len(sample_lengths))
    return indices.repeat_interleave(torch.tensor(repeats)), sample_lengths
