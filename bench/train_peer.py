"""The trainer against transformers' `Trainer`: the same samples, in turns.

Both sides learn from the same samples, with the same weights, optimizer and precision, and have
them ready in memory. The peer gets them as people give them to `Trainer`: one sample a row, filled
up to the longest of the batch, pictures filled up to the largest slice, logits of every token. Our
step follows each of the peer's inside the same loop, so that a machine whose speed moves hits both
alike. Only tokens of samples count, on either side.
"""

from __future__ import annotations

import copy
import math
import random
import statistics
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from pagemill.model.packed import PACKED
from pagemill.train.recipe import Recipe
from pagemill.train.stream.collate import Batch
from pagemill.train.stream.sample import IGNORED
from pagemill.train.trainer import Trainer as PagemillTrainer
from record import Measure
from train_steps import now, prepared_trainer, whole_step
from transformers import Trainer, TrainerCallback, TrainingArguments

PEERS = {
    "mixed": "rows padded",
    "sorted": "rows padded, sorted by length",
    "one": "one row at a time",
}

Row = dict[str, torch.Tensor]


def samples_text(samples: Sequence[Row]) -> str:
    """What the samples of a round are."""
    lengths = [len(one["input_ids"]) for one in samples]
    answers = sum(int((one["labels"] != IGNORED).sum()) for one in samples)
    return (
        f"{len(samples)} samples of {min(lengths)} to {max(lengths)} tokens, median "
        f"{statistics.median(lengths):.0f}; {100 * answers / sum(lengths):.0f} % of their tokens "
        "are answers."
    )


def against_trainer(
    recipe: Recipe, root: Path, device: torch.device, block: int, rounds: int
) -> tuple[list[Measure], str]:
    """Useful tokens a second on both sides, round by round; and what the samples are."""
    run, batches = prepared_trainer(recipe, root / "packed", device, block)
    samples = [row for batch in batches for row in rows(batch)]
    packs = block * recipe.stream.pack.global_packs
    tokens = sum(len(one["input_ids"]) for one in samples)
    mixed = random.Random(0).sample(samples, len(samples))
    by_length = sorted(samples, key=lambda one: len(one["input_ids"]))
    given = {
        "mixed": shares(mixed, packs),
        "sorted": random.Random(0).sample(shares(by_length, packs), packs),
        "one": shares(mixed, len(mixed)),
    }
    ours: list[float] = []
    measures, ratios = [], []
    for name, parts in given.items():
        pad = int(run.processor.tokenizer.pad_token_id)
        filled = [padded(part, pad) for part in parts]
        turns = take_turns(run, batches, filled, rounds, root / name)
        ours += [tokens / own for own, _ in turns]
        measures.append(
            Measure(
                f"Trainer: {PEERS[name]}", "useful tokens/s", [tokens / one for _, one in turns]
            )
        )
        if name != "one":
            room = sum(one["input_ids"].numel() for one in filled)
            measures.append(
                Measure(f"Trainer: {PEERS[name]}: padding", "%", [100 * (1 - tokens / room)])
            )
        ratios.append(
            Measure(
                f"useful tokens/s over transformers' Trainer: {PEERS[name]}", "x",
                [peer / own for own, peer in turns],
                ">= 1.5" if name == "mixed" else "", headline=name == "mixed",
            )
        )  # fmt: skip
    room = sum(batch.input_ids.numel() for batch in batches)
    own = [
        Measure("this trainer", "useful tokens/s", ours),
        Measure("this trainer: padding of packs", "%", [100 * (1 - tokens / room)]),
    ]
    run.log.end(0, "done", "", 0.0)
    return [*ratios, *own, *measures], samples_text(samples)


def shares(samples: Sequence[Row], count: int) -> list[Sequence[Row]]:
    """The samples in so many parts of nearly the same number."""
    ends = [round(at * len(samples) / count) for at in range(count + 1)]
    return [samples[first:stop] for first, stop in pairwise(ends)]


class Turns(TrainerCallback):
    """Seconds of every step of `Trainer`, and of one of ours that follows it."""

    def __init__(self, run: PagemillTrainer, batches: Sequence[Batch]) -> None:
        self.run, self.batches = run, batches
        self.began = 0.0
        self.peer: list[float] = []
        self.ours: list[float] = []

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        """The first step begins."""
        self.began = now(self.run)

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        """Note the time, take our turn."""
        self.peer.append(now(self.run) - self.began)
        self.ours.append(whole_step(self.run, self.batches[len(self.ours) % len(self.batches)]))
        self.began = now(self.run)


def take_turns(
    run: PagemillTrainer, batches: Sequence[Batch], given: Sequence[Row], rounds: int, folder: Path
) -> list[tuple[float, float]]:
    """(our seconds, the peer's seconds) of every round over the same samples; the first is lost.

    Raises:
        ValueError: the samples are too few to fill the steps of a round.
    """
    block, optim, gpu = len(batches), run.recipe.optim, run.ranks.device.type == "cuda"
    at_once = math.ceil(len(given) / block)
    if math.ceil(len(given) / at_once) != block:
        raise ValueError(f"{len(given)} batches of the peer do not make {block} steps")
    model = copy.deepcopy(run.backend.model).float()
    model.language_model.set_attn_implementation("sdpa")
    assert run.backend.model.language_model.config._attn_implementation == PACKED
    turns = Turns(run, batches)
    arguments = TrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=1,
        gradient_accumulation_steps=at_once, max_steps=block * (rounds + 1),
        learning_rate=optim.lr, weight_decay=optim.weight_decay,
        adam_beta1=optim.beta1, adam_beta2=optim.beta2, adam_epsilon=optim.eps,
        max_grad_norm=optim.clip, bf16=gpu, use_cpu=not gpu,
        optim="adamw_torch_fused" if gpu else "adamw_torch", report_to=[], save_strategy="no",
        logging_strategy="no", disable_tqdm=True, remove_unused_columns=False,
        dataloader_pin_memory=gpu, train_sampling_strategy="sequential",
        lr_scheduler_type="constant_with_warmup", warmup_steps=100,
    )  # fmt: skip
    Trainer(
        model=model, args=arguments, train_dataset=list(given), callbacks=[turns],
        data_collator=lambda rows: rows[0],
    ).train()  # fmt: skip
    return [
        (sum(turns.ours[at : at + block]), sum(turns.peer[at : at + block]))
        for at in range(block, block * (rounds + 1), block)
    ]


def rows(batch: Batch) -> list[Row]:
    """The samples of a batch, one by one."""
    ends, tiles, found = batch.cu_seqlens.tolist(), batch.num_tiles.tolist(), []
    ids, labels, budget = batch.input_ids.flatten(), batch.labels.flatten(), batch.labels.shape[1]
    assert batch.pixel_values is not None
    assert batch.tgt_sizes is not None
    segment = first = 0
    for pack, keys in enumerate(batch.keys):
        for _ in keys:
            own, shown = (
                slice(*ends[segment : segment + 2]),
                slice(first, first + tiles[len(found)]),
            )
            found.append(
                {
                    "input_ids": ids[own],
                    "labels": labels[own],
                    "pixel_values": batch.pixel_values[shown],
                    "tgt_sizes": batch.tgt_sizes[shown],
                }
            )
            segment, first = segment + 1, shown.stop
        if ends[segment] < (pack + 1) * budget:  # what the pack is filled up with
            segment += 1
    return found


def padded(given: Sequence[Row], pad: int) -> Row:
    """Rows filled up to the longest, pictures to the largest slice, as collators do."""
    longest = max(len(one["input_ids"]) for one in given)
    most = max(int(one["tgt_sizes"].prod(1).max()) for one in given)

    def filled(tensors: Sequence[torch.Tensor], value: int) -> torch.Tensor:
        return torch.stack([F.pad(one, (0, longest - len(one)), value=value) for one in tensors])

    pixels = [one["pixel_values"][:, :most] for one in given]
    return {
        "input_ids": filled([one["input_ids"] for one in given], pad),
        "labels": filled([one["labels"] for one in given], IGNORED),
        "attention_mask": filled([torch.ones_like(one["input_ids"]) for one in given], 0),
        "pixel_values": torch.cat([F.pad(one, (0, 0, 0, most - one.shape[1])) for one in pixels]),
        "tgt_sizes": torch.cat([one["tgt_sizes"] for one in given]),
    }
