"""Where a model lies on disk: in a folder of its own, in a checkpoint of a run, or in the run."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ..engine.errors import CheckpointError, ConfigError

CONFIG = "config.json"
CHECKPOINT = "checkpoint.json"
"""Is written last: a checkpoint without it is not whole."""
STEP = re.compile(r"step-(\d+)")
STAGE = re.compile(r"(\d+)-")
SHIPPED = Path(__file__).parent / "pretrained" / "small"
"""The model in this package, where a version has one."""


def model_folder(path: Path) -> Path:
    """The folder that `from_pretrained` reads.

    Args:
        path: that folder, a checkpoint with it as `model/`, or a run with such `checkpoints/`, of
            which the newest complete one is taken; of a run of several stages that of the last one
            that has any.

    Raises:
        CheckpointError: there is none; says what was looked for.
    """
    if (path / CONFIG).is_file():
        return path
    if not (path / "checkpoints").is_dir() and (stages := stages_of(path)):
        path = stages[-1]
    checkpoint = newest_checkpoint(path) if (path / "checkpoints").is_dir() else path
    if (checkpoint / "model" / CONFIG).is_file():
        return checkpoint / "model"
    if not path.exists():
        raise CheckpointError(f"there is no model in {path}: the folder does not exist")
    raise CheckpointError(
        f"there is no model in {path}: name a folder with a {CONFIG}, a checkpoint such as "
        "checkpoints/step-000300, or the folder of a run"
    )


def newest_checkpoint(run: Path) -> Path:
    """The newest complete checkpoint of a run.

    Raises:
        CheckpointError: it has none.
    """
    steps = {
        int(name.group(1)): path
        for path in (run / "checkpoints").iterdir()
        if (name := STEP.fullmatch(path.name)) and (path / CHECKPOINT).is_file()
    }
    if not steps:
        raise CheckpointError(
            f"the run {run} has no complete checkpoint yet: wait for its first one"
        )
    return steps[max(steps)]


def stages_of(path: Path) -> list[Path]:
    """Folders of a run's stages that have a complete checkpoint, in their order."""
    stages = sorted(
        (int(number[1]), stage)
        for stage in (path.iterdir() if path.is_dir() else ())
        if (number := STAGE.match(stage.name))
        and any(stage.glob(f"checkpoints/step-*/{CHECKPOINT}"))
    )
    return [stage for _, stage in stages]


def shipped_folder() -> Path:
    """The folder of the model in this package.

    Raises:
        ConfigError: this version has none.
    """
    if not (SHIPPED / CONFIG).is_file():
        raise ConfigError(
            "this version of Pagemill comes without trained weights. Train a model and name it: "
            "pagemill train small --data CORPUS --out RUN, then --checkpoint RUN"
        )
    return SHIPPED


def model_type(folder: Path) -> str:
    """The `model_type` of a folder.

    Raises:
        CheckpointError: its config.json is not one.
    """
    try:
        tree = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return str(tree["model_type"])
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise CheckpointError(f"{folder}/{CONFIG} names no model_type: {err!r}") from err
