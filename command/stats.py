"""`pagemill stats`: totals, reasons, verdicts."""

from __future__ import annotations

import argparse
from typing import Any

from .option import add_corpus, add_json, json_text
from .status import OK


def add_stats(commands: Any) -> None:
    """The command `stats`."""
    command = commands.add_parser("stats", help="totals, reasons, verdicts")
    add_corpus(command)
    add_json(command)
    command.set_defaults(command=run_stats)


def run_stats(arguments: argparse.Namespace) -> int:
    """Print the totals; the exit status."""
    from ..engine.store.corpus import CorpusInfo
    from ..engine.store.ledger import read_rows, summarize
    from ..engine.store.place import Place
    from .terminal.console import show
    from .terminal.ledger import stats_view

    place = Place.at(arguments.corpus)
    info = CorpusInfo.load(place)
    summary = summarize(read_rows(place))
    if arguments.json:
        print(json_text({"status": info.status, **summary.to_dict()}))
    else:
        show(*stats_view(summary))
        if info.status == "building":
            print("The build is not finished: run the same command again to go on.")
    return OK
