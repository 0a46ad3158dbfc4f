"""Models on disk: alone, in a checkpoint, in a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.model import folder
from pagemill.model.folder import model_folder, model_type, shipped_folder


def write_model(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "config.json").write_text('{"model_type": "pagemill"}', encoding="utf-8")
    return path


def write_run(run: Path, steps: dict[int, bool]) -> Path:
    """A run with these checkpoints, which are whole or not."""
    for step, whole in steps.items():
        checkpoint = run / "checkpoints" / f"step-{step:06d}"
        write_model(checkpoint / "model")
        if whole:
            (checkpoint / "checkpoint.json").write_text("{}", encoding="utf-8")
    return run


def test_a_folder_of_a_model_is_taken_as_it_is(tmp_path):
    model = write_model(tmp_path / "nano")
    assert model_folder(model) == model
    assert model_type(model) == "pagemill"


def test_of_a_run_the_newest_complete_checkpoint_is_taken(tmp_path):
    run = write_run(tmp_path / "run", {100: True, 2000: True, 3000: False})
    assert model_folder(run) == run / "checkpoints" / "step-002000" / "model"
    checkpoint = run / "checkpoints" / "step-000100"
    assert model_folder(checkpoint) == checkpoint / "model"


def test_of_a_run_of_several_stages_the_last_one_with_a_checkpoint_is_taken(tmp_path):
    write_run(tmp_path / "run" / "1-warm", {10: True})
    last = write_run(tmp_path / "run" / "2-full", {20: True})
    write_run(tmp_path / "run" / "10-more", {30: False})
    assert model_folder(tmp_path / "run") == last / "checkpoints" / "step-000020" / "model"


def test_where_there_is_no_model_it_says_what_was_looked_for(tmp_path):
    with pytest.raises(CheckpointError, match="does not exist"):
        model_folder(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match=r"name a folder with a config\.json"):
        model_folder(tmp_path)
    with pytest.raises(CheckpointError, match="no complete checkpoint yet"):
        model_folder(write_run(tmp_path / "run", {1: False}))
    (tmp_path / "config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(CheckpointError, match="names no model_type"):
        model_type(tmp_path)


def test_without_shipped_weights_it_says_how_to_get_some(monkeypatch, tmp_path):
    monkeypatch.setattr(folder, "SHIPPED", tmp_path / "small")
    with pytest.raises(ConfigError, match="pagemill train small"):
        shipped_folder()
    write_model(tmp_path / "small")
    assert shipped_folder() == tmp_path / "small"
