"""`pagemill build`: documents into a corpus, and its report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.errors import ConfigError
from .option import add_machine, add_out, add_settings
from .status import FAULTS, OK, complain, stopped

if TYPE_CHECKING:
    from ..pipelines.build.run import BuildResult, Machine


def add_build(commands: Any) -> None:
    """The command `build`."""
    command = commands.add_parser(
        "build",
        help="make a corpus of PDFs and scans, go on with one, or add to one",
        description="Read documents and write a corpus. The same command again goes on after an "
        "interruption; with more inputs it adds them.",
    )
    command.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="PDF or image file, folder, glob, zip or tar, @list.txt, or URI such as s3://...",
    )
    add_out(command, "CORPUS", help="folder or URI to write")
    add_settings(command)
    add_machine(command)
    command.add_argument(
        "--rebuild", action="store_true", help="throw away the corpus that is there first"
    )
    command.set_defaults(command=run_build)


def run_build(arguments: argparse.Namespace) -> int:
    """Build; the exit status."""
    from ..engine.config import load
    from ..pipelines.build.config import BuildConfig
    from ..pipelines.build.run import build
    from .terminal.progress import BuildProgress

    config = load(BuildConfig, arguments.config, arguments.overrides)
    passwords = read_passwords(arguments.passwords)
    with BuildProgress(stream=sys.stderr) as progress:
        try:
            result = build(
                arguments.inputs,
                arguments.out,
                config,
                machine=machine_of(arguments),
                passwords=passwords,
                rebuild=arguments.rebuild,
                progress=progress,
            )
        except KeyboardInterrupt:
            return stopped(progress.note)
    return conclude(result, arguments.out, "Every input is in the corpus already.")


def machine_of(arguments: argparse.Namespace) -> Machine:
    """What the documents are read on.

    Raises:
        ConfigError: there is no such wheel.
    """
    from ..pipelines.build.run import Machine

    if arguments.wheel is not None and not arguments.wheel.is_file():
        raise ConfigError(f"--wheel: there is no file {arguments.wheel}")
    return Machine(workers=arguments.workers, address=arguments.address, wheel=arguments.wheel)


def read_passwords(path: Path | None) -> list[tuple[str, str]]:
    """(pattern of document names, password) pairs from a file.

    Raises:
        ConfigError: it cannot be read.
    """
    if path is None:
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"--passwords: cannot read {path}: {err}") from err
    pairs = (line.rpartition("\t") for line in lines if line)
    return [(pattern or "*", password) for pattern, _, password in pairs]


def conclude(result: BuildResult, corpus: str, idle: str) -> int:
    """Draw the report of what a run changed and say how it ended; its exit status."""
    from ..engine.store.place import Place
    from ..report.corpus import write_corpus_report
    from .terminal.console import show
    from .terminal.ledger import stats_view

    if not result.documents:
        print(idle)
    show(*stats_view(result.summary))
    if result.documents:
        print(f"report: {write_corpus_report(Place.at(corpus))}")
    if result.summary.pages["written"]:
        return OK
    complain(
        "pagemill: no page was written; the reasons are above, and `pagemill explain` has more"
    )
    return FAULTS
