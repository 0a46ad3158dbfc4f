"""What a run reports: its log, whoever watches it, TensorBoard and Weights & Biases."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import transformers

from ...corruption import ScheduleEntry
from ...engine.config import to_toml
from ..checkpoint.format import Checkpoint
from ..loss import GROUPS
from ..micro_batch import LEVELS, TASKS
from ..ranks import Ranks
from ..recipe import Recipe
from ..step import StepResult
from .journal import LOG, Journal
from .throughput import Throughput, peak_flops, peak_memory
from .tracker import Tracker, open_trackers

log = logging.getLogger(__name__)

RECIPE = "recipe.toml"
"""Name of the resolved recipe in a run's folder."""


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Where a run is, as those who watch it get it."""

    step: int
    steps: int
    loss: float
    tokens_per_s: float = 0.0
    note: str = ""
    """What is being done, where it is not a step."""
    label: str = ""
    """Of the run, where there are several of one command."""


OnStep = Callable[[StepProgress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """What one step did, over all ranks."""

    step: int
    """From 1."""
    result: StepResult
    throughput: Throughput
    seconds: float
    """From asking for the batch to the end of the update."""
    wait_s: float
    """Of them, waiting for the batch, on the slowest rank."""
    lr: float
    """Before the factors of groups."""
    window: int
    """Of the stream."""
    shares: Sequence[float]
    """Of the levels there."""
    failures: Sequence[str]
    """Messages of lost samples."""


class RunLog:
    """Writes on rank 0; the others are silent.

    Args:
        folder: of the run.
        recipe: of the run.
        ranks: this process among those of the run.
        on_step: called after every step.

    Raises:
        DependencyError: the recipe asks for a package that is not installed.
    """

    def __init__(self, folder: Path, recipe: Recipe, ranks: Ranks, on_step: OnStep | None) -> None:
        self.folder = folder
        self.recipe = recipe
        self.ranks = ranks
        self.on_step = on_step if ranks.first else None
        self.journal = Journal(folder / LOG) if ranks.first else None
        self.trackers: list[Tracker] = []
        if ranks.first:
            self.trackers = open_trackers(recipe.log, folder, recipe.name)
        self.peak_flops = peak_flops(ranks.device)

    def start(self, step: int, parameters: Mapping[str, int], *, resumed: bool) -> None:
        """The recipe, and the first line of the log; what a killed run wrote too much is cut."""
        if self.journal is None:
            return
        (self.folder / RECIPE).write_text(to_toml(self.recipe), encoding="utf-8")
        self.journal.cut(step)
        self.journal.write(
            "start",
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            step=step,
            recipe=self.folder.name,
            stage=self.recipe.name,
            ranks=self.ranks.ranks,
            device=device_name(self.ranks.device),
            parameters=dict(parameters),
            versions={"torch": torch.__version__, "transformers": transformers.__version__},
            steps=self.recipe.steps,
            resumed=resumed,
            model=self.recipe.model.start or self.recipe.model.preset,
        )

    def step(self, record: StepRecord) -> None:
        """The line of a step, if it is due or something went wrong in it."""
        if self.journal is None:
            return
        step, result = record.step, record.result
        if self.on_step is not None:
            tokens_per_s = record.throughput.tokens / record.seconds
            self.on_step(StepProgress(step, self.recipe.steps, result.loss, tokens_per_s))
        remarkable = bool(result.fault or record.failures) or step in (1, self.recipe.steps)
        if not remarkable and step % self.recipe.log.every:
            return
        line = self.step_line(record)
        self.journal.write("step", **line)
        self.track(step, line)
        if result.fault:
            samples = ", ".join(result.worst_samples) or "none"
            log.warning("step %d was skipped: %s; samples: %s", step, result.fault, samples)

    def step_line(self, record: StepRecord) -> dict[str, Any]:
        """What `log.jsonl` has of a step."""
        result, throughput, seconds = record.result, record.throughput, record.seconds
        groups = group_means(result.group_sums)
        peak = self.peak_flops and self.peak_flops * self.ranks.ranks
        return {
            "step": record.step,
            "seconds": seconds,
            "loss": result.loss,
            "accuracy": groups["all"]["accuracy"] if "all" in groups else None,
            "grad_norm": result.grad_norm,
            "lr": record.lr,
            "levels": {name: groups[name] for name in LEVELS if name in groups},
            "tasks": {name: groups[name] for name in TASKS if name in groups},
            "tokens": throughput.tokens,
            "answer_tokens": throughput.answer_tokens,
            "pages": throughput.pages,
            "slices": throughput.slices,
            "padding": 1 - throughput.tokens / throughput.room,
            "wait": record.wait_s / seconds,
            "tokens_per_s": throughput.tokens / seconds,
            "pages_per_s": throughput.pages / seconds,
            "flops": throughput.flops,
            "mfu": throughput.flops / seconds / peak if peak else None,
            "memory_bytes": peak_memory(self.ranks.device),
            "window": record.window,
            "shares": list(record.shares),
            "skipped": result.fault,
            "samples": list(result.worst_samples),
            "failures": list(record.failures),
        }

    def evaluation(self, step: int, summary: dict[str, Any], path: Path, seconds: float) -> None:
        """The line of an evaluation."""
        if self.journal is not None:
            file = str(path.relative_to(self.folder))
            self.journal.write("eval", step=step, seconds=seconds, metrics=summary, file=file)
            self.track(step, {"eval": summary})

    def checkpoint(
        self, checkpoint: Checkpoint, best: bool, stall_s: float, write_s: float
    ) -> None:
        """The line of a checkpoint."""
        if self.journal is not None:
            self.journal.write(
                "checkpoint",
                step=checkpoint.step,
                path=str(checkpoint.path.relative_to(self.folder)),
                stall_s=stall_s,
                write_s=write_s,
                bytes=checkpoint.bytes,
                best=best,
                metric=checkpoint.state["metric"],
            )

    def adaptation(self, step: int, entry: ScheduleEntry) -> None:
        """The line of a change of the mixture."""
        if self.journal is not None:
            shares = dict(zip(LEVELS, entry.mixture.shares, strict=True))
            self.journal.write(
                "adapt", step=step, window=entry.start, shares=shares, losses=entry.losses
            )

    def note(self, step: int, loss: float, what: str) -> None:
        """Say to those who watch what is being done beside steps."""
        if self.on_step is not None:
            self.on_step(StepProgress(step, self.recipe.steps, loss, note=what))

    def end(self, step: int, reason: str, message: str, seconds: float) -> None:
        """The last line of the log."""
        if self.journal is not None:
            self.journal.write("end", step=step, reason=reason, message=message, seconds=seconds)
            self.journal.close()
        for tracker in self.trackers:
            tracker.close()

    def track(self, step: int, figures: Mapping[str, Any]) -> None:
        """The same to trackers."""
        for tracker in self.trackers:
            tracker.write(step, figures)


def group_means(group_sums: torch.Tensor) -> dict[str, dict[str, float]]:
    """Mean loss, accuracy and tokens of every group that has any; `all` among them."""
    means = {}
    for name, (loss, hits, tokens) in zip((*GROUPS, "all"), group_sums.tolist(), strict=True):
        if tokens:
            means[name] = {"loss": loss / tokens, "accuracy": hits / tokens, "tokens": tokens}
    return means


def device_name(device: torch.device) -> str:
    """How the log names a device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, {torch.get_num_threads()} threads"
