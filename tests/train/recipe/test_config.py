"""Settings of a recipe: each says what it is; what cannot be is refused with its name."""

from __future__ import annotations

import pytest
from pagemill.engine.config import describe
from pagemill.engine.errors import ConfigError
from pagemill.train.recipe import Recipe, read_recipe
from support.recipes import write_two_stages


@pytest.fixture
def two(tmp_path) -> str:
    return write_two_stages(tmp_path)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["optim.lrr=1"], "'optim.lrr'; the nearest is 'optim.lr'"),
        (["joint.paralel.zero=1"], "'paralel'; the nearest is 'parallel'"),
        (["stream.pack.budget_token=9"], "the nearest is 'stream.pack.budget_tokens'"),
        (["optim=1"], "optim is a section"),
        (["steps=ten"], "steps is 'ten'; it takes a value of type int"),
        (["steps=0"], "steps is 0"),
        (['trains=["head"]'], "parts are: tower, connector, language_model"),
        (["align.lora.rank=8"], "language_model is not among trains"),
        (["parallel.zero=2"], "needs parallel.backend"),
        (["parallel.offload=cpu"], "needs zero above 0"),
        (["parallel.dtype=float16"], "float32 or bfloat16"),
        (["lr_schedule.kind=linear"], "wsd, cosine, constant"),
        (["lr_schedule.warmup=0.9", "lr_schedule.decay=0.2"], "together at most 1"),
        (["data.weights=[1.0]"], "data.weights has 1 entries, data.corpora 0"),
        (["optim.lr=0"], "lr is above 0"),
        (["guard.most_skips=0"], "guard.most_skips is 0; it is at least 1"),
        (["data.workers=-1"], "data.workers is -1; it is at least 0"),
        (["optim.tower=-0.5"], "optim.tower is -0.5; it is at least 0"),
        (["log.every=0"], "log.every is 0; it is at least 1"),
        (["pace.warmup=0.1"], "'pace' is now called 'lr_schedule'"),
        (["parallel.engine=torch"], "'parallel.engine' is now called 'parallel.backend'"),
        (["checkpoint.keep_last=0"], "checkpoint.keep_last is 0; it is at least 1"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(two, overrides, message):
    with pytest.raises(ConfigError) as err:
        read_recipe(two, overrides)
    assert message in str(err.value)


def test_every_setting_says_what_it_is():
    assert not [name for name, _, meaning in describe(Recipe) if not meaning]
