"""The options that every way of starting a run has. No torch: the command's help shows them.

`add_set` and `add_data` are those of the whole command line, `command.option` hands them on.
"""

from __future__ import annotations

import argparse

RECIPES = "TOML file, or demo, small, base, minicpm-v-4.5"


def add_job(parser: argparse.ArgumentParser, recipe_help: str = RECIPES) -> None:
    """The options of a run."""
    parser.add_argument("recipe", metavar="RECIPE", help=recipe_help)
    add_data(parser, "corpus to learn from; several share alike")
    parser.add_argument(
        "--out", metavar="RUN", help="folder of the run; runs/ and the recipe's name"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the newest checkpoint in RUN"
    )
    parser.add_argument(
        "--stage", dest="stages", metavar="S", action="append", default=[],
        help="only this stage of the recipe",
    )  # fmt: skip
    parser.add_argument(
        "--minutes", type=float, default=0.0, metavar="M",
        help="stop after so many, with a checkpoint that --resume goes on from; 0 for never",
    )  # fmt: skip
    add_set(parser, "optim.lr=1e-4, or read.optim.lr=1e-4 for the stage read")


def add_set(parser: argparse.ArgumentParser, example: str) -> None:
    """`--set`, one setting in place of the file's or the default."""
    parser.add_argument(
        "--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[],
        help=f"one setting, such as {example}",
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser, what: str) -> None:
    """`--data`, the corpora."""
    parser.add_argument("--data", metavar="CORPUS", action="append", default=[], help=what)
