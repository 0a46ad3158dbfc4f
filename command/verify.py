"""`pagemill verify`: re-read everything and name every fault."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .option import add_corpus, add_json, json_text
from .status import FAULTS, OK


def add_verify(commands: Any) -> None:
    """The command `verify`."""
    command = commands.add_parser("verify", help="re-read everything and name every fault")
    add_corpus(command)
    add_json(command)
    command.set_defaults(command=run_verify)


def run_verify(arguments: argparse.Namespace) -> int:
    """Verify; the exit status."""
    from ..engine.store.place import Place
    from ..engine.verify.corpus import verify
    from .terminal.console import show_each
    from .terminal.fault import faults_view
    from .terminal.meter import Meter

    with Meter("verify") as meter:
        faults = verify(Place.at(arguments.corpus), progress=meter)
    if arguments.json:
        rows = [
            {"shard": f.shard, "key": f.key, "kind": str(f.kind), "message": f.message}
            for f in faults
        ]
        print(json_text({"faults": rows}))
    else:
        show_each(faults_view(faults, arguments.corpus, sys.stdout))
    return FAULTS if faults else OK
