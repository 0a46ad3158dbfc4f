"""The scripts of `examples/` run from end to end on a small corpus, and are short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pagemill.model import PagemillForConditionalGeneration, preset

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STREAM = "window_samples = 16\n[pack]\nbudget_tokens = 512\nbudget_slices = 24\nglobal_packs = 1\n"
DEADLINE_S = 170
MOST_LINES = 60


def run(name: str, *words: object) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, words)],
        capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def model(processor, tmp_path_factory) -> Path:
    """A model with random weights that takes small slices."""
    folder = tmp_path_factory.mktemp("model") / "nano"
    PagemillForConditionalGeneration(preset("nano", query_num=8)).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def test_every_script_is_tried_here_and_short():
    scripts = {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.py")}
    assert set(scripts) == {"read_shards.py", "train_with_hf_trainer.py", "evaluate_a_model.py"}
    for name, text in scripts.items():
        assert text.count("\n") < MOST_LINES, name


def test_shards_are_read_three_ways(corpora):
    shown = run("read_shards.py", corpora[0]).splitlines()
    assert shown[0] == "63 pages in 6 shards"
    typed, tars = shown[1:4], shown[4:7]
    assert [line.split()[0] for line in typed] == [line.split()[0] for line in tars]
    assert "corrupted regions" in shown[7]


def test_the_trainer_of_transformers_learns_and_its_model_is_evaluated(corpora, model, tmp_path):
    (tmp_path / "stream.toml").write_text(STREAM, encoding="utf-8")
    words = ("--steps", 2, "--config", tmp_path / "stream.toml", "--out", tmp_path / "out")
    learned = run("train_with_hf_trainer.py", corpora[0], model, *words)
    assert learned.count("'loss'") == 2
    words = ("--split", "train", "--pages", 2, "--most-new-tokens", 16)
    figures = json.loads(run("evaluate_a_model.py", tmp_path / "out", corpora[1], *words))
    assert figures["reader"]["name"] == "out"
    assert figures["failed"] == 0
