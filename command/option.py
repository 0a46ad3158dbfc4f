"""The options that several commands have, each defined once.

`--set` and `--data` are the trainer's too, which torchrun starts without this folder: they are
defined in `train.arguments` and handed on here.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..train.arguments import add_data, add_set

__all__ = [
    "add_config",
    "add_corpus",
    "add_data",
    "add_json",
    "add_machine",
    "add_out",
    "add_renamed",
    "add_seed",
    "add_set",
    "add_settings",
    "add_workers",
    "json_text",
    "positive",
]


def add_corpus(command: argparse.ArgumentParser) -> None:
    """The corpus that a command reads."""
    command.add_argument("corpus", metavar="CORPUS", help="folder or URI")


def add_out(command: argparse.ArgumentParser, metavar: str, **options: Any) -> None:
    """`--out`, where the result goes.

    Args:
        command: the parser.
        metavar: what is written, such as CORPUS or FILE.
        **options: as `add_argument` has them; required unless there is a default.
    """
    command.add_argument("--out", metavar=metavar, required="default" not in options, **options)


def add_settings(
    command: argparse.ArgumentParser, *, file: str = "build.toml", example: str = "render.dpi=144"
) -> None:
    """`--config` and `--set`.

    Args:
        command: the parser.
        file: the usual name of the file with the settings; its stem names what they are of.
        example: of an override.
    """
    kind = file.removesuffix(".toml")
    listing = "pagemill config" if kind == "build" else f"pagemill config {kind}"
    add_config(command, file)
    add_set(command, f"{example}; `{listing}` lists them")


def add_config(
    command: argparse.ArgumentParser, file: str, *, option: str = "--config", of: str = ""
) -> None:
    """`--config`, or another option that names a file of settings."""
    what = f"settings {of} as TOML" if of else "settings as TOML"
    command.add_argument(option, type=Path, metavar=file, help=what)


def add_seed(command: argparse.ArgumentParser, of: str) -> None:
    """`--seed`."""
    command.add_argument("--seed", type=int, default=0, metavar="N", help=f"of {of}; 0")


def add_json(command: argparse.ArgumentParser, what: str = "the same for programs") -> None:
    """`--json`, in place of text."""
    command.add_argument("--json", action="store_true", help=what)


def add_workers(command: argparse.ArgumentParser, what: str) -> None:
    """`--workers`, processes on this machine or on the cluster."""
    command.add_argument(
        "--workers", type=positive, default=0, metavar="N", help=f"{what}; one a CPU"
    )


def add_address(command: argparse.ArgumentParser) -> None:
    """`--address` of a Ray cluster."""
    command.add_argument(
        "--address", metavar="auto|ray://HOST:PORT", help="a Ray cluster; else Ray starts here"
    )


def add_machine(command: argparse.ArgumentParser) -> None:
    """What documents are read on, and with which passwords."""
    add_workers(command, "reader processes")
    add_address(command)
    command.add_argument(
        "--wheel", type=Path, metavar="FILE", help="pagemill's wheel, for nodes that lack it"
    )
    command.add_argument(
        "--passwords",
        type=Path,
        metavar="FILE",
        help="one password a line, or PATTERN<tab>PASSWORD for documents of that name",
    )


def add_renamed(command: argparse.ArgumentParser, old: str, new: str) -> None:
    """An option of earlier versions, which now names its successor."""
    command.add_argument(old, action=_Renamed, dest=argparse.SUPPRESS, const=new)


class _Renamed(argparse.Action):
    """Ends the program with the new name of an option."""

    def __init__(self, option_strings: Any, dest: str, const: str) -> None:
        super().__init__(option_strings, dest, nargs="?", const=const, help=argparse.SUPPRESS)

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        parser.error(f"{self.option_strings[0]} is now called {self.const}")


def positive(text: str) -> int:
    """A whole number of at least 1, as the type of an argument."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return value


def json_text(value: object) -> str:
    """What `--json` prints."""
    return json.dumps(value, indent=2, ensure_ascii=False)
