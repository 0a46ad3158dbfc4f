"""The command `pagemill typeset`: parse, call, print."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_typeset(commands: Any) -> None:
    """The command `typeset`."""
    typeset = commands.add_parser(
        "typeset",
        help="make a corpus of pages from texts and fonts",
        description="Typesets pages whose text is known exactly and writes them as a corpus. "
        "Needs neither Ray nor a PDF engine. The same command again goes on after an "
        "interruption.",
    )
    typeset.add_argument(
        "data",
        metavar="DATA",
        type=Path,
        help="folder of texts and fonts, as tools/make_small_data.py makes one",
    )
    typeset.add_argument("--out", required=True, metavar="CORPUS", help="folder or URI to write")
    typeset.add_argument("--pages", type=int, required=True, metavar="N", help="pages to train on")
    typeset.add_argument(
        "--held-out",
        type=int,
        default=0,
        metavar="K",
        help="pages of a split val, of other fonts and other texts; 0",
    )
    typeset.add_argument("--seed", type=int, default=0, metavar="N", help="of everything drawn; 0")
    typeset.add_argument("--config", type=Path, metavar="typeset.toml", help="settings as TOML")
    typeset.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="one setting, such as kind.line=0.5; --settings lists them",
    )
    typeset.add_argument(
        "--settings", action=_Settings, help="print all settings with their meaning, and end"
    )
    typeset.add_argument("--workers", type=int, default=0, metavar="N", help="processes; one a CPU")
    typeset.set_defaults(command=_typeset)


class _Settings(argparse.Action):
    """Prints the settings before the other arguments are asked for."""

    def __init__(self, option_strings: Any, dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        from ..engine.config import to_toml
        from ..engine.typeset.config import TypesetConfig

        print(to_toml(TypesetConfig()), end="")
        parser.exit()


def _typeset(arguments: argparse.Namespace) -> int:
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
    meter = Meter("typeset", sys.stderr, unit="pages")
    try:
        info = typeset_corpus(request, arguments.out, workers=arguments.workers, progress=meter)
    except KeyboardInterrupt:
        meter.close()
        print(
            "Stopped. Shards that are done are kept: the same command again goes on.",
            file=sys.stderr,
        )
        raise
    finally:
        meter.close()
    size = sum(entry.bytes for entry in info.shards)
    for split, entries in info.splits.items():
        print(f"{split}: {sum(e.samples for e in entries):,} pages in {len(entries)} shards")
    print(f"{size / 1e6:,.1f} MB: {arguments.out}")
    if failed := info.totals["pages"]["failed"]:
        print(
            f"{failed} pages failed inside Pagemill and are left out: please report the message "
            "of their rows in the ledger",
            file=sys.stderr,
        )
    return 0
