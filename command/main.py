"""The command `pagemill`: one file a command, joined, run and its errors turned into exit statuses.

argparse stays: `pagemill --help` answers in 40 ms with it, 19 of them Python itself (best of 60 on
2 cores); importing click alone makes that 60, typer 75. What either would save, one definition of
each shared option, is `option`. Heavy imports wait until a command runs.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from .. import __version__
from ..engine.errors import ConfigError, DependencyError, PagemillError
from .build import add_build
from .calibrate import add_calibrate
from .config import add_config_command
from .eval import add_eval
from .explain import add_explain
from .model import add_model
from .preview import add_preview
from .read import add_read
from .report import add_report
from .retry import add_retry
from .stats import add_stats
from .status import FAULTS, INTERRUPTED, OK, USAGE, complain
from .stream import add_stream
from .train import add_train
from .typeset import add_typeset
from .verify import add_verify

COMMANDS = (
    add_build,
    add_retry,
    add_explain,
    add_verify,
    add_stats,
    add_preview,
    add_calibrate,
    add_config_command,
    add_model,
    add_report,
    add_stream,
    add_eval,
    add_read,
    add_train,
    add_typeset,
)
"""In the order of `pagemill --help`; each adds its parser and sets `command`, which runs it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="pagemill: %(message)s")
    signal.signal(signal.SIGTERM, interrupt)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except (ConfigError, DependencyError) as err:
        complain(f"pagemill: {err}")
        return USAGE
    except PagemillError as err:
        complain(f"pagemill: {err}")
        return FAULTS
    except KeyboardInterrupt:
        complain("pagemill: stopped")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return OK


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="pagemill",
        description="Dumps of PDFs into verified WebDataset corpora, and models that read them.",
        epilog="Exit status: 0 done and every page accounted for, 1 nothing usable or faults "
        "found, 2 wrong usage or configuration, 130 interrupted.",
    )
    top.add_argument("--version", action="version", version=f"pagemill {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for add_command in COMMANDS:
        add_command(commands)
    return top


def interrupt(number: int, frame: object) -> NoReturn:
    """End on SIGTERM as on Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
