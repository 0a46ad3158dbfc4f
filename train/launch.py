"""How a run is started: every process of it comes through `main` or `run_stages`.

pagemill train demo --data corpus                            one process
torchrun --nproc_per_node 8 -m pagemill.train base …         one host, or many
deepspeed --module pagemill.train base …                     the same by DeepSpeed's launcher
pagemill train base --nodes 4 --address …                    many hosts through Ray (`cluster`)
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

from ..engine.errors import ConfigError, PagemillError
from ..engine.progress import Progress
from ..model.load import quiet_transformers
from .arguments import add_job
from .checkpoint.checkpoint import MODEL, newest, step_of
from .checkpoint.retention import FOLDER as CHECKPOINTS
from .log.run_log import OnStep, StepProgress
from .ranks import Ranks, from_environment
from .recipe import Recipe, from_weights, read_recipe
from .trainer import RunResult, Trainer

OK, FAULTS, USAGE, INTERRUPTED = 0, 1, 2, 130


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

    def read(self) -> list[tuple[Recipe, Path, bool]]:
        """Every stage of the recipe, its folder, and whether it is asked for.

        A recipe of one stage has the run's own folder.

        Raises:
            ConfigError: there is no such recipe or stage.
        """
        found = read_recipe(self.recipe, self.overrides)
        names = [stage.name for stage in found]
        if unknown := set(self.stages) - set(names):
            raise ConfigError(
                f"{self.recipe} has no stage {unknown.pop()!r}; there are: {', '.join(names)}"
            )
        out = Path(self.out)
        many = len(found) > 1
        return [
            (
                stage,
                out / f"{number}-{stage.name}" if many else out,
                not self.stages or stage.name in self.stages,
            )
            for number, stage in enumerate(found, 1)
        ]


def run_stages(
    job: TrainJob, ranks: Ranks, *, watch: OnStep | None = None, counting: Progress | None = None
) -> list[tuple[Path, RunResult]]:
    """Train the stages one after another, each from the weights of the one before.

    A stage that is not asked for gives its newest checkpoint, if it has one; so does, where a run
    is resumed, a stage that is done and has another one behind it.

    Args:
        job: what is asked for.
        ranks: this process among those of the run.
        watch: called on rank 0 after every step.
        counting: called while pages' tokens are counted.

    Returns:
        Folder and result of each stage that was begun; the last may have been stopped.

    Raises:
        PagemillError: as `Run.train`.
    """
    done: list[tuple[Path, RunResult]] = []
    start: Path | None = None
    until = time.monotonic() + 60 * job.minutes if job.minutes > 0 else math.inf
    stages = job.read()
    last = [folder for _, folder, asked in stages if asked][-1]
    for stage, folder, asked in stages:
        before = newest(folder / CHECKPOINTS)
        if not asked or (job.resume and folder != last and is_done(stage, before)):
            start = before
            continue
        recipe = stage if start is None else from_weights(stage, start / MODEL)
        run = Trainer(recipe, folder, ranks, watch=watch, counting=counting, until=until)
        result = run.train(resume=job.resume)
        done.append((folder, result))
        start = result.checkpoint
        if result.reason != "done":
            break
    return done


def is_done(stage: Recipe, checkpoint: Path | None) -> bool:
    """Whether a stage has learned all of its steps."""
    return checkpoint is not None and step_of(checkpoint) >= stage.steps


def parse_job(arguments: argparse.Namespace) -> TrainJob:
    """The job that a command line names."""
    data = []
    if arguments.data:
        quoted = ", ".join(toml_string(one) for one in arguments.data)
        data = [f"data.corpora=[{quoted}]"]
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


def exit_status(done: Sequence[tuple[Path, RunResult]]) -> int:
    """The exit status of a run."""
    return OK if done and done[-1][1].reason == "done" else INTERRUPTED


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
            done = run_stages(parse_job(arguments), ranks, watch=lines if ranks.first else None)
    except ConfigError as err:
        sys.stderr.write(f"pagemill: {err}\n")
        return USAGE
    except PagemillError as err:
        sys.stderr.write(f"pagemill: {err}\n")
        return FAULTS
    except KeyboardInterrupt:
        return INTERRUPTED
    return exit_status(done)


def lines(told: StepProgress) -> None:
    """A plain line a step, for logs of launchers."""
    what = told.note or f"loss {told.loss:.4f}  {told.tokens_per_s:,.0f} tokens/s"
    sys.stderr.write(f"step {told.step}/{told.steps}  {what}\n")
