"""`pagemill calibrate`: what each severity does to reading, measured with OCR engines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .option import (
    add_address,
    add_corpus,
    add_out,
    add_renamed,
    add_seed,
    add_workers,
    positive,
)
from .status import FAULTS, OK, complain, stopped


def add_calibrate(commands: Any) -> None:
    """The command `calibrate`."""
    command = commands.add_parser(
        "calibrate",
        help="measure with OCR engines what each severity does to reading",
        description="Reads lines of a corpus at every severity of every operator and writes the "
        "table that levels are defined by. A stopped run goes on where it was.",
    )
    add_corpus(command)
    add_out(command, "severity.json", type=Path, help="the table")
    command.add_argument(
        "--ocr", default="tesseract,rapidocr", metavar="A,B", help="tesseract, rapidocr"
    )
    add_renamed(command, "--engines", "--ocr")
    command.add_argument(
        "--lines",
        type=positive,
        default=40,
        metavar="N",
        help="lines an operator and x-height; 40",
    )
    add_seed(command, "the noise")
    add_workers(command, "reading processes")
    add_address(command)
    command.set_defaults(command=run_calibrate)


def run_calibrate(arguments: argparse.Namespace) -> int:
    """Measure; the exit status."""
    from ..engine.store.place import Place
    from ..pipelines.calibrate.run import calibrate
    from ..pipelines.calibrate.table import Calibration
    from .terminal.meter import Meter

    calibration = Calibration(
        engines=tuple(arguments.ocr.split(",")),
        lines=arguments.lines,
        seed=arguments.seed,
        workers=arguments.workers,
        address=arguments.address,
        command=f"pagemill calibrate {Path(arguments.corpus).name} --ocr {arguments.ocr} "
        f"--lines {arguments.lines} --seed {arguments.seed}",
    )
    try:
        with Meter("calibrate", unit="lines") as meter:
            table = calibrate(Place.at(arguments.corpus), arguments.out, calibration, meter)
    except KeyboardInterrupt:
        return stopped(complain)
    header = table.header
    print(
        f"{header['readings']:,} readings of {header['lines']:,} lines from "
        f"{header['documents']} documents: {arguments.out}"
    )
    if header["lines_that_failed"]:
        complain(f"{header['lines_that_failed']:,} lines could not be read and do not count")
    if header["operators_left_out"]:
        complain(
            f"left out, because most of their lines could not be read: "
            f"{', '.join(header['operators_left_out'])}; the same command again measures these"
        )
        return FAULTS
    return OK
