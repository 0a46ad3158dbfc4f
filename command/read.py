"""`pagemill read`: the text of PDFs and images, read by a model from their pixels."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .extra import need_torch
from .option import add_json, positive
from .status import FAULTS, OK, complain

if TYPE_CHECKING:
    from ..serve.read.page import PageText, ReadFailure

FORM_FEED = "\f"
NAMED_FAILURES = 20
"""Failures that are named once more at the end; of the rest the number."""


def add_read(commands: Any) -> None:
    """The command `read`."""
    command = commands.add_parser(
        "read",
        help="print the text of PDFs and images, read by a model from their pixels",
        description="Reads page by page; a text layer is never used. Pages are parted by a form "
        "feed. Needs the extra train.",
    )
    command.add_argument("files", metavar="FILE", nargs="+", type=Path, help="PDF or image")
    command.add_argument(
        "--checkpoint", type=Path, metavar="FOLDER", help="model, checkpoint or run; else that of "
        "this package",
    )  # fmt: skip
    command.add_argument(
        "--dpi", type=float, default=144.0, metavar="N", help="of the pictures; 144"
    )
    command.add_argument(
        "--backend", default="", metavar="B", help="mupdf or poppler; the first that is installed"
    )
    command.add_argument("--pages", metavar="P", help="such as 1-3,7; all without")
    command.add_argument(
        "--most-tokens", type=positive, default=4096, metavar="N", help="of a page's text; 4096"
    )
    command.add_argument(
        "--batch", type=positive, default=4, metavar="N", help="pages of a file read at once; 4"
    )
    command.add_argument(
        "--dtype", default="", metavar="T",
        help="float32, as a rule on a CPU, or bfloat16, faster on processors that compute it",
    )  # fmt: skip
    add_json(command, "one JSON object a page, one a line")
    command.set_defaults(command=run_read)


def run_read(arguments: argparse.Namespace) -> int:
    """Print the text of files; the exit status."""
    need_torch()
    from ..model.folder import shipped_folder
    from ..model.load import load_reader, quiet_transformers
    from ..serve.read.document import installed_render
    from ..serve.read.page import ReadFailure
    from ..serve.read.read import read_files
    from ..serve.read.selection import PageSelection

    selection = PageSelection.parse(arguments.pages) if arguments.pages else PageSelection()
    render = installed_render(dpi=arguments.dpi, backend=arguments.backend)
    quiet_transformers()
    reader = load_reader(arguments.checkpoint or shipped_folder(), dtype=arguments.dtype)
    failures: list[ReadFailure] = []
    pages_read = 0
    for page in read_files(
        reader,
        arguments.files,
        render=render,
        selection=selection,
        most_tokens=arguments.most_tokens,
        batch=arguments.batch,
    ):
        if isinstance(page, ReadFailure):
            failures.append(page)
            complain(f"pagemill: {page}")
        else:
            print_page(page, arguments, first=not pages_read)
            pages_read += 1
    for line in failure_summary(failures, pages_read):
        complain(f"pagemill: {line}")
    return FAULTS if failures else OK


def print_page(page: PageText, arguments: argparse.Namespace, *, first: bool) -> None:
    """A page on standard output; that it was cut off on standard error."""
    from ..serve.read.page import place_name

    if page.truncated:
        place = place_name(page.path, page.page_index)
        complain(f"pagemill: {place}: cut off after {arguments.most_tokens} tokens")
    if arguments.json:
        print(json.dumps(page.to_dict(), ensure_ascii=False), flush=True)
    else:
        print(f"{'' if first else FORM_FEED}{page.text}", flush=True)


def failure_summary(failures: Sequence[ReadFailure], pages_read: int) -> Iterator[str]:
    """How much was read, and what was not with the word for the reason; nothing if all was."""
    if not failures:
        return
    from ..serve.read.page import place_name

    yield f"pages read: {pages_read:,}; files or pages that could not be read: {len(failures):,}"
    for failure in failures[:NAMED_FAILURES]:
        yield f"  {place_name(failure.path, failure.page_index)} ({failure.reason})"
    if len(failures) > NAMED_FAILURES:
        yield f"  and {len(failures) - NAMED_FAILURES:,} more, named above"
