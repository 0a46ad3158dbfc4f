"""`pagemill retry`: read again what failed, and only that."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .build import conclude, machine_of, read_passwords
from .option import add_corpus, add_machine, add_set
from .status import stopped


def add_retry(commands: Any) -> None:
    """The command `retry`."""
    command = commands.add_parser("retry", help="read again what failed, and only that")
    add_corpus(command)
    command.add_argument("--reason", metavar="R", help="only failures with this reason")
    add_set(command, "limits.page_deadline_s=120; limits only")
    add_machine(command)
    command.set_defaults(command=run_retry)


def run_retry(arguments: argparse.Namespace) -> int:
    """Read again; the exit status."""
    from ..engine.reason import Reason
    from ..pipelines.build.retry import retry
    from .terminal.progress import BuildProgress

    reason = None if arguments.reason is None else str(Reason.parse(arguments.reason))
    passwords = read_passwords(arguments.passwords)
    with BuildProgress(stream=sys.stderr) as progress:
        try:
            result = retry(
                arguments.corpus,
                reason=reason,
                overrides=arguments.overrides,
                machine=machine_of(arguments),
                passwords=passwords,
                progress=progress,
            )
        except KeyboardInterrupt:
            return stopped(progress.note)
    return conclude(result, arguments.corpus, "Nothing failed that could be tried again.")
