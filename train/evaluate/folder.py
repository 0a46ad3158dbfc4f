"""Models on disk: a folder of a model, a checkpoint of a run, or the run itself."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import torch
from transformers import AutoProcessor
from transformers.utils.logging import disable_progress_bar

from ... import model as model_package
from ...engine.errors import CheckpointError, ConfigError
from ...model import PagemillForConditionalGeneration
from ...model.weights.pack import DTYPES
from .reader import ModelReader

STEP = re.compile(r"step-(\d+)")
STAGE = re.compile(r"(\d+)-")
COMPLETE = "checkpoint.json"
"""Is written last: a checkpoint without it is not whole."""
SHIPPED = "small"


def quiet() -> None:
    """Keep transformers from drawing bars and from telling every retry: for commands."""
    disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def model_folder(path: Path) -> Path:
    """The folder that `from_pretrained` reads.

    Args:
        path: that folder, a checkpoint with it as `model/`, or a run with such `checkpoints/`, of
            which the newest complete one is taken; of a run of several stages that of the last one
            that has any.

    Raises:
        CheckpointError: there is none; says what was looked for.
    """
    if (path / "config.json").is_file():
        return path
    if not (path / "checkpoints").is_dir() and (stages := stages_of(path)):
        path = stages[-1]
    checkpoint = path
    if (path / "checkpoints").is_dir():
        steps = {
            int(found.group(1)): one
            for one in (path / "checkpoints").iterdir()
            if (found := STEP.fullmatch(one.name)) and (one / COMPLETE).is_file()
        }
        if not steps:
            raise CheckpointError(
                f"the run {path} has no complete checkpoint yet: wait for its first one"
            )
        checkpoint = steps[max(steps)]
    if (checkpoint / "model" / "config.json").is_file():
        return checkpoint / "model"
    if not path.exists():
        raise CheckpointError(f"there is no model in {path}: the folder does not exist")
    raise CheckpointError(
        f"there is no model in {path}: name a folder with a config.json, a checkpoint such as "
        "checkpoints/step-000300, or the folder of a run"
    )


def stages_of(path: Path) -> list[Path]:
    """Folders of a run's stages that have a complete checkpoint, in their order."""
    found = sorted(
        (int(number[1]), one)
        for one in (path.iterdir() if path.is_dir() else ())
        if (number := STAGE.match(one.name)) and any(one.glob(f"checkpoints/step-*/{COMPLETE}"))
    )
    return [one for _, one in found]


def shipped_folder() -> Path:
    """The folder of the model in this package.

    Raises:
        ConfigError: this version has none.
    """
    folder = Path(model_package.__path__[0]) / "pretrained" / SHIPPED
    if not (folder / "config.json").is_file():
        raise ConfigError(
            "this version of Pagemill comes without trained weights. Train a model and name it: "
            "pagemill train small --data CORPUS --out RUN, then --checkpoint RUN"
        )
    return folder


def load_reader(path: Path, *, name: str = "", dtype: str = "") -> ModelReader:
    """A model on disk as a reader, on a GPU if there is one.

    Args:
        path: as `model_folder` takes it.
        name: under which it is listed; that of the folder when left out.
        dtype: float32, bfloat16 or float16; that of the file on a GPU and float32 on a CPU when
            left out.

    Raises:
        CheckpointError: there is none, or it cannot be read.
        ConfigError: it is a model of another kind, or an unknown type.
    """
    if dtype and dtype not in DTYPES:
        raise ConfigError(f"dtype is {dtype!r}; there are: {', '.join(DTYPES)}")
    folder = model_folder(path)
    kind = kind_of(folder)
    if kind != "pagemill":
        raise ConfigError(
            f"{folder} is a model of the kind {kind!r}, not one of Pagemill: name it with --model"
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = PagemillForConditionalGeneration.from_pretrained(
            folder,
            dtype=DTYPES[dtype] if dtype else "auto" if device == "cuda" else torch.float32,
            local_files_only=True,
        )
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as err:
        raise CheckpointError(f"the model in {folder} cannot be read: {err}") from err
    return ModelReader(model.to(device).eval(), processor, name or path.resolve().name)


def kind_of(folder: Path) -> str:
    """The `model_type` of a folder.

    Raises:
        CheckpointError: its config.json is not one.
    """
    try:
        tree = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return str(tree["model_type"])
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise CheckpointError(f"{folder}/config.json names no model_type: {err!r}") from err
