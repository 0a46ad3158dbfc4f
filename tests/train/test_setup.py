"""What a stage needs before its first step."""

from __future__ import annotations

import pytest
from pagemill.engine.errors import ConfigError
from pagemill.train.recipe import read_recipe
from pagemill.train.setup import check_fits
from support.recipes import write_two_stages


def test_packs_that_ranks_cannot_share_are_refused(tmp_path):
    recipe = write_two_stages(tmp_path)
    stage, _ = read_recipe(recipe, ["stream.pack.global_packs=12", "parallel.micro_packs=2"])
    check_fits(stage, 3)
    with pytest.raises(ConfigError, match=r"global_packs is 12.*4 ranks times.*micro_packs.*2"):
        check_fits(stage, 4)
