"""`make gpu DRY=1`: what a borrowed accelerator will be asked for, a few steps of it on a CPU."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "examples" / "documents" / "constitution-en.pdf"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_everything_a_gpu_will_do_goes_through_on_a_cpu(folder, tmp_path):
    words = ["make", "gpu", "DRY=1", f"USE={sys.executable}", f"GPU_OUT={tmp_path}"]
    words += [f"DATA={DOCUMENT}", f"READER_DATA={folder}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3000, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "test_gpu.py" in done.stdout
    results = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert set(results) == {"model", "train-bare"}
    assert (tmp_path / "reader" / "packed" / "config.json").is_file()
    assert (tmp_path / "reader" / "run" / "report.html").is_file()
