"""A tiny checkpoint in the released layout, and what becomes of it when it is imported."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagemill.model import PagemillForConditionalGeneration
from pagemill.model.weights import import_checkpoint
from support.released import (
    filled,
    released_shapes,
    write_released,
)
from torch import Tensor
from transformers import (
    AutoModelForImageTextToText,
)


@pytest.fixture(scope="session")
def tensors() -> dict[str, Tensor]:
    return filled(released_shapes())


@pytest.fixture(scope="session")
def released(tmp_path_factory, tensors) -> Path:
    return write_released(tmp_path_factory.mktemp("released") / "sharded", tensors, shards=3)


@pytest.fixture(scope="session")
def imported(tmp_path_factory, released) -> Path:
    out = tmp_path_factory.mktemp("imported") / "out"
    import_checkpoint(released, out, layout="minicpm-v-4.5", shard_bytes=1_000_000)
    return out


@pytest.fixture(scope="session")
def model(imported) -> PagemillForConditionalGeneration:
    return AutoModelForImageTextToText.from_pretrained(imported).eval()
