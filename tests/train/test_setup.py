"""What a stage needs before its first step."""

from __future__ import annotations

import pytest
from pagemill.engine.errors import ConfigError
from pagemill.train.recipe import read_recipe
from pagemill.train.setup import check_fits

TWO = """
steps = 7
seed = 3
[optim]
lr = 1e-3
clip = 0.5
[[stage]]
name = "align"
trains = ["connector"]
optim = { lr = 2e-3 }
[[stage]]
name = "joint"
steps = 9
"""


@pytest.fixture
def two(tmp_path) -> str:
    path = tmp_path / "two.toml"
    path.write_text(TWO)
    return str(path)


def test_packs_that_ranks_cannot_share_are_refused(two):
    stage, _ = read_recipe(two, ["stream.pack.global_packs=12", "parallel.micro_packs=2"])
    check_fits(stage, 3)
    with pytest.raises(ConfigError, match=r"global_packs is 12.*4 ranks times.*micro_packs.*2"):
        check_fits(stage, 4)
