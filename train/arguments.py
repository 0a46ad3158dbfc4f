"""The arguments that every way of starting a run has. No torch: the command's help shows them."""

from __future__ import annotations

import argparse

RECIPES = "TOML file, or demo, small, base, minicpm-v-4.5"


def add_job(parser: argparse.ArgumentParser, what: str = RECIPES) -> None:
    """The arguments that every way of starting a run has."""
    parser.add_argument("recipe", metavar="RECIPE", help=what)
    parser.add_argument(
        "--data", metavar="CORPUS", action="append", default=[],
        help="corpus to learn from; several share alike",
    )  # fmt: skip
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
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="one setting, such as optim.lr=1e-4, or read.optim.lr=1e-4 for the stage read",
    )
