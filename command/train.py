"""`pagemill train`: a model by a recipe, and the ablation of its levels."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.errors import ConfigError
from ..train.arguments import add_job
from .extra import need_torch
from .option import add_address
from .status import INTERRUPTED, OK

if TYPE_CHECKING:
    from ..train.state import RunResult

REPORT, ABLATE = "report", "ablate"
ABLATION_TABLE = "ablation.md"
"""In the folder of an ablation."""


def add_train(commands: Any) -> None:
    """The command `train`, with `ablate` in place of a recipe being a command of its own."""
    command = commands.add_parser(
        "train",
        help="train a model by a recipe",
        description="Trains by a recipe: a TOML file, or demo, small, base, minicpm-v-4.5. On one "
        "host with several GPUs: torchrun --nproc_per_node 8 -m pagemill.train RECIPE …; on many "
        "through Ray: --nodes. `pagemill train ablate RECIPE` trains with each mixture of levels "
        "and compares them. Needs the extra train.",
    )
    add_job(command, "TOML file, a recipe's name, or `ablate`")
    command.add_argument("run", metavar="RUN", nargs="?", help="after ablate: the recipe")
    command.add_argument(
        "--nodes",
        type=int,
        default=0,
        metavar="N",
        help="hosts of a Ray cluster to use; 0 without Ray",
    )
    add_address(command)
    command.add_argument(
        "--gpus", type=int, default=None, metavar="N",
        help="GPUs of each of the nodes; as many as Ray sees",
    )  # fmt: skip
    command.set_defaults(command=run_train)


def run_train(arguments: argparse.Namespace) -> int:
    """Train; the exit status."""
    if arguments.recipe == REPORT:
        raise ConfigError(
            f"a run is drawn by another command now: pagemill report {arguments.run or 'RUN'}"
        )
    need_torch("training needs")
    if arguments.recipe == ABLATE:
        return run_ablation(arguments)
    if arguments.run is not None:
        raise ConfigError(
            f"pagemill train takes one recipe; {arguments.run} is left over. "
            "Name the folder of the run with --out"
        )
    from ..model.load import quiet_transformers
    from ..train.launch import exit_status, parse_job

    quiet_transformers()
    job = parse_job(arguments)
    if arguments.nodes:
        return train_on_nodes(arguments)
    from ..train.launch import run_stages
    from ..train.ranks import from_environment
    from .terminal.training import TrainingMeter

    with TrainingMeter() as meter, from_environment() as ranks:
        done = run_stages(job, ranks, on_step=meter, on_count=meter.counting)
    for folder, result in done:
        print_result(folder, result)
    if done[-1][1].reason != "done":
        print("Stopped. The same command with --resume goes on from here.")
    return exit_status(done)


def train_on_nodes(arguments: argparse.Namespace) -> int:
    """Train on the hosts of a Ray cluster; the exit status."""
    from ..pipelines.cluster import connected
    from ..train.launch import parse_job
    from .terminal.training import TrainingMeter

    job = parse_job(arguments)
    with TrainingMeter() as meter, connected(arguments.address, arguments.nodes):
        from ..train.ray import gpus_a_node, train_on_cluster

        gpus = gpus_a_node(arguments.nodes) if arguments.gpus is None else arguments.gpus
        workers = arguments.nodes * max(1, gpus)
        reason = train_on_cluster(job, workers=workers, gpus=gpus, on_step=meter)
    print(f"{reason}: {job.out}")
    return OK if reason == "done" else INTERRUPTED


def run_ablation(arguments: argparse.Namespace) -> int:
    """Train with each mixture and compare; the exit status."""
    from ..train.ablation import ablate
    from ..train.launch import parse_job
    from .terminal.ablation import ablation_table
    from .terminal.console import show_each
    from .terminal.training import TrainingMeter

    if arguments.run is None:
        raise ConfigError("name a recipe: pagemill train ablate RECIPE --data CORPUS")
    arguments.recipe = arguments.run
    with TrainingMeter() as meter:
        result = ablate(parse_job(arguments), on_step=meter)
    lines = list(ablation_table(result.arms))
    path = result.folder / ABLATION_TABLE
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    show_each(lines)
    print(f"table: {path}")
    return OK


def print_result(folder: Path, result: RunResult) -> None:
    """What a stage came to."""
    from .terminal.console import show_each
    from .terminal.training import result_lines

    show_each(result_lines(result))
    print(f"log: {folder / 'log.jsonl'}; draw it with: pagemill report {folder}")
