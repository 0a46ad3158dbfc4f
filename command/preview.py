"""`pagemill preview`: what corruption makes of a corpus, as one HTML page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .option import add_corpus, add_out, add_seed, add_settings, positive
from .status import FAULTS, OK


def add_preview(commands: Any) -> None:
    """The command `preview`."""
    command = commands.add_parser(
        "preview",
        help="show what corruption makes of a corpus, as one HTML page",
        description="Whole pages with their regions, levels and targets; every operator at every "
        "severity with the error rate measured for it; and a check that masks leak nothing.",
    )
    add_corpus(command)
    add_out(command, "FILE", type=Path, default=Path("preview.html"), help="preview.html")
    command.add_argument("--level", metavar="L", help="clean, light, moderate or heavy")
    command.add_argument("--operator", metavar="O", help="one operator, on several lines")
    command.add_argument("--key", metavar="K", help="one page of the corpus")
    command.add_argument("--pages", type=positive, default=3, metavar="N", help="pages to show; 3")
    add_seed(command, "the plans")
    add_settings(command, file="corruption.toml", example="region.most=20")
    command.set_defaults(command=run_preview)


def run_preview(arguments: argparse.Namespace) -> int:
    """Draw the page; the exit status."""
    from ..corruption.schedule import CorruptionConfig, Schedule
    from ..engine.config import load
    from ..engine.store.place import Place
    from ..report.corruption import write_preview

    config = load(CorruptionConfig, arguments.config, arguments.overrides)
    preview = write_preview(
        Place.at(arguments.corpus),
        arguments.out,
        schedule=Schedule(config=config),
        seed=arguments.seed,
        level=arguments.level,
        operator=arguments.operator,
        key=arguments.key,
        pages=arguments.pages,
    )
    for leak in preview.leaks:
        print(leak)
    print(f"preview: {arguments.out}")
    return FAULTS if preview.leaks else OK
