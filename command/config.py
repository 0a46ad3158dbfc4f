"""`pagemill config`: all settings with their meaning, as TOML."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .extra import need_torch
from .option import add_settings
from .status import OK


def add_config_command(commands: Any) -> None:
    """The command `config`."""
    command = commands.add_parser("config", help="print all settings with their meaning")
    command.add_argument(
        "of", nargs="?", choices=tuple(SETTINGS), default="build", metavar="|".join(SETTINGS)
    )
    add_settings(command)
    command.set_defaults(command=run_config)


def run_config(arguments: argparse.Namespace) -> int:
    """Print the settings; the exit status."""
    print(SETTINGS[arguments.of](arguments.config, arguments.overrides), end="")
    return OK


def build_settings(path: Path | None, overrides: Sequence[str]) -> str:
    """Of `pagemill build`."""
    from ..engine.config import load, to_toml
    from ..pipelines.build.config import BuildConfig

    return to_toml(load(BuildConfig, path, overrides))


def corruption_settings(path: Path | None, overrides: Sequence[str]) -> str:
    """Of the corruption."""
    from ..corruption.schedule import CorruptionConfig
    from ..engine.config import load, to_toml

    return to_toml(load(CorruptionConfig, path, overrides))


def typeset_settings(path: Path | None, overrides: Sequence[str]) -> str:
    """Of `pagemill typeset`."""
    from ..engine.config import load, to_toml
    from ..engine.typeset.config import TypesetConfig

    return to_toml(load(TypesetConfig, path, overrides))


def stream_settings(path: Path | None, overrides: Sequence[str]) -> str:
    """Of the stream."""
    need_torch("the stream needs")
    from ..engine.config import load, to_toml
    from ..train.stream.config import StreamConfig

    return to_toml(load(StreamConfig, path, overrides))


def eval_settings(path: Path | None, overrides: Sequence[str]) -> str:
    """Of `pagemill eval`."""
    need_torch("an evaluation needs")
    from ..engine.config import load, to_toml
    from ..train.evaluate import EvalConfig

    return to_toml(load(EvalConfig, path, overrides))


def train_settings(path: Path | None, overrides: Sequence[str]) -> str:
    """Of a recipe; of each stage, where there are several."""
    need_torch("a recipe needs")
    from ..engine.config import load, to_toml
    from ..train.recipe import Recipe, read_recipe

    if path is None:
        return to_toml(load(Recipe, None, overrides))
    stages = read_recipe(str(path), overrides)
    return "\n".join(
        (f"# Stage {stage.name}\n" if len(stages) > 1 else "") + to_toml(stage) for stage in stages
    )


SETTINGS: dict[str, Callable[[Path | None, Sequence[str]], str]] = {
    "build": build_settings,
    "corruption": corruption_settings,
    "typeset": typeset_settings,
    "stream": stream_settings,
    "eval": eval_settings,
    "train": train_settings,
}
