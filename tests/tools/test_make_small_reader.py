"""The small reader from texts and fonts to packed weights: stopped by the clock, gone on with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pagemill.model.load import load_reader

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = (
    "model.preset=nano", "lines.steps=3", "blocks.steps=2", "pages.steps=2", "decay.steps=2",
    "stream.pack.budget_tokens=2560", "stream.pack.budget_slices=24", "stream.window_samples=32",
    "stream.sample.most_answer_tokens=1024",
    "data.workers=0", "parallel.threads=1", "eval.pages=2", "eval.regions=4",
    "eval.most_new_tokens=16",
)  # fmt: skip


@pytest.mark.slow
def test_all_stages_to_a_packed_model(folder, tmp_path):
    out = tmp_path / "reader"
    words = [sys.executable, str(ROOT / "tools" / "make_small_reader.py"), "--out", str(out)]
    words += ["--data", str(folder), "--lines", "40", "--blocks", "40", "--pages", "30"]
    words += ["--held-out", "6", "--workers", "1"]
    words += [word for setting in SETTINGS for word in ("--set", setting)]
    first = subprocess.run([*words, "--minutes", "0.01"], check=False)
    assert first.returncode == 130
    assert not (out / "packed").exists()
    second = subprocess.run(words, check=False)
    assert second.returncode == 0
    assert load_reader(out / "packed").processor.image_processor.scale_resolution == 448
    assert (out / "run" / "report.html").is_file()
