"""`pagemill stream`: the batches that a model would learn from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .extra import need_torch
from .option import add_seed, add_settings
from .status import FAULTS, OK


def add_stream(commands: Any) -> None:
    """The command `stream`."""
    command = commands.add_parser(
        "stream",
        help="show the batches that a model would learn from",
        description="Takes steps from the stream of one or more corpora, and shows how full the "
        "packs are, what is asked, and what the model sees. Needs the extra train.",
    )
    command.add_argument(
        "corpora",
        metavar="CORPUS",
        nargs="+",
        help="folder or URI; of several, each gives as many samples",
    )
    add_settings(command, file="stream.toml", example="pack.budget_tokens=4096")
    add_seed(command, "everything drawn")
    command.add_argument("--steps", type=int, default=2, metavar="N", help="steps to show; 2")
    command.add_argument(
        "--model", type=Path, metavar="FOLDER", help="whose processor to use; else the default one"
    )
    command.add_argument(
        "--html", type=Path, metavar="FILE", help="the same as a page, pictures too"
    )
    command.set_defaults(command=run_stream)


def run_stream(arguments: argparse.Namespace) -> int:
    """Show the stream; the exit status."""
    need_torch("the stream needs")
    from ..engine.config import load
    from ..model.load import load_processor
    from ..report.stream import write_stream_report
    from ..train.stream.config import StreamConfig
    from ..train.stream.inspect import inspect_stream
    from ..train.stream.stream import PageStream
    from .terminal.console import show_each
    from .terminal.meter import Meter
    from .terminal.stream import stream_lines

    config = load(StreamConfig, arguments.config, arguments.overrides)
    processor = load_processor(arguments.model)
    weights = dict.fromkeys(arguments.corpora, 1.0)
    with Meter("count", unit="pages") as meter:
        stream = PageStream(weights, processor, seed=arguments.seed, config=config, progress=meter)
    with Meter("stream", unit="packs") as meter:
        view = inspect_stream(stream, steps=arguments.steps, progress=meter)
    show_each(stream_lines(view))
    if arguments.html is not None:
        write_stream_report(view, arguments.html)
        print(f"page: {arguments.html}")
    return FAULTS if view.lost else OK
