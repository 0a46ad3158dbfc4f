"""Which effects a page gets: plain values, draws that stand alone, shares that hold."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.corruption.effect import EFFECTS
from pagemill.corruption.effect.plan import EffectConfig, plan_effects
from pagemill.engine.errors import ConfigError
from pagemill.engine.page import Page
from support.pages import draw_page

KEYS = range(40)


@pytest.fixture(scope="module")
def blank() -> Page:
    return draw_page("ab" * 32, 0, 1)[1]


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=30, deadline=None)
def test_plans_are_plain_and_the_same_again(key: int) -> None:
    page = draw_page("ab" * 32, 0, 1)[1]
    effects = plan_effects(page, key, EffectConfig(share=1.0, most=8))
    assert effects == plan_effects(page, key, EffectConfig(share=1.0, most=8))
    assert 1 <= len(effects) <= 8
    order = list(EFFECTS)
    places = [order.index(effect.name) for effect in effects]
    assert places == sorted(set(places))
    for effect in effects:
        assert json.loads(json.dumps(effect.parameters)) == effect.parameters


def test_another_effect_changes_no_other(blank: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    few = EffectConfig(share=1.0, effects=("warp", "stain", "jpeg"), most=3)
    before = {key: plan_effects(blank, key, few) for key in KEYS}
    monkeypatch.setitem(EFFECTS, "later", EFFECTS["shadow"]._replace(slot=63))
    more = EffectConfig(share=1.0, effects=("later", "warp", "skew", "stain", "jpeg"), most=5)
    same = 0
    for key in KEYS:
        assert plan_effects(blank, key, few) == before[key]
        by_name = {effect.name: effect for effect in before[key]}
        for effect in plan_effects(blank, key, more):
            if effect.name in by_name:
                assert effect == by_name[effect.name]
                same += 1
    assert same > len(KEYS) / 2


def test_shares_and_counts_are_those_of_the_config(blank: Page) -> None:
    assert all(plan_effects(blank, key, EffectConfig()) == () for key in KEYS)
    plans = [plan_effects(blank, key * 977, EffectConfig(share=0.3)) for key in range(600)]
    counts = np.bincount([len(plan) for plan in plans], minlength=4)
    assert abs(counts[1:].sum() / 600 - 0.3) < 0.06
    assert counts[1:].min() > 30
    assert len(counts) == 4
    assert {effect.name for plan in plans for effect in plan} == set(EFFECTS)


def test_a_page_without_effects_draws_no_number(
    blank: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagemill.corruption.effect.plan.draws", None)
    assert plan_effects(blank, 1, EffectConfig()) == ()


@pytest.mark.parametrize(
    "bad",
    [
        {"share": 1.5},
        {"share": float("nan")},
        {"effects": ("stain", "flood")},
        {"effects": ("stain", "stain")},
        {"effects": ()},
        {"most": 0},
    ],
)
def test_a_config_out_of_range_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"effect\."):
        EffectConfig(**bad)


def test_slots_are_taken_once_and_never_change() -> None:
    assert {name: kind.slot for name, kind in EFFECTS.items()} == {
        "bleed_through": 0,
        "stain": 1,
        "fold_line": 2,
        "shadow": 3,
        "uneven_light": 4,
        "skew": 5,
        "warp": 6,
        "jpeg": 7,
    }
