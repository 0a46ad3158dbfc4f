"""`pagemill read`: the text of PDFs and images, read by a model from their pixels."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ..engine.errors import ConfigError
from .extra import need_torch
from .option import add_json

FORM_FEED = "\f"


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
    command.add_argument("--pages", metavar="P", help="such as 1-3,7; all without")
    command.add_argument(
        "--most-tokens", type=int, default=4096, metavar="N", help="of a page's text; 4096"
    )
    command.add_argument(
        "--batch", type=int, default=4, metavar="N", help="pages of a file read at once; 4"
    )
    command.add_argument(
        "--dtype", default="", metavar="T",
        help="float32, as a rule on a CPU, or bfloat16, faster on processors that compute it",
    )  # fmt: skip
    add_json(command, "one JSON object a page, one a line")
    command.set_defaults(command=_read)


def _read(arguments: argparse.Namespace) -> int:
    need_torch()
    from ..model.folder import shipped_folder
    from ..model.load import load_reader, quiet_transformers
    from ..serve.read.read import Pages, ReadFault, read_files

    pages = Pages.parse(arguments.pages) if arguments.pages else Pages()
    if arguments.most_tokens < 1:
        raise ConfigError(f"--most-tokens is {arguments.most_tokens}; it is at least 1")
    quiet_transformers()
    reader = load_reader(arguments.checkpoint or shipped_folder(), dtype=arguments.dtype)
    faults, printed = 0, 0
    for one in read_files(
        reader,
        arguments.files,
        dpi=arguments.dpi,
        pages=pages,
        most_tokens=arguments.most_tokens,
        batch=arguments.batch,
    ):
        if isinstance(one, ReadFault):
            faults += 1
            print(f"pagemill: {one}", file=sys.stderr, flush=True)
            continue
        if one.truncated:
            where = f"{one.path}, page {one.page_index + 1}"
            print(
                f"pagemill: {where}: cut off after {arguments.most_tokens} tokens", file=sys.stderr
            )
        if arguments.json:
            print(json.dumps(one.to_dict(), ensure_ascii=False), flush=True)
        else:
            print(f"{FORM_FEED if printed else ''}{one.text}", flush=True)
        printed += 1
    return 1 if faults else 0
