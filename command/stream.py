"""The command `pagemill stream`: parse, call, print."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..engine.errors import DependencyError


def add_stream(commands: Any) -> None:
    """The command `stream`."""
    stream = commands.add_parser(
        "stream",
        help="show the batches that a model would learn from",
        description="Takes steps from the stream of one or more corpora, and shows how full the "
        "packs are, what is asked, and what the model sees. Needs the extra train.",
    )
    stream.add_argument(
        "corpora",
        metavar="CORPUS",
        nargs="+",
        help="folder or URI; of several, each gives as many samples",
    )
    stream.add_argument("--config", type=Path, metavar="stream.toml", help="settings as TOML")
    stream.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="one setting, such as pack.budget_tokens=4096; `pagemill config stream` lists them",
    )
    stream.add_argument("--seed", type=int, default=0, metavar="N", help="of everything drawn; 0")
    stream.add_argument("--steps", type=int, default=2, metavar="N", help="steps to show; 2")
    stream.add_argument(
        "--model", type=Path, metavar="FOLDER", help="whose processor to use; else the default one"
    )
    stream.add_argument(
        "--html", type=Path, metavar="FILE", help="the same as a page, pictures too"
    )
    stream.set_defaults(command=_stream)


def _stream(arguments: argparse.Namespace) -> int:
    need_torch()
    from ..engine.config import load
    from ..report.stream.sheet import write_sheet
    from ..train.stream.inspect import inspect_stream, load_processor
    from ..train.stream.stream import PageStream, StreamConfig
    from .terminal.meter import Meter
    from .terminal.stream import stream_lines

    config = load(StreamConfig, arguments.config, arguments.overrides)
    processor = load_processor(arguments.model)
    weights = dict.fromkeys(arguments.corpora, 1.0)
    counting = Meter("count", sys.stderr, unit="pages")
    try:
        stream = PageStream(
            weights, processor, seed=arguments.seed, config=config, progress=counting
        )
    finally:
        counting.close()
    meter = Meter("stream", sys.stderr, unit="packs")
    try:
        shown = inspect_stream(stream, steps=arguments.steps, progress=meter)
    finally:
        meter.close()
    for line in stream_lines(shown):
        print(line)
    if arguments.html is not None:
        write_sheet(shown, arguments.html)
        print(f"page: {arguments.html}")
    return 1 if shown.lost else 0


def need_torch() -> None:
    """Say which extra is missing.

    Raises:
        DependencyError: one is.
    """
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise DependencyError(
            f"the stream needs {' and '.join(missing)}: pip install 'pagemill[train]'"
        )
