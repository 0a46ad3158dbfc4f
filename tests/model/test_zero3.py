"""Under ZeRO-3 a rank without pictures must not keep the others waiting."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 170


@pytest.mark.parametrize(
    "connector", ["resampler3d", pytest.param("shuffle_mlp", marks=pytest.mark.slow)]
)
def test_a_text_only_rank_finishes_beside_one_with_a_picture(connector):
    environment = {
        **os.environ, "CONNECTOR": connector, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
         "tests/support/ranks.py"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    losses = dict(re.findall(r"rank (\d) loss ([\d.]+)", done.stdout))
    assert set(losses) == {"0", "1"}
    first = re.findall(r"rank 0 loss ([\d.]+)", done.stdout)
    assert len(first) == 2
    assert float(first[1]) < float(first[0])
