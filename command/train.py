"""The command `pagemill train`: parse, call, print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.errors import ConfigError
from ..train.arguments import add_job
from .stream import need_torch

if TYPE_CHECKING:
    from ..train.trainer import RunResult

REPORT, ABLATE = "report", "ablate"


def add_train(commands: Any) -> None:
    """The command `train`, with `ablate` in place of a recipe being a command of its own."""
    train = commands.add_parser(
        "train",
        help="train a model by a recipe",
        description="Trains by a recipe: a TOML file, or demo, small, base, minicpm-v-4.5. On one "
        "host with several GPUs: torchrun --nproc_per_node 8 -m pagemill.train RECIPE …; on many "
        "through Ray: --nodes. `pagemill train ablate RECIPE` trains with each mixture of levels "
        "and compares them. Needs the extra train.",
    )
    add_job(train, "TOML file, a recipe's name, or `ablate`")
    train.add_argument("run", metavar="RUN", nargs="?", help="after ablate: the recipe")
    train.add_argument(
        "--nodes",
        type=int,
        default=0,
        metavar="N",
        help="hosts of a Ray cluster to use; 0 without Ray",
    )
    train.add_argument("--address", metavar="A", help="of the Ray cluster; starts one otherwise")
    train.add_argument(
        "--gpus", type=int, default=None, metavar="N",
        help="GPUs of each of the nodes; as many as Ray sees",
    )  # fmt: skip
    train.set_defaults(command=_train)


def _train(arguments: argparse.Namespace) -> int:
    if arguments.recipe == REPORT:
        raise ConfigError(
            f"a run is drawn by another command now: pagemill report {arguments.run or 'RUN'}"
        )
    need_torch()
    if arguments.recipe == ABLATE:
        return _ablate(arguments)
    if arguments.run is not None:
        raise ConfigError(
            f"pagemill train takes one recipe; {arguments.run} is left over. "
            "Name the folder of the run with --out"
        )
    from ..train.evaluate.folder import quiet
    from ..train.launch import exit_status, parse_job

    quiet()
    job = parse_job(arguments)
    if arguments.nodes:
        return _train_on_cluster(arguments)
    from ..train.launch import run_stages
    from ..train.ranks import from_environment

    watch = Watcher()
    try:
        with from_environment() as ranks:
            done = run_stages(job, ranks, watch=watch, counting=watch.counting)
    finally:
        watch.close()
    for folder, result in done:
        print_result(folder, result)
    if done[-1][1].reason != "done":
        print("Stopped. The same command with --resume goes on from here.")
    return exit_status(done)


def _train_on_cluster(arguments: argparse.Namespace) -> int:
    from ..pipelines.cluster import connected
    from ..train.launch import parse_job

    watch = Watcher()
    with connected(arguments.address, arguments.nodes):
        from ..train.ray import gpus_a_node, train_on_cluster

        gpus = gpus_a_node(arguments.nodes) if arguments.gpus is None else arguments.gpus
        workers = arguments.nodes * max(1, gpus)
        try:
            reason = train_on_cluster(parse_job(arguments), workers=workers, gpus=gpus, watch=watch)
        finally:
            watch.close()
    print(f"{reason}: {parse_job(arguments).out}")
    return 0 if reason == "done" else 130


def _ablate(arguments: argparse.Namespace) -> int:
    from ..train.ablation import ablate
    from ..train.launch import parse_job

    if arguments.run is None:
        raise ConfigError("name a recipe: pagemill train ablate RECIPE --data CORPUS")
    arguments.recipe = arguments.run
    watch = Watcher()
    try:
        outcome = ablate(parse_job(arguments), watch=watch)
    finally:
        watch.close()
    for line in outcome.lines:
        print(line)
    print(f"table: {outcome.path}")
    return 0


def recipe_text(path: Path | None, overrides: Sequence[str]) -> str:
    """Every setting of a recipe with its meaning; of each stage, where there are several."""
    need_torch()
    from ..engine.config import load, to_toml
    from ..train.recipe import Recipe, read_recipe

    if path is None:
        return to_toml(load(Recipe, None, overrides))
    stages = read_recipe(str(path), overrides)
    return "\n".join(
        (f"# Stage {stage.name}\n" if len(stages) > 1 else "") + to_toml(stage) for stage in stages
    )


class Watcher:
    """Draws how far a run is."""

    def __init__(self) -> None:
        from .terminal.meter import Meter

        self.counting = Meter("count", sys.stderr, unit="pages")
        self.meter = Meter("train", sys.stderr, unit="steps")

    def __call__(self, told: Any) -> None:
        """After a step, or with a note beside steps."""
        self.meter.note = told.note or f"loss {told.loss:.3f}  {told.tokens_per_s:,.0f} tokens/s"
        self.meter(told.step, told.steps)

    def close(self) -> None:
        """Wipe what is drawn."""
        self.counting.close()
        self.meter.close()


def print_result(folder: Path, result: RunResult) -> None:
    """What a stage came to."""
    print(f"{result.reason} at step {result.step}: loss {result.loss:.4f}")
    levels = result.summary.get("levels", {})
    for name, figures in levels.items():
        if (cer := figures.get("cer")) is not None:
            print(
                f"  {name:9} CER {cer['value']:.1%}  ({cer['low']:.1%} to {cer['high']:.1%}, "
                f"{cer['n']} regions)"
            )
    if result.checkpoint is not None:
        print(f"checkpoint: {result.checkpoint}")
    print(f"log: {folder / 'log.jsonl'}; draw it with: pagemill report {folder}")
