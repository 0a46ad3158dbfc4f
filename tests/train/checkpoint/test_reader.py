"""What is wrong with a damaged checkpoint is said."""

from __future__ import annotations

import pytest
from pagemill.engine.errors import CheckpointError
from pagemill.train.checkpoint.reader import read_checkpoint
from support.checkpoints import damage, write_checkpoints


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("summary", r"step-000002 has no checkpoint\.json: it is half-written"),
        ("torn summary", r"step-000002.checkpoint\.json is not JSON"),
        ("file", r"model.config\.json is missing"),
        ("cut", r"pieces-00-of-01\.safetensors has \d+ bytes, \d+ were written"),
        ("bit", r"pieces-00-of-01\.safetensors has another checksum"),
        ("schema", r"the schema 'other\.9'; this version reads 'pagemill\.checkpoint"),
        ("gone", "there is no checkpoint"),
    ],
)
def test_a_damaged_checkpoint_is_refused_and_says_why(tmp_path, name, message):
    [path] = write_checkpoints(tmp_path, 2)
    damage(path, name)
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(path, check=True)
