"""`pagemill explain`: the fate of a page or document, with evidence."""

from __future__ import annotations

import argparse
from typing import Any

from ..engine.errors import ConfigError
from .option import add_corpus, add_json, json_text
from .status import OK


def add_explain(commands: Any) -> None:
    """The command `explain`."""
    command = commands.add_parser("explain", help="the fate of a page or document, with evidence")
    add_corpus(command)
    command.add_argument("key", metavar="KEY|FILE", nargs="?", help="page key, hash or file name")
    command.add_argument(
        "--status", choices=("written", "rejected", "failed"), help="all of this fate"
    )
    command.add_argument("--reason", metavar="R", help="all with this reason")
    add_json(command)
    command.set_defaults(command=run_explain)


def run_explain(arguments: argparse.Namespace) -> int:
    """Explain; the exit status."""
    from ..engine.store.explain import explain_key, explain_rows, row_dict
    from ..engine.store.ledger import to_rows
    from ..engine.store.place import Place
    from .terminal.console import show_each
    from .terminal.ledger import explanation_view, rows_view

    place = Place.at(arguments.corpus)
    if arguments.key:
        explanation = explain_key(place, arguments.key)
        if arguments.json:
            print(json_text(explanation.to_dict()))
        else:
            show_each(explanation_view(explanation))
    elif arguments.status or arguments.reason:
        rows = to_rows(explain_rows(place, status=arguments.status, reason=arguments.reason))
        if arguments.json:
            print(json_text([row_dict(row) for row in rows]))
        else:
            show_each(rows_view(rows))
    else:
        raise ConfigError("explain takes a page key, a hash or file name, or --status or --reason")
    return OK
