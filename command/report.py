"""`pagemill report`: a corpus or a training run as one HTML page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_report(commands: Any) -> None:
    """The command `report`."""
    report = commands.add_parser(
        "report",
        help="draw a corpus or a training run as one HTML page",
        description="Draws a corpus (what was written and what was left out, with pages to look "
        "at) or a training run (curves, evaluations, samples, what went wrong) as one HTML file "
        "that opens without a network. A run may still be going on.",
    )
    report.add_argument(
        "place", metavar="PLACE", help="folder or URI of a corpus, or the folder of a run"
    )
    report.add_argument("--out", type=Path, metavar="FILE", help="the page; PLACE/report.html")
    report.set_defaults(command=_report)


def _report(arguments: argparse.Namespace) -> int:
    from ..report.report import write_report

    written = write_report(arguments.place, arguments.out)
    print(f"report of the {written.kind}: {written.path}")
    return 0
