"""A model and its processor from disk, ready to read."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from transformers import AutoProcessor, AutoTokenizer
from transformers.utils import PROCESSOR_NAME
from transformers.utils.logging import disable_progress_bar

from ..engine.errors import CheckpointError, ConfigError
from .config import PagemillConfig
from .folder import model_folder, model_type
from .image_processing import PagemillImageProcessor
from .modeling import PagemillForConditionalGeneration
from .processing import PagemillProcessor
from .reader import ModelReader
from .vocabulary import shipped
from .weights.pack import DTYPES


def load_model(path: Path | str, *, dtype: str = "") -> PagemillForConditionalGeneration:
    """A model in evaluation mode, on a GPU if there is one.

    Args:
        path: folder of a model, a checkpoint or a run, as `model_folder` takes it.
        dtype: float32, bfloat16 or float16; that of the file on a GPU and float32 on a CPU when
            left out.

    Raises:
        CheckpointError: there is none, or it cannot be read.
        ConfigError: it is a model of another kind, or an unknown type.
    """
    if dtype and dtype not in DTYPES:
        raise ConfigError(f"dtype is {dtype!r}; there are: {', '.join(DTYPES)}")
    folder = model_folder(Path(path))
    kind = model_type(folder)
    if kind != PagemillConfig.model_type:
        raise ConfigError(
            f"{folder} is a model of the kind {kind!r}, not one of Pagemill: name it with --model"
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model: PagemillForConditionalGeneration = PagemillForConditionalGeneration.from_pretrained(
            folder,
            dtype=DTYPES[dtype] if dtype else "auto" if device == "cuda" else torch.float32,
            local_files_only=True,
        )
    except (OSError, ValueError) as err:
        raise CheckpointError(f"the model in {folder} cannot be read: {err}") from err
    model.to(device)
    model.eval()
    return model


def load_processor(path: Path | str | None = None) -> PagemillProcessor:
    """The processor of a model, a checkpoint or a run; without one, the default one.

    Raises:
        ConfigError: there is none.
    """
    if path is None:
        return PagemillProcessor(PagemillImageProcessor(), AutoTokenizer.from_pretrained(shipped()))
    folder = Path(path)
    try:
        if not (folder / PROCESSOR_NAME).is_file():
            folder = model_folder(folder)
        processor: PagemillProcessor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    except (CheckpointError, OSError, ValueError) as err:
        raise ConfigError(f"{path} has no processor: {err}") from err
    return processor


def load_reader(path: Path, *, name: str = "", dtype: str = "") -> ModelReader:
    """A model on disk as a reader.

    Args:
        path: as `load_model` takes it.
        name: under which it is listed; that of the folder when left out.
        dtype: as `load_model` takes it.

    Raises:
        CheckpointError: there is none, or it cannot be read.
        ConfigError: it is a model of another kind, or an unknown type.
    """
    model = load_model(path, dtype=dtype)
    folder = model_folder(path)
    try:
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as err:
        raise CheckpointError(f"the model in {folder} cannot be read: {err}") from err
    return ModelReader(model, processor, name or path.resolve().name)


def quiet_transformers() -> None:
    """Keep transformers from drawing bars and from telling every retry: for commands."""
    disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
