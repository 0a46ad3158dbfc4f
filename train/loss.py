"""What is learned from a batch: one loss, and figures by level, by task and by sample.

Only tokens with a label get logits, a few thousand at a time, and those are computed again in the
backward pass: logits of a whole pack never exist. Losses are summed with the weights that samples
carry and divided by the weights of the whole step, over all ranks and micro-batches, so that
neither their number nor their order changes what is learned.

Shapes: B packs, T tokens of a pack, N = B · T, A answer tokens, W width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..corruption import Level
from ..model.packed import PACKED, packed_inputs
from .stream.collate import Batch
from .stream.sample import IGNORED

LEVELS = tuple(str(level) for level in Level)
TASKS = ("read", "restore", "record", "lost")
GROUPS = (*LEVELS, *TASKS)
"""What losses are told by."""


class MicroBatch(NamedTuple):
    """Some packs of a batch, ready for the model."""

    input_ids: Tensor
    """int64 [B, T]."""
    position_ids: Tensor
    """int64 [B, T]."""
    pixel_values: Tensor | None
    tgt_sizes: Tensor | None
    pictures: Tensor | None
    """int64, which of the N positions hold image tokens; None where the model is to look."""
    lengths: tuple[int, ...]
    """Tokens of every sample, packs end to end; a pack's filling counts as one."""
    places: Tensor
    """int64 [A], which of the N positions predicts each answer token."""
    targets: Tensor
    """int64 [A]."""
    weights: Tensor
    """float32 [A]."""
    levels: Tensor
    """int64 [A], 0 clean to 3 heavy, -1 for none."""
    tasks: Tensor
    """int64 [A], place in `TASKS`."""
    samples: Tensor
    """int64 [A], place in `keys`."""
    keys: tuple[str, ...]
    """Of the samples."""
    sample_lengths: tuple[int, ...]
    """Tokens of every sample, without what packs are filled up with."""

    def to(self, device: torch.device) -> MicroBatch:
        """The same on another device."""
        moved: list[Any] = [
            one.to(device, non_blocking=True) if isinstance(one, Tensor) else one for one in self
        ]
        # Sizes are read on the CPU: fetching them back would wait for the device.
        return MicroBatch(*moved)._replace(tgt_sizes=self.tgt_sizes)


class MicroResult(NamedTuple):
    """What a forward pass says."""

    loss: Tensor
    """To be reduced: the weighted sum over the step's weights."""
    groups: Tensor
    """float64 [len(GROUPS) + 1, 3]: sums of loss, of hits, and tokens, by group and in all."""
    samples: Tensor
    """float32 [samples, 2]: sum of loss, and tokens, of each."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What all ranks and micro-batches of a step share, known before any of them is computed."""

    weight: float
    """Sum of the weights of all answer tokens."""
    chunks: tuple[int, ...]
    """Pieces in which each micro-batch gets its logits, the same on every rank."""


def micros(batch: Batch, packs: int, image_token: int | None = None) -> Iterator[MicroBatch]:
    """A batch in parts of at most so many packs.

    Args:
        batch: of one rank.
        packs: of a part at most.
        image_token: its id; None leaves the search for it to the model.
    """
    count, budget = batch.input_ids.shape
    slices_of = batch.num_tiles.tolist()
    ends = batch.cu_seqlens.tolist()
    sample, tile, segment = 0, 0, 0
    for start in range(0, count, packs):
        stop = min(start + packs, count)
        own = batch.keys[start:stop]
        samples = sum(map(len, own))
        tiles = sum(slices_of[sample : sample + samples])
        first = segment
        while ends[segment] < stop * budget:
            segment += 1
        lengths = tuple(ends[one + 1] - ends[one] for one in range(first, segment))
        yield micro(batch, slice(start, stop), slice(tile, tile + tiles), lengths, image_token)
        sample, tile = sample + samples, tile + tiles


def micro(
    batch: Batch,
    packs: slice,
    tiles: slice,
    lengths: tuple[int, ...],
    image_token: int | None = None,
) -> MicroBatch:
    """One part of a batch; the arguments of `micros`."""
    labels, budget = batch.labels[packs], batch.input_ids.shape[1]
    targets = labels[:, 1:]
    row, column = torch.nonzero(targets != IGNORED, as_tuple=True)
    owner, kept = owners(batch, packs, lengths)
    tasks = [TASKS.index(task) for own in batch.tasks_of_packs[packs] for task in own]
    places = row * budget + column
    samples = owner[places + 1]
    shown = batch.pixel_values is not None and tiles.stop > tiles.start
    return MicroBatch(
        input_ids=batch.input_ids[packs],
        position_ids=batch.position_ids[packs],
        pixel_values=batch.pixel_values[tiles]
        if shown and batch.pixel_values is not None
        else None,
        tgt_sizes=batch.tgt_sizes[tiles] if shown and batch.tgt_sizes is not None else None,
        pictures=places_of(batch.input_ids[packs], image_token),
        lengths=lengths,
        places=places,
        targets=targets[row, column],
        weights=batch.loss_weights[packs][:, 1:][row, column],
        levels=batch.levels[packs][:, 1:][row, column].long(),
        tasks=torch.tensor(tasks or [0])[samples],
        samples=samples,
        keys=tuple(key for own in batch.keys[packs] for key in own),
        sample_lengths=tuple(kept),
    )


def places_of(input_ids: Tensor, token: int | None) -> Tensor | None:
    """Where a token stands in the flattened ids; None where none is asked for."""
    return None if token is None else torch.nonzero(input_ids.flatten() == token)[:, 0]


def owners(batch: Batch, packs: slice, lengths: tuple[int, ...]) -> tuple[Tensor, list[int]]:
    """The sample of every token, int64 [N], and tokens of every sample.

    The filling of a pack goes to its last sample; nothing is learned there.
    """
    budget = batch.input_ids.shape[1]
    repeats: list[int] = []
    kept: list[int] = []
    rest = iter(lengths)
    for own in batch.keys[packs]:
        samples = [next(rest) for _ in own]
        kept += samples
        filling = budget - sum(samples)
        repeats += samples
        if filling:
            next(rest)
            repeats[-1] += filling
    return torch.arange(len(kept)).repeat_interleave(torch.tensor(repeats)), kept


class PackedLoss(nn.Module):
    """A model with its loss.

    Args:
        model: a `PagemillForConditionalGeneration`.
        chunk_tokens: answer tokens whose logits exist at once.
    """

    def __init__(self, model: Any, *, chunk_tokens: int) -> None:
        super().__init__()
        self.model = model
        self.chunk_tokens = chunk_tokens

    def forward(self, part: MicroBatch, totals_weight: float, chunks: int) -> MicroResult:
        """The share of a part in the step's loss.

        Args:
            part: on the model's device.
            totals_weight: sum of the weights of all answer tokens of the step.
            chunks: pieces in which logits are made, the same on every rank.
        """
        hidden = self.hidden(part).flatten(0, 1)[part.places]
        losses, hits = self.token_losses(hidden, part.targets, chunks)
        weighted = torch.where(part.weights > 0, losses * part.weights, 0)
        with torch.no_grad():
            told = losses.detach().double()
            groups = by_group(told, hits, part.levels, part.tasks)
            samples = by_sample(told, part.samples, len(part.keys))
        return MicroResult(weighted.sum() / max(totals_weight, 1e-30), groups, samples)

    def hidden(self, part: MicroBatch) -> Tensor:
        """What the language model makes of every token, [B, T, W]."""
        model = self.model
        features = None
        if part.pixel_values is not None:
            features = model.encode_images(part.pixel_values, part.tgt_sizes)
        embeds = model.embed_touching(part.input_ids, features, features is None, part.pictures)
        decoder = model.get_decoder()
        implementation = model.language_model.config._attn_implementation
        if implementation == PACKED:
            rows = embeds.reshape(1, -1, embeds.shape[-1])
            given = packed_inputs(part.lengths, embeds.device)
            out = decoder(
                inputs_embeds=rows,
                position_ids=part.position_ids.reshape(1, -1),
                use_cache=False,
                **given,
            )
            packed: Tensor = out.last_hidden_state.view(embeds.shape)
            return packed
        out = decoder(inputs_embeds=embeds, position_ids=part.position_ids, use_cache=False)
        found: Tensor = out.last_hidden_state
        return found

    def token_losses(self, hidden: Tensor, targets: Tensor, chunks: int) -> tuple[Tensor, Tensor]:
        """(loss, whether the target was the likeliest) of every answer token, [A] each."""
        parts = [
            checkpoint(self.chunk, *both, use_reentrant=False)
            if torch.is_grad_enabled()
            else self.chunk(*both)
            for both in zip(hidden.tensor_split(chunks), targets.tensor_split(chunks), strict=True)
        ]
        return torch.cat([loss for loss, _ in parts]), torch.cat([hit for _, hit in parts])

    def chunk(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The same for some tokens; the only place where logits exist."""
        logits = self.model.get_output_embeddings()(hidden).float()
        return (
            F.cross_entropy(logits, targets, reduction="none"),
            logits.detach().argmax(-1) == targets,
        )


def by_group(losses: Tensor, hits: Tensor, levels: Tensor, tasks: Tensor) -> Tensor:
    """Sums by level, by task and in all: float64 [len(GROUPS) + 1, 3]."""
    each = torch.stack([losses, hits.double(), torch.ones_like(losses)], 1)
    sums = each.new_zeros(len(GROUPS) + 2, 3)
    none = len(GROUPS) + 1
    sums.index_add_(0, torch.where(levels >= 0, levels, none), each)
    sums.index_add_(0, tasks + len(LEVELS), each)
    sums[len(GROUPS)] = each.sum(0)
    return sums[:none]


def by_sample(losses: Tensor, samples: Tensor, count: int) -> Tensor:
    """Sum of loss and number of tokens of every sample: float32 [samples, 2]."""
    sums = losses.new_zeros(max(count, 1), 2)
    sums.index_add_(0, samples, torch.stack([losses, torch.ones_like(losses)], 1))
    return sums.float()
