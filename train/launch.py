"""How a run is started: every process of it comes through `main` or `run_stages`.

pagemill train demo --data corpus                            one process
torchrun --nproc_per_node 8 -m pagemill.train base …         one host, or many
deepspeed --module pagemill.train base …                     the same by DeepSpeed's launcher
pagemill train base --nodes 4 --address …                    many hosts through Ray (`ray`)
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..engine.errors import ConfigError, PagemillError
from ..engine.progress import Progress
from ..model.load import quiet_transformers
from .arguments import add_job
from .checkpoint.format import FOLDER as CHECKPOINTS
from .checkpoint.format import MODEL, step_of
from .checkpoint.listing import newest_checkpoint
from .log.run_log import OnStep, StepProgress
from .ranks import Ranks, from_environment
from .recipe import Recipe, from_weights, read_recipe
from .state import RunResult
from .trainer import Trainer

OK, FAULTS, USAGE, INTERRUPTED = 0, 1, 2, 130


class JobStage(NamedTuple):
    """One stage of a job."""

    recipe: Recipe
    folder: Path
    requested: bool
    """Whether it is to be trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainJob:
    """What a command line asks for; plain values, so that it goes to other hosts."""

    recipe: str
    """Path or name."""
    out: str
    """Folder of the run."""
    overrides: tuple[str, ...] = ()
    resume: bool = False
    stages: tuple[str, ...] = ()
    """Which of the recipe's stages; empty for all."""
    minutes: float = 0.0
    """After which the run stops with a checkpoint; 0 for never."""

    def read_stages(self) -> list[JobStage]:
        """Every stage of the recipe.

        A recipe of one stage has the run's own folder.

        Raises:
            ConfigError: there is no such recipe or stage.
        """
        recipes = read_recipe(self.recipe, self.overrides)
        names = [recipe.name for recipe in recipes]
        if unknown := set(self.stages) - set(names):
            raise ConfigError(
                f"{self.recipe} has no stage {unknown.pop()!r}; there are: {', '.join(names)}"
            )
        out = Path(self.out)
        many = len(recipes) > 1
        return [
            JobStage(
                recipe,
                out / f"{number}-{recipe.name}" if many else out,
                not self.stages or recipe.name in self.stages,
            )
            for number, recipe in enumerate(recipes, 1)
        ]


def run_stages(
    job: TrainJob, ranks: Ranks, *, on_step: OnStep | None = None, on_count: Progress | None = None
) -> list[tuple[Path, RunResult]]:
    """Train the stages one after another, each from the weights of the one before.

    A stage that is not asked for gives its newest checkpoint, if it has one; so does, where a run
    is resumed, a stage that is done and has another one behind it.

    Args:
        job: what is asked for.
        ranks: this process among those of the run.
        on_step: called on rank 0 after every step.
        on_count: called while pages' tokens are counted.

    Returns:
        Folder and result of each stage that was begun; the last may have been stopped.

    Raises:
        PagemillError: as `Trainer.train`.
    """
    results: list[tuple[Path, RunResult]] = []
    previous: Path | None = None
    deadline = time.monotonic() + 60 * job.minutes if job.minutes > 0 else math.inf
    stages = job.read_stages()
    last = [stage for stage in stages if stage.requested][-1]
    for stage in stages:
        newest = newest_checkpoint(stage.folder / CHECKPOINTS)
        done_before = job.resume and stage is not last and is_done(stage.recipe, newest)
        if not stage.requested or done_before:
            previous = newest
            continue
        recipe = from_weights(stage.recipe, previous / MODEL) if previous else stage.recipe
        trainer = Trainer(
            recipe, stage.folder, ranks, on_step=on_step, on_count=on_count, deadline=deadline
        )
        result = trainer.train(resume=job.resume)
        results.append((stage.folder, result))
        previous = result.checkpoint
        if result.reason != "done":
            break
    return results


def is_done(recipe: Recipe, newest: Path | None) -> bool:
    """Whether a stage has learned all of its steps."""
    return newest is not None and step_of(newest) >= recipe.steps


def parse_job(arguments: argparse.Namespace) -> TrainJob:
    """The job that a command line names."""
    data = []
    if arguments.data:
        corpora = ", ".join(toml_string(corpus) for corpus in arguments.data)
        data = [f"data.corpora=[{corpora}]"]
    return TrainJob(
        recipe=arguments.recipe,
        out=arguments.out or str(Path("runs") / Path(arguments.recipe).stem),
        overrides=(*data, *arguments.overrides),
        resume=arguments.resume,
        stages=tuple(arguments.stages),
        minutes=arguments.minutes,
    )


def toml_string(text: str) -> str:
    """The text as TOML writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def exit_status(results: Sequence[tuple[Path, RunResult]]) -> int:
    """The exit status of a run."""
    return OK if results and results[-1][1].reason == "done" else INTERRUPTED


def main(argv: Sequence[str] | None = None) -> int:
    """The command in every process that torchrun or DeepSpeed's launcher starts."""
    parser = argparse.ArgumentParser(prog="pagemill.train", description=__doc__)
    add_job(parser)
    parser.add_argument("--local_rank", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="pagemill: %(message)s")
    quiet_transformers()
    try:
        with from_environment() as ranks:
            on_step = write_step if ranks.first else None
            results = run_stages(parse_job(arguments), ranks, on_step=on_step)
    except ConfigError as err:
        sys.stderr.write(f"pagemill: {err}\n")
        return USAGE
    except PagemillError as err:
        sys.stderr.write(f"pagemill: {err}\n")
        return FAULTS
    except KeyboardInterrupt:
        return INTERRUPTED
    return exit_status(results)


def write_step(progress: StepProgress) -> None:
    """A plain line a step, for logs of launchers."""
    text = progress.note or f"loss {progress.loss:.4f}  {progress.tokens_per_s:,.0f} tokens/s"
    sys.stderr.write(f"step {progress.step}/{progress.steps}  {text}\n")
