"""`pagemill typeset`: a corpus of pages from texts and fonts."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .option import add_out, add_seed, add_settings, add_workers
from .status import OK, complain


def add_typeset(commands: Any) -> None:
    """The command `typeset`."""
    command = commands.add_parser(
        "typeset",
        help="make a corpus of pages from texts and fonts",
        description="Typesets pages whose text is known exactly and writes them as a corpus. "
        "Needs neither Ray nor a PDF library. The same command again goes on after an "
        "interruption.",
    )
    command.add_argument(
        "data",
        metavar="DATA",
        type=Path,
        help="folder of texts and fonts, as tools/make_small_data.py makes one",
    )
    add_out(command, "CORPUS", help="folder or URI to write")
    command.add_argument("--pages", type=int, required=True, metavar="N", help="pages to train on")
    command.add_argument(
        "--held-out",
        type=int,
        default=0,
        metavar="K",
        help="pages of a split val, of other fonts and other texts; 0",
    )
    add_seed(command, "everything drawn")
    add_settings(command, file="typeset.toml", example="kind.line=0.5")
    command.add_argument(
        "--settings", action=_Settings, help="print all settings with their meaning, and end"
    )
    add_workers(command, "processes")
    command.set_defaults(command=run_typeset)


class _Settings(argparse.Action):
    """Prints the settings before the other arguments are asked for."""

    def __init__(self, option_strings: Any, dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        from .config import typeset_settings

        print(typeset_settings(None, ()), end="")
        parser.exit()


def run_typeset(arguments: argparse.Namespace) -> int:
    """Typeset; the exit status."""
    from ..engine.config import load
    from ..engine.typeset.config import TypesetConfig
    from ..pipelines.typeset.request import TypesetRequest
    from ..pipelines.typeset.typeset import typeset_corpus
    from .terminal.meter import Meter

    request = TypesetRequest(
        data=arguments.data,
        pages=arguments.pages,
        held_out=arguments.held_out,
        seed=arguments.seed,
        config=load(TypesetConfig, arguments.config, arguments.overrides),
    )
    try:
        with Meter("typeset", unit="pages") as meter:
            info = typeset_corpus(request, arguments.out, workers=arguments.workers, progress=meter)
    except KeyboardInterrupt:
        complain("Stopped. Shards that are done are kept: the same command again goes on.")
        raise
    size_bytes = sum(entry.bytes for entry in info.shards)
    for split, entries in info.splits.items():
        pages = sum(entry.samples for entry in entries)
        print(f"{split}: {pages:,} pages in {len(entries)} shards")
    print(f"{size_bytes / 1e6:,.1f} MB: {arguments.out}")
    if failed := info.totals["pages"]["failed"]:
        complain(
            f"{failed} pages failed inside Pagemill and are left out: please report the message "
            "of their rows in the ledger"
        )
    return OK
