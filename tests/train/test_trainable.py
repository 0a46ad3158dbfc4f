"""Parts that do not learn."""

from __future__ import annotations

import pytest
import torch
from pagemill.train.initial import initial_model
from pagemill.train.recipe import PARTS
from pagemill.train.trainable import part_of
from safetensors.torch import load_file
from support.trained import (
    Job,
    pieces,
    train_job,
)


@pytest.mark.parametrize(
    "trains",
    [("connector",), pytest.param(("tower", "language_model"), marks=pytest.mark.slow)],
)
def test_frozen_parts_stay_to_the_bit(corpora, tmp_path, trains):
    listed = ", ".join(f'"{part}"' for part in trains)
    job = Job(corpus=corpora[0], out=str(tmp_path), settings=("steps=2", f"trains=[{listed}]"))
    before = initial_model(job.recipe())[0].state_dict()
    result = train_job(job)
    after = load_file(result.checkpoint / "model" / "model.safetensors")
    moved = {part_of(name) for name, one in after.items() if not torch.equal(one, before[name])}
    assert moved == set(trains)
    assert {part_of(name) for name in after} == set(PARTS)
    assert {part_of(name) for name, _ in pieces(tmp_path)} == set(trains)
