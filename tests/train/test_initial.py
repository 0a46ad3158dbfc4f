"""The model that a run begins with."""

from __future__ import annotations

import pytest
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.train.initial import initial_model, weights_fingerprint
from support.trained import Job


def test_a_start_that_is_no_model_is_refused(corpora, tmp_path):
    recipe = Job(corpus=corpora[0], out="", settings=(f"model.start={tmp_path}",)).recipe()
    with pytest.raises(ConfigError, match=r"no config\.json"):
        initial_model(recipe)
    with pytest.raises(CheckpointError, match="there are none now"):
        weights_fingerprint(recipe)


def test_a_fingerprint_changes_with_the_weights(corpora, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(bytes(range(200)))
    recipe = Job(corpus=corpora[0], out="", settings=(f"model.start={tmp_path}",)).recipe()
    before = weights_fingerprint(recipe)
    assert before == weights_fingerprint(recipe)
    (tmp_path / "model.safetensors").write_bytes(bytes(range(199)) + b"\0")
    assert weights_fingerprint(recipe) != before
