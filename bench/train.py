"""What the trainer gains and costs: against transformers' Trainer, and over the bare step.

python bench/train.py CORPUS [--preset nano|small|base] [--steps N] [--rounds N]
python bench/train.py CORPUS --preset base --device cuda

Both sides learn from the same samples, with the same weights, optimizer and precision, and have
them ready in memory. The peer gets them as people give them to `Trainer`: one sample a row, filled
up to the longest of the batch, pictures filled up to the largest slice, logits of every token. Our
step follows each of the peer's inside the same loop, so that a machine whose speed moves hits both
alike. Only tokens of samples count, on either side.
"""

from __future__ import annotations

import argparse
import copy
import gc
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pagemill.train.trainer as trainer_module
import torch
import torch.nn.functional as F
from pagemill.model.packed import PACKED
from pagemill.model.vocabulary import shipped
from pagemill.train.log.journal import LOG, read
from pagemill.train.log.run_log import StepProgress
from pagemill.train.micro_batch import micro_batches
from pagemill.train.optimizer import gradient_norm, set_lr
from pagemill.train.ranks import Ranks
from pagemill.train.recipe import Recipe, read_recipe
from pagemill.train.step import exchange_totals, optimizer_step
from pagemill.train.stream.collate import Batch
from pagemill.train.stream.sample import IGNORED
from pagemill.train.trainer import Trainer as PagemillTrainer
from record import Measure, save
from transformers import Trainer, TrainerCallback, TrainingArguments

PAIRS, PAIRS_S = 50, 60.0
"""Most steps of ours beside a bare one, and seconds after which ten are enough."""
SHORT = ("stream.pack.budget_tokens=2048", "stream.pack.budget_slices=24")
"""For these pairs on a CPU: the shorter a step, the more anything beside it weighs."""
RESUMES = 3
SAVES = 4
"""Checkpoints of the whole run whose standstill is measured."""
WARM = 3
"""First steps of the whole run that do not count."""


class Size(NamedTuple):
    """How much of a preset is measured."""

    settings: tuple[str, ...]
    """Of the recipe: a step of a few seconds of one core, or of a GPU."""
    block: int
    """Steps of a round, over the same samples on both sides."""
    rounds: int
    steps: int
    """Of the whole run."""


SIZES = {
    "nano": Size(("model.scale_resolution=224", "stream.pack.global_packs=1"), 4, 3, 25),
    "small": Size(
        ("model.scale_resolution=224", "stream.pack.global_packs=1",
         "stream.pack.budget_tokens=3072", "stream.pack.budget_slices=36"),
        2, 1, 9,
    ),
    "base": Size(("stream.pack.global_packs=8",), 4, 3, 61),
}  # fmt: skip
PEERS = {
    "mixed": "rows padded",
    "sorted": "rows padded, sorted by length",
    "one": "one row at a time",
}

Row = dict[str, torch.Tensor]


def main() -> None:
    """Measure everything, write bench/results/train.json or train-gpu.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--preset", default="nano", choices=sorted(SIZES))
    parser.add_argument("--steps", type=int, help="of the whole run")
    parser.add_argument("--rounds", type=int, help="with each peer")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--only", choices=("trainer", "bare", "run"), help="a part: the peer, the overhead, the MFU"
    )
    arguments = parser.parse_args()
    size = SIZES[arguments.preset]
    arguments.steps = arguments.steps or size.steps
    device = torch.device(arguments.device)
    gpu = device.type == "cuda"
    if not gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "recipe.toml").write_text(f'[model]\npreset = "{arguments.preset}"\n')
        (recipe,) = read_recipe(str(root / "recipe.toml"), overrides(arguments))
        rounds = arguments.rounds or size.rounds
        measures: list[Measure] = []
        note, only = "", arguments.only
        if only in (None, "trainer"):
            measures, note = against_trainer(recipe, root, device, size.block, rounds)
            forget(gpu)
        if only in (None, "bare"):
            (short,) = read_recipe(str(root / "recipe.toml"), [*overrides(arguments), *SHORT])
            measures += over_bare(recipe if gpu else short, root / "pairs", device)
            forget(gpu)
        if only in (None, "run"):
            measures += whole_run(recipe, root / "run", device, arguments.steps)
            forget(gpu)
            measures += resumed(arguments, root / "run")
    for one in measures:
        print(f"{one.what:70} {statistics.median(one.values):12.4g} {one.unit} {one.target}")
    text = notes(recipe, note, size.block, gpu)
    name = "-".join(one for one in ("train", "gpu" if gpu else "", only or "") if one)
    title = "Training on a GPU" if gpu else "Training"
    save(name, f"{title}: {only}" if only else title, measures, notes=text)


def overrides(arguments: argparse.Namespace) -> list[str]:
    """Settings of a preset and a device."""
    gpu = arguments.device == "cuda"
    return [
        f'data.corpora=["{Path(arguments.corpus).resolve()}"]', 'data.names=["bench"]',
        f'model.tokenizer="{shipped()}"',  # of any preset's entries the first are used
        "steps=10000", f"data.workers={12 if gpu else 1}", "eval.at_end=false",
        f"checkpoint.every={max(2, (arguments.steps - 1) // SAVES)}", "checkpoint.keep_best=0",
        f'parallel.dtype="{"bfloat16" if gpu else "float32"}"', "parallel.threads=1",
        *SIZES[arguments.preset].settings, *arguments.set,
    ]  # fmt: skip


def notes(recipe: Recipe, note: str, block: int, gpu: bool) -> str:
    """What was measured on what."""
    pack, slice_px = recipe.stream.pack, recipe.model.scale_resolution or 448
    precision = (
        "bfloat16 (float32 weights behind them; the peer: float32 weights, autocast)"
        if gpu
        else "float32"
    )
    cores = (
        f"one GPU, {recipe.data.workers} workers"
        if gpu
        else "the model on one thread, one worker, so that each has a core"
    )
    return (
        f"{recipe.model.preset}, slices of {slice_px} px, packs of {pack.budget_tokens} tokens, "
        f"{pack.global_packs} a step, {precision}, {cores}. {note} The peer is `Trainer` with the "
        "same class of model, weights, AdamW and samples: rows filled up to the longest of their "
        "batch, an attention mask (sdpa), logits of all tokens and transformers' own loss, all "
        "pictures filled up to the largest slice. Its batches are collated before the clock "
        "starts. As many rows a batch as a pack has samples, and as many batches a step as ours "
        "has packs; `one row at a time` has no filling and as many batches as samples. The tower "
        "is ours on both sides: it drops filled-up patches, which a padded tower computes. "
        f"A ratio is of the seconds for the same samples, by rounds of {block} steps in which the "
        "sides take turns. The bare step is forward, backward, cutting and AdamW with the same "
        "loss on the same packs, without figures, log, guard and exchange; on a CPU with packs of "
        "2048 tokens, since a short step shows more of it. Standstill is all that `save` takes, "
        "waiting for an older checkpoint included. Resume ends with the first step's line in the "
        "log."
    )


def forget(gpu: bool) -> None:
    """Free what was measured, so that the next peak is its own."""
    gc.collect()
    if gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def prepared(
    recipe: Recipe, folder: Path, device: torch.device, count: int
) -> tuple[PagemillTrainer, list[Batch]]:
    """A run that is ready to learn, and so many batches in memory."""
    run = PagemillTrainer(recipe, folder, Ranks(device=device))
    run.prepare()
    run.log.start(0, run.parameters, resumed=False)
    stream = run.stream.batches(pin_memory=device.type == "cuda")
    return run, [next(stream) for _ in range(count)]


def told_of(samples: Sequence[Row]) -> str:
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
    run, batches = prepared(recipe, root / "packed", device, block)
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
        turns = taken_in_turns(run, batches, filled, rounds, root / name)
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
    return [*ratios, *own, *measures], told_of(samples)


def shares(samples: Sequence[Row], count: int) -> list[Sequence[Row]]:
    """The samples in so many parts of nearly the same number."""
    ends = [round(at * len(samples) / count) for at in range(count + 1)]
    return [samples[first:stop] for first, stop in pairwise(ends)]


class Turns(TrainerCallback):
    """Seconds of every step of `Trainer`, and of one of ours that follows it."""

    def __init__(self, run: Trainer, batches: Sequence[Batch]) -> None:
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
        self.ours.append(whole(self.run, self.batches[len(self.ours) % len(self.batches)]))
        self.began = now(self.run)


def taken_in_turns(
    run: Trainer, batches: Sequence[Batch], given: Sequence[Row], rounds: int, folder: Path
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


def over_bare(recipe: Recipe, folder: Path, device: torch.device) -> list[Measure]:
    """What our loop adds to forward, backward and the optimizer's step on the same batch."""
    run, batches = prepared(recipe, folder, device, 4)
    ratios, outside, began = [], [], now(run)
    for number in range(PAIRS):
        if number >= 10 and now(run) - began > PAIRS_S:
            break
        batch = batches[number // 2 % len(batches)]
        pair = [bare, whole] if number % 2 else [whole, bare]
        seconds = {side: side(run, batch) for side in pair}
        ratios.append(100 * (seconds[whole] / seconds[bare] - 1))
    for batch in batches:
        with inside() as spent:
            all_of_it = whole(run, batch)
        outside.append(100 * (all_of_it / sum(spent) - 1))
    run.log.end(0, "done", "", 0.0)
    return [
        Measure("our loop over the bare step, in turns", "%", ratios[2:], "<= 3"),
        Measure("our loop outside of `optimizer_step`, over the time inside", "%", outside, "<= 3"),
    ]


@contextmanager
def inside() -> Iterator[list[float]]:
    """Seconds that a run spends in `optimizer_step`: forward, backward, norm and update."""
    spent: list[float] = []

    def timed(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return optimizer_step(*given, **named)
        finally:
            spent.append(time.perf_counter() - began)

    trainer_module.optimizer_step = timed
    try:
        yield spent
    finally:
        trainer_module.optimizer_step = optimizer_step


def whole(run: Trainer, batch: Batch) -> float:
    """Seconds of a step as a run takes it."""
    began = now(run)
    run.train_step(batch, began, 0.0)
    return now(run) - began


def bare(run: Trainer, batch: Batch) -> float:
    """Seconds of forward, backward, cutting and the optimizer's step, with nothing around them."""
    backend: Any = run.backend
    recipe = run.recipe
    parts = list(micro_batches(batch, recipe.parallel.micro_packs, run.config.image_token_id))
    totals, _ = exchange_totals(parts, recipe.parallel.chunk_tokens, 1)
    set_lr(backend.optimizer, recipe.optim.lr * 1e-3)
    began = now(run)
    for part, chunks in zip(parts, totals.chunks, strict=True):
        backend.packed_loss(part.to(backend.device), totals.weight, chunks).loss.backward()
        backend.collect_gradients()
    norm = gradient_norm([one.grad for one in backend.masters if one.grad is not None])
    torch.nn.utils.clip_grads_with_norm_(backend.masters, recipe.optim.clip, norm)
    backend.optimizer.step()
    backend.copy_masters()
    backend.optimizer.zero_grad(set_to_none=True)
    return now(run) - began


def now(run: Trainer) -> float:
    """The time, once the device has done what it was given."""
    if run.ranks.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


class Timed(Trainer):
    """A run that knows how long it stood still for each checkpoint."""

    stalls: list[float]

    def save(self) -> None:
        """Write a checkpoint."""
        began = time.perf_counter()
        super().save()
        self.stalls.append(time.perf_counter() - began)


def whole_run(recipe: Recipe, folder: Path, device: torch.device, count: int) -> list[Measure]:
    """Data wait, checkpoints and figures of a run that is stopped after so many steps."""

    def stop(progress: StepProgress) -> None:
        run.stop = progress.step >= count

    run = Timed(recipe, folder, Ranks(device=device), on_step=stop)
    run.stalls = []
    run.train()
    lines = read(folder / LOG)
    saved = [one["step"] for one in lines if one["kind"] == "checkpoint"][:-1]
    steps = [one for one in lines if one["kind"] == "step" and one["step"] > WARM]
    behind = [one for one in steps if one["step"] - 1 in saved]
    usual = statistics.median(one["seconds"] for one in steps if one not in behind)
    measures = [
        Measure("wait for data, share of a step", "%", [100 * o["wait"] for o in steps], "<= 2"),
        Measure("step of the whole run", "s", [one["seconds"] for one in steps]),
        Measure(
            "standstill for a checkpoint, share of a step", "%",
            [100 * one / usual for one in run.stalls[:-1]], "<= 5",
        ),
        Measure("standstill for a checkpoint", "ms", [1e3 * one for one in run.stalls[:-1]]),
        Measure(
            "step while files are written, slower by", "%",
            [100 * (one["seconds"] / usual - 1) for one in behind],
        ),
        Measure("tokens of the whole run", "useful tokens/s", [o["tokens_per_s"] for o in steps]),
        Measure("pages of the whole run", "pages/s", [one["pages_per_s"] for one in steps]),
    ]  # fmt: skip
    if device.type == "cuda":  # a process on a CPU cannot forget the peak of what was before
        measures.append(Measure("most memory", "GB", [steps[-1]["memory_bytes"] / 1e9]))
    if device.type == "cuda" and steps[0]["mfu"] is not None:
        shares_ = [100 * one["mfu"] for one in steps]
        busy = [100 * one["mfu"] / (1 - one["wait"]) for one in steps]
        measures[:0] = [
            Measure(f"MFU, {recipe.model.preset}", "%", shares_, ">= 40", headline=True),
            Measure(f"MFU without waiting for data, {recipe.model.preset}", "%", busy),
        ]
    return measures


def resumed(arguments: argparse.Namespace, folder: Path) -> list[Measure]:
    """Seconds from the start of a process to the end of the first step behind a checkpoint.

    Raises:
        RuntimeError: it does not go on.
    """
    words = [word for one in overrides(arguments) for word in ("--set", one)]
    recipe, log = folder.parent / "recipe.toml", folder / LOG
    seconds = []
    for _ in range(RESUMES):
        last = last_step(log)
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "pagemill", "train", recipe, "--out", folder, "--resume",
             *words],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while last_step(log) <= last and process.poll() is None:
            time.sleep(0.02)
        seconds.append(time.perf_counter() - began)
        if last_step(log) > last:
            process.terminate()
        _, said = process.communicate()
        if last_step(log) <= last:
            raise RuntimeError(f"the run does not go on: {said[-2000:]}")
    return [Measure("from the start of a process to the first step resumed", "s", seconds)]


def last_step(log: Path) -> int:
    """The last step that a log tells of."""
    return max(one["step"] for one in read(log) if one["kind"] == "step")


if __name__ == "__main__":
    main()
