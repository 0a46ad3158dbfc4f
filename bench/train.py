"""What the trainer gains and costs: against transformers' Trainer, and over the bare step.

python bench/train.py CORPUS [--preset nano|small|base] [--steps N] [--rounds N]
python bench/train.py CORPUS --preset base --device cuda

`train_peer` has the comparison, `train_steps` single steps.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import torch
from pagemill.model.vocabulary import shipped
from pagemill.train.log.journal import LOG, read
from pagemill.train.log.run_log import StepProgress
from pagemill.train.ranks import Ranks
from pagemill.train.recipe import Recipe, read_recipe
from pagemill.train.trainer import Trainer
from record import Measure, save
from train_peer import against_trainer
from train_steps import bare_step, now, optimizer_seconds, prepared_trainer, whole_step

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


def over_bare(recipe: Recipe, folder: Path, device: torch.device) -> list[Measure]:
    """What our loop adds to forward, backward and the optimizer's step on the same batch."""
    run, batches = prepared_trainer(recipe, folder, device, 4)
    ratios, outside, began = [], [], now(run)
    for number in range(PAIRS):
        if number >= 10 and now(run) - began > PAIRS_S:
            break
        batch = batches[number // 2 % len(batches)]
        pair = [bare_step, whole_step] if number % 2 else [whole_step, bare_step]
        seconds = {side: side(run, batch) for side in pair}
        ratios.append(100 * (seconds[whole_step] / seconds[bare_step] - 1))
    for batch in batches:
        with optimizer_seconds() as inside:
            in_all = whole_step(run, batch)
        outside.append(100 * (in_all / sum(inside) - 1))
    run.log.end(0, "done", "", 0.0)
    return [
        Measure("our loop over the bare step, in turns", "%", ratios[2:], "<= 3"),
        Measure("our loop outside of `optimizer_step`, over the time inside", "%", outside, "<= 3"),
    ]


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
        _, stderr = process.communicate()
        if last_step(log) <= last:
            raise RuntimeError(f"the run does not go on: {stderr[-2000:]}")
    return [Measure("from the start of a process to the first step resumed", "s", seconds)]


def last_step(log: Path) -> int:
    """The last step in a log."""
    return max(one["step"] for one in read(log) if one["kind"] == "step")


if __name__ == "__main__":
    main()
