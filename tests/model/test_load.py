"""Loading models from disk."""

from __future__ import annotations

import pytest
import torch
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.model.load import load_model, load_processor, load_reader


def test_a_model_of_another_kind_is_named_as_such(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "qwen3"}', encoding="utf-8")
    with pytest.raises(ConfigError, match="'qwen3', not one of Pagemill: name it with --model"):
        load_reader(tmp_path)


def test_a_reader_is_ready_to_read_and_has_the_name_of_its_folder(nano_folder):
    reader = load_reader(nano_folder)
    assert reader.name == nano_folder.name
    assert not reader.model.training
    assert load_reader(nano_folder, name="mine").name == "mine"


def test_a_model_comes_in_the_type_that_is_asked_for(nano_folder):
    assert load_model(nano_folder, dtype="bfloat16").dtype == torch.bfloat16
    with pytest.raises(ConfigError, match="dtype is 'int8'; there are: float32"):
        load_model(nano_folder, dtype="int8")


def test_a_damaged_model_is_refused(nano_folder, tmp_path):
    (tmp_path / "config.json").write_bytes((nano_folder / "config.json").read_bytes())
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_model(tmp_path)


def test_a_processor_is_that_of_the_folder_or_the_default_one(nano_folder, tmp_path):
    assert load_processor(nano_folder).image_processor.scale_resolution == 84
    assert load_processor().image_processor.scale_resolution == 448
    with pytest.raises(ConfigError, match="has no processor"):
        load_processor(tmp_path)
