"""Recipes: those that ship load; settings for all stages or one; what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagemill.engine.config import describe, from_tree, to_toml, to_tree
from pagemill.engine.errors import ConfigError
from pagemill.train.recipe import Recipe, read_recipe
from pagemill.train.recipe.recipe import PARTS, SHIPPED, from_weights
from pagemill.train.trainer import check_fits

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


@pytest.mark.parametrize("name", SHIPPED)
def test_those_that_ship_load_and_fit_their_ranks(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    stages = read_recipe(name, ['data.corpora=["x"]'])
    assert all(stage.data.corpora == ("x",) for stage in stages)
    for stage in stages:
        check_fits(stage, {"base": 8, "minicpm-v-4.5": 32}.get(name, 1))
        assert from_tree(Recipe, to_tree(stage)) == stage
    names = [stage.name for stage in stages]
    if name in ("base", "minicpm-v-4.5"):
        assert names == ["align", "read", "joint", "decay", "sft"]
        trains = [set(stage.trains) for stage in stages]
        assert trains[:3] == [{"connector"}, {"tower", "connector"}, set(PARTS)]
        assert stages[0].frozen == ("tower", "language_model")
    elif name == "small":
        assert names == ["lines", "blocks", "pages", "decay"]
    else:
        assert names == [name]


def test_a_stage_has_the_settings_above_it_and_its_own(two):
    align, joint = read_recipe(two)
    assert (align.name, align.steps, align.optim.lr, align.optim.clip) == ("align", 7, 2e-3, 0.5)
    assert (joint.name, joint.steps, joint.optim.lr, joint.optim.clip) == ("joint", 9, 1e-3, 0.5)
    assert (align.trains, joint.trains) == (("connector",), PARTS)


def test_overrides_hold_for_all_stages_or_one(two):
    align, joint = read_recipe(two, ["seed=8", "optim.lr=5e-4", "joint.optim.lr=1e-5"])
    assert (align.seed, joint.seed) == (8, 8)
    assert (align.optim.lr, joint.optim.lr) == (5e-4, 1e-5)
    assert (align.optim.clip, joint.optim.clip) == (0.5, 0.5)


def test_a_file_without_stages_is_one(tmp_path):
    path = tmp_path / "one.toml"
    path.write_text('name = "mine"\nsteps = 3\n')
    [only] = read_recipe(str(path), ["mine.seed=4"])
    assert (only.name, only.steps, only.seed) == ("mine", 3, 4)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["optim.lrr=1"], "'optim.lrr'; the nearest is 'optim.lr'"),
        (["joint.paralel.zero=1"], "'paralel'; the nearest is 'parallel'"),
        (["stream.pack.budget_token=9"], "the nearest is 'stream.pack.budget_tokens'"),
        (["optim=1"], "optim is a section"),
        (["steps=ten"], "steps is 'ten'; it takes a value of type int"),
        (["steps=0"], "steps is 0"),
        (['trains=["head"]'], "parts are: tower, connector, language_model"),
        (["align.lora.rank=8"], "language_model is not among trains"),
        (["parallel.zero=2"], "needs parallel.engine"),
        (["parallel.offload=cpu"], "needs zero above 0"),
        (["parallel.dtype=float16"], "float32 or bfloat16"),
        (["pace.kind=linear"], "wsd, cosine, constant"),
        (["pace.warmup=0.9", "pace.decay=0.2"], "together at most 1"),
        (["data.weights=[1.0]"], "data.weights has 1 entries, data.corpora 0"),
        (["optim.lr=0"], "lr is above 0"),
        (["guard.most_skips=0"], "at least 1"),
        (["checkpoint.keep_last=0"], "keep_last at least 1"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(two, overrides, told):
    with pytest.raises(ConfigError) as err:
        read_recipe(two, overrides)
    assert told in str(err.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[stage]]\nname = "optim"\n', "optim is a section, so no stage"),
        ('[[stage]]\nname = "a"\n[[stage]]\nname = "a"\n', "the same name"),
        ("[stage]\nname = 'a'\n", r"written as \[\[stage\]\]"),
        ("[[stage]]\nname = 'a'\nstepz = 3\n", "the nearest is 'steps'"),
        ("steps = \n", "is not TOML"),
    ],
)
def test_a_file_that_is_no_recipe_says_why(tmp_path, text, told):
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        read_recipe(str(path))


def test_a_recipe_that_is_not_there_names_those_that_are():
    with pytest.raises(ConfigError, match=r"demo, small, base, minicpm-v-4\.5"):
        read_recipe("nowhere.toml")


def test_a_resolved_stage_is_read_again_from_what_a_run_keeps(two, tmp_path):
    for stage in read_recipe(two, ["data.corpora=['a\\\"b']"]):
        path = tmp_path / f"{stage.name}-kept.toml"
        path.write_text(to_toml(stage))
        assert read_recipe(str(path)) == (stage,)


def test_every_setting_says_what_it_is():
    assert not [name for name, _, meaning in describe(Recipe) if not meaning]


def test_packs_that_ranks_cannot_share_are_refused(two):
    stage, _ = read_recipe(two, ["stream.pack.global_packs=12", "parallel.micro_packs=2"])
    check_fits(stage, 3)
    with pytest.raises(ConfigError, match=r"global_packs is 12.*4 ranks times.*micro_packs.*2"):
        check_fits(stage, 4)


def test_later_stages_begin_with_the_weights_of_earlier_ones(two):
    _, second = read_recipe(two)
    moved = from_weights(second, Path("runs/1-align/model"))
    assert moved.model.start == "runs/1-align/model"
    assert (moved.optim, moved.steps, moved.name) == (second.optim, second.steps, "joint")
