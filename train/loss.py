"""What is learned from a batch: one loss, and sums by level, by task and by sample.

Only tokens with a label get logits, a few thousand at a time, and those are computed again in the
backward pass: logits of a whole pack never exist. Losses are summed with the weights that samples
carry and divided by the weights of the whole step, over all ranks and micro-batches, so that
neither their number nor their order changes what is learned.

Shapes: B packs, T tokens of a pack, N = B · T, A answer tokens, W width.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..model.packed import PACKED, packed_inputs
from .micro_batch import LEVELS, TASKS, MicroBatch

GROUPS = (*LEVELS, *TASKS)
"""What losses are summed by."""


class MicroResult(NamedTuple):
    """What a forward pass gives."""

    loss: Tensor
    """To be reduced: the weighted sum over the step's weights."""
    group_sums: Tensor
    """float64 [len(GROUPS) + 1, 3]: sums of loss, of hits, and tokens, by group and in all."""
    sample_sums: Tensor
    """float32 [samples, 2]: sum of loss, and tokens, of each."""


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

    def forward(self, micro_batch: MicroBatch, total_weight: float, chunks: int) -> MicroResult:
        """The share of a micro-batch in the step's loss.

        Args:
            micro_batch: on the model's device.
            total_weight: sum of the weights of all answer tokens of the step.
            chunks: pieces in which logits are made, the same on every rank.
        """
        hidden = self.hidden_states(micro_batch).flatten(0, 1)[micro_batch.positions]
        losses, hits = self.token_losses(hidden, micro_batch.targets, chunks)
        weighted = torch.where(micro_batch.weights > 0, losses * micro_batch.weights, 0)
        with torch.no_grad():
            detached = losses.detach().double()
            groups = sums_by_group(detached, hits, micro_batch.levels, micro_batch.tasks)
            samples = sums_by_sample(detached, micro_batch.samples, len(micro_batch.keys))
        return MicroResult(weighted.sum() / max(total_weight, 1e-30), groups, samples)

    def hidden_states(self, micro_batch: MicroBatch) -> Tensor:
        """What the language model makes of every token, [B, T, W]."""
        model = self.model
        features = None
        if micro_batch.pixel_values is not None:
            features = model.encode_images(micro_batch.pixel_values, micro_batch.tgt_sizes)
        embeds = model.embed_touching(
            micro_batch.input_ids, features, features is None, micro_batch.image_positions
        )
        decoder = model.get_decoder()
        if model.language_model.config._attn_implementation == PACKED:
            output = decoder(
                inputs_embeds=embeds.reshape(1, -1, embeds.shape[-1]),
                position_ids=micro_batch.position_ids.reshape(1, -1),
                use_cache=False,
                **packed_inputs(micro_batch.lengths, embeds.device),
            )
        else:
            output = decoder(
                inputs_embeds=embeds, position_ids=micro_batch.position_ids, use_cache=False
            )
        hidden: Tensor = output.last_hidden_state.view(embeds.shape)
        return hidden

    def token_losses(self, hidden: Tensor, targets: Tensor, chunks: int) -> tuple[Tensor, Tensor]:
        """(loss, whether the target was the likeliest) of every answer token, [A] each."""
        pairs = zip(hidden.tensor_split(chunks), targets.tensor_split(chunks), strict=True)
        results = [
            checkpoint(self.chunk_losses, *pair, use_reentrant=False)
            if torch.is_grad_enabled()
            else self.chunk_losses(*pair)
            for pair in pairs
        ]
        return torch.cat([loss for loss, _ in results]), torch.cat([hit for _, hit in results])

    def chunk_losses(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The same for some tokens; the only place where logits exist."""
        logits = self.model.get_output_embeddings()(hidden).float()
        return (
            F.cross_entropy(logits, targets, reduction="none"),
            logits.detach().argmax(-1) == targets,
        )


def sums_by_group(losses: Tensor, hits: Tensor, levels: Tensor, tasks: Tensor) -> Tensor:
    """Sums by level, by task and in all: float64 [len(GROUPS) + 1, 3]."""
    figures = torch.stack([losses, hits.double(), torch.ones_like(losses)], 1)
    sums = figures.new_zeros(len(GROUPS) + 2, 3)
    no_level = len(GROUPS) + 1
    sums.index_add_(0, torch.where(levels >= 0, levels, no_level), figures)
    sums.index_add_(0, tasks + len(LEVELS), figures)
    sums[len(GROUPS)] = figures.sum(0)
    return sums[:no_level]


def sums_by_sample(losses: Tensor, samples: Tensor, count: int) -> Tensor:
    """Sum of loss and number of tokens of every sample: float32 [samples, 2]."""
    sums = losses.new_zeros(max(count, 1), 2)
    sums.index_add_(0, samples, torch.stack([losses, torch.ones_like(losses)], 1))
    return sums.float()
