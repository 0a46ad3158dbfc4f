"""Recipes: those that ship load; settings for all stages or one; what is no recipe says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagemill.engine.config import from_tree, to_toml, to_tree
from pagemill.engine.errors import ConfigError
from pagemill.train.recipe import PARTS, SHIPPED, Recipe, from_weights, read_recipe
from pagemill.train.setup import check_fits
from support.recipes import write_two_stages


@pytest.fixture
def two(tmp_path) -> str:
    return write_two_stages(tmp_path)


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
    ("text", "message"),
    [
        ('[[stage]]\nname = "optim"\n', "optim is a section, so no stage"),
        ('[[stage]]\nname = "a"\n[[stage]]\nname = "a"\n', "the same name"),
        ("[stage]\nname = 'a'\n", r"written as \[\[stage\]\]"),
        ("[[stage]]\nname = 'a'\nstepz = 3\n", "the nearest is 'steps'"),
        ("steps = \n", "is not TOML"),
    ],
)
def test_a_file_that_is_no_recipe_says_why(tmp_path, text, message):
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_recipe(str(path))


def test_a_recipe_that_is_not_there_names_those_that_are():
    with pytest.raises(ConfigError, match=r"demo, small, base, minicpm-v-4\.5"):
        read_recipe("nowhere.toml")


def test_a_resolved_stage_is_read_again_from_what_a_run_keeps(two, tmp_path):
    for stage in read_recipe(two, ["data.corpora=['a\\\"b']"]):
        path = tmp_path / f"{stage.name}-kept.toml"
        path.write_text(to_toml(stage))
        assert read_recipe(str(path)) == (stage,)


def test_later_stages_begin_with_the_weights_of_earlier_ones(two):
    _, second = read_recipe(two)
    moved = from_weights(second, Path("runs/1-align/model"))
    assert moved.model.start == "runs/1-align/model"
    assert (moved.optim, moved.steps, moved.name) == (second.optim, second.steps, "joint")
