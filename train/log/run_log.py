"""What a run says of itself: its log, those who watch it, TensorBoard and Weights & Biases."""

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
from ..backend.torch import StepResult
from ..checkpoint.checkpoint import Saved
from ..loss import GROUPS, LEVELS, TASKS
from ..ranks import Ranks
from ..recipe import Recipe
from .journal import Journal
from .throughput import Throughput, memory_of, peak_of
from .tracker import Tracker, trackers

log = logging.getLogger(__name__)

RECIPE, LOG = "recipe.toml", "log.jsonl"


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Where a run is, as those who watch it get it."""

    step: int
    steps: int
    loss: float
    tokens_per_s: float = 0.0
    note: str = ""
    """What is being done, where it is not a step."""


OnStep = Callable[[StepProgress], None]


class RunLog:
    """Writes on rank 0; the others are silent.

    Args:
        folder: of the run.
        recipe: of the run.
        ranks: this process among those of the run.
        watch: called after every step.

    Raises:
        DependencyError: the recipe asks for a package that is not installed.
    """

    def __init__(self, folder: Path, recipe: Recipe, ranks: Ranks, watch: OnStep | None) -> None:
        self.folder = folder
        self.recipe = recipe
        self.ranks = ranks
        self.watch = watch if ranks.first else None
        self.journal = Journal(folder / LOG) if ranks.first else None
        self.trackers: list[Tracker] = []
        if ranks.first:
            self.trackers = trackers(recipe.log, folder, recipe.name)
        self.peak = peak_of(ranks.device)

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

    def step(
        self,
        step: int,
        outcome: StepResult,
        facts: Throughput,
        *,
        seconds: float,
        wait_s: float,
        lr: float,
        window: int,
        shares: Sequence[float],
        failures: Sequence[str],
    ) -> None:
        """The line of a step.

        Args:
            step: its number, from 1.
            outcome: over all ranks.
            facts: over all ranks.
            seconds: from asking for the batch to the end of the update.
            wait_s: of them, waiting for the batch, on the slowest rank.
            lr: learning rate before the shares of groups.
            window: of the stream.
            shares: of the levels there.
            failures: messages of lost samples.
        """
        if self.journal is None:
            return
        if self.watch is not None:
            self.watch(StepProgress(step, self.recipe.steps, outcome.loss, facts.tokens / seconds))
        remarkable = bool(outcome.fault or failures) or step in (1, self.recipe.steps)
        if not remarkable and step % self.recipe.log.every:
            return
        named = named_groups(outcome.groups)
        peak = self.peak and self.peak * self.ranks.ranks
        line: dict[str, Any] = {
            "step": step,
            "seconds": seconds,
            "loss": outcome.loss,
            "accuracy": named["all"]["accuracy"] if "all" in named else None,
            "grad_norm": outcome.norm,
            "lr": lr,
            "levels": {name: named[name] for name in LEVELS if name in named},
            "tasks": {name: named[name] for name in TASKS if name in named},
            "tokens": facts.tokens,
            "answer_tokens": facts.answer_tokens,
            "pages": facts.pages,
            "slices": facts.slices,
            "padding": 1 - facts.tokens / facts.room,
            "wait": wait_s / seconds,
            "tokens_per_s": facts.tokens / seconds,
            "pages_per_s": facts.pages / seconds,
            "flops": facts.flops,
            "mfu": facts.flops / seconds / peak if peak else None,
            "memory_bytes": memory_of(self.ranks.device),
            "window": window,
            "shares": list(shares),
            "skipped": outcome.fault,
            "samples": list(outcome.worst),
            "failures": list(failures),
        }
        self.journal.write("step", **line)
        self.track(step, line)
        if outcome.fault:
            log.warning(
                "step %d was skipped: %s; samples: %s",
                step, outcome.fault, ", ".join(outcome.worst) or "none",
            )  # fmt: skip

    def evaluation(self, step: int, summary: dict[str, Any], path: Path, seconds: float) -> None:
        """The line of an evaluation."""
        if self.journal is not None:
            file = str(path.relative_to(self.folder))
            self.journal.write("eval", step=step, seconds=seconds, metrics=summary, file=file)
            self.track(step, {"eval": summary})

    def checkpoint(self, saved: Saved, best: bool, stall_s: float, write_s: float) -> None:
        """The line of a checkpoint."""
        if self.journal is not None:
            self.journal.write(
                "checkpoint",
                step=saved.step,
                path=str(saved.path.relative_to(self.folder)),
                stall_s=stall_s,
                write_s=write_s,
                bytes=saved.bytes,
                best=best,
                metric=saved.state["metric"],
            )

    def adaptation(self, step: int, entry: ScheduleEntry) -> None:
        """The line of a change of the mixture."""
        if self.journal is not None:
            shares = dict(zip(LEVELS, entry.mixture.shares, strict=True))
            self.journal.write(
                "adapt", step=step, window=entry.start, shares=shares, losses=entry.losses
            )

    def note(self, step: int, loss: float, what: str) -> None:
        """Tell those who watch what is being done beside steps."""
        if self.watch is not None:
            self.watch(StepProgress(step, self.recipe.steps, loss, note=what))

    def end(self, step: int, reason: str, message: str, seconds: float) -> None:
        """The last line of the log."""
        if self.journal is not None:
            self.journal.write("end", step=step, reason=reason, message=message, seconds=seconds)
            self.journal.close()
        for one in self.trackers:
            one.close()

    def track(self, step: int, figures: Mapping[str, Any]) -> None:
        """The same to trackers."""
        for one in self.trackers:
            one.write(step, figures)


def named_groups(groups: torch.Tensor) -> dict[str, dict[str, float]]:
    """Mean loss, accuracy and tokens of every group that has any; `all` among them."""
    found = {}
    for name, (loss, hits, count) in zip((*GROUPS, "all"), groups.tolist(), strict=True):
        if count:
            found[name] = {"loss": loss / count, "accuracy": hits / count, "tokens": count}
    return found


def device_name(device: torch.device) -> str:
    """How the log names a device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, {torch.get_num_threads()} threads"
