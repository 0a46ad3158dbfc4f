"""The model and processor that a run begins with: new ones, or those in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import google_crc32c
import torch
from transformers import AutoProcessor

from ..engine.errors import CheckpointError, ConfigError
from ..model import PagemillForConditionalGeneration, preset
from ..model.create import load_tokenizer, processor_for
from .recipe import Recipe

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
ENDS_BYTES = 1 << 20
"""Of each end of a file of weights that its fingerprint is made from."""


def initial_model(recipe: Recipe) -> tuple[Any, Any]:
    """(model, processor), on the CPU, in the type of the computation.

    Raises:
        ConfigError: an unknown preset, a tokenizer that does not fit, or a folder without a model.
    """
    dtype = DTYPES[recipe.parallel.dtype]
    if recipe.model.start:
        return load_initial(Path(recipe.model.start), recipe, dtype)
    config = preset(recipe.model.preset)
    folder = Path(recipe.model.tokenizer) if recipe.model.tokenizer else None
    tokenizer = load_tokenizer(recipe.model.preset, config, folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = PagemillForConditionalGeneration._from_config(config, dtype=torch.float32)
    return model.to(dtype), processor_for(config, tokenizer, **image_settings(recipe))


def load_initial(folder: Path, recipe: Recipe, dtype: torch.dtype) -> tuple[Any, Any]:
    """The model and processor in a folder."""
    if not (folder / "config.json").is_file():
        raise ConfigError(
            f"model.start is {folder}, where there is no config.json: name a folder that "
            "from_pretrained reads, such as model/ in a checkpoint"
        )
    model = PagemillForConditionalGeneration.from_pretrained(
        folder, dtype=dtype, local_files_only=True
    )
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    for name, value in image_settings(recipe).items():
        setattr(processor.image_processor, name, value)
    return model, processor


def image_settings(recipe: Recipe) -> dict[str, int]:
    """Settings of the image processor that the recipe names."""
    names = ("scale_resolution", "max_slice_nums")
    values = {name: getattr(recipe.model, name) for name in names}
    return {name: value for name, value in values.items() if value}


def weights_fingerprint(recipe: Recipe) -> str:
    """Names the weights that a run began with, by sizes and both ends of their files.

    Raises:
        CheckpointError: they are gone.
    """
    if not recipe.model.start:
        return f"new-{recipe.model.preset}-{recipe.seed}"
    folder = Path(recipe.model.start)
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise CheckpointError(
            f"the run began with the weights in {folder}, and there are none now: put them back"
        )
    crc = 0
    for path in files:
        size = path.stat().st_size
        with path.open("rb") as stream:
            crc = google_crc32c.extend(crc, f"{path.name} {size}".encode())
            crc = google_crc32c.extend(crc, stream.read(ENDS_BYTES))
            stream.seek(max(0, size - ENDS_BYTES))
            crc = google_crc32c.extend(crc, stream.read(ENDS_BYTES))
    return f"{crc:08x}"
