"""Mixtures over progress, planned and adaptive."""

from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.corruption import (
    CorruptionConfig,
    Level,
    Mixture,
    Schedule,
    ScheduleEntry,
    adapt,
    plan_page,
)
from pagemill.corruption.effect.plan import EffectConfig
from pagemill.corruption.schedule import OperatorConfig
from pagemill.engine.config import load
from pagemill.engine.errors import ConfigError
from support.typeset import typeset

OCR = Mixture(clean=0.5, light=0.5, moderate=0, heavy=0)
HARD = Mixture(clean=0, light=0, moderate=0.5, heavy=0.5)


def test_an_entry_counts_from_its_start_and_ramps():
    schedule = Schedule(
        entries=(
            ScheduleEntry(start=0, mixture=OCR),
            ScheduleEntry(start=100, mixture=HARD, ramp=99),
        )
    )
    assert schedule.shares(0) == OCR.shares
    assert schedule.shares(99) == OCR.shares
    half = schedule.shares(149)
    assert half == pytest.approx((0.25, 0.25, 0.25, 0.25))
    assert schedule.shares(199) == pytest.approx(HARD.shares)
    assert schedule.shares(10**9) == pytest.approx(HARD.shares)
    assert sum(half) == pytest.approx(1)


def test_the_position_moves_the_levels_and_nothing_else():
    _, page = typeset()
    schedule = Schedule(entries=(ScheduleEntry(start=50, mixture=HARD),))
    early, late = (
        plan_page(page, seed=1, epoch=0, schedule=schedule, position=position)
        for position in (0, 50)
    )
    assert [r.id for r in early.regions] == [r.id for r in late.regions]
    assert early.position == 0
    assert late.position == 50
    assert not {r.level for r in late.regions} & {Level.CLEAN}


def test_json_both_ways_and_fingerprint():
    schedule = adapt(
        Schedule(entries=(ScheduleEntry(start=3, mixture=OCR, ramp=7),)),
        start=9,
        losses={Level.LIGHT: 0.5, Level.HEAVY: 3.0},
    )
    again = Schedule.from_dict(orjson.loads(orjson.dumps(schedule.to_dict())))
    assert again == schedule
    assert again.fingerprint == schedule.fingerprint != Schedule().fingerprint
    with pytest.raises(ConfigError, match=r"schedule\.0.*schedule\.2"):
        Schedule.from_dict({**schedule.to_dict(), "schema": "pagemill.schedule.0"})


def test_schedules_of_the_first_version_are_read_and_have_the_same_fingerprint():
    schedule = Schedule(config=CorruptionConfig(effect=EffectConfig(share=1.0)))
    tree = schedule.to_dict()
    tree["schema"] = "pagemill.schedule.1"
    tree["config"]["paper"] = tree["config"].pop("effect")
    assert Schedule.from_dict(tree) == schedule
    # of the schedules that version 0.5 wrote
    assert schedule.fingerprint == "bcc1412861014b1e"
    assert Schedule().fingerprint == "fbd8e253b08f688d"


def test_the_old_name_of_a_section_is_told_the_new_one():
    with pytest.raises(ConfigError, match="'paper' is now called 'effect'"):
        load(CorruptionConfig, overrides=["paper.share=0.5"])


def test_what_lags_gets_more_and_what_is_learned_less():
    start = {Level.CLEAN: 2.0, Level.LIGHT: 2.0, Level.MODERATE: 3.0, Level.HEAVY: 4.0}
    later = {Level.CLEAN: 0.1, Level.LIGHT: 0.2, Level.MODERATE: 2.0, Level.HEAVY: 3.9}
    first = adapt(Schedule(), start=0, losses=start)
    assert first.shares(0) == pytest.approx(Schedule().shares(0))
    then = adapt(first, start=100, losses=later)
    before, after = then.shares(99), then.shares(100)
    assert before == pytest.approx(first.shares(0))
    assert after[0] < before[0]
    assert after[3] > before[3]
    assert max(abs(new - old) for new, old in zip(after, before, strict=True)) <= 0.1 + 1e-5
    assert then.entries[-1].losses == {str(k): v for k, v in later.items()}


@given(
    losses=st.lists(st.fixed_dictionaries({level: st.floats(0, 50) for level in Level}), max_size=8)
)
def test_feedback_of_any_size_leaves_a_mixture_and_replays(losses):
    schedule = Schedule()
    for number, loss in enumerate(losses):
        schedule = adapt(schedule, start=10 * number, losses=loss)
        shares = schedule.shares(10 * number)
        assert sum(shares) == pytest.approx(1)
        assert min(shares) >= 0.03
    again = Schedule.from_dict(schedule.to_dict())
    for position in range(0, 90, 7):
        assert again.shares(position) == schedule.shares(position)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -1.0])
def test_a_loss_that_is_none_is_refused(loss):
    with pytest.raises(ConfigError, match="loss of heavy"):
        adapt(Schedule(), start=0, losses={Level.HEAVY: loss})


def test_entries_out_of_order_and_mixtures_of_nothing_are_refused():
    with pytest.raises(ConfigError, match="rise"):
        Schedule(
            entries=(ScheduleEntry(start=5, mixture=OCR), ScheduleEntry(start=5, mixture=HARD))
        )
    with pytest.raises(ConfigError, match="rise"):
        adapt(Schedule(entries=(ScheduleEntry(start=5, mixture=OCR),)), start=4, losses={})
    with pytest.raises(ConfigError, match="negative"):
        Schedule(entries=(ScheduleEntry(start=5, mixture=OCR, ramp=-1),))
    with pytest.raises(ConfigError, match="no mixture"):
        Mixture(clean=0, light=0, moderate=0, heavy=0)


@pytest.mark.parametrize("level", ["light", "moderate", "heavy"])
def test_operators_that_do_not_exist_are_named(level):
    with pytest.raises(ConfigError, match=rf"operator\.{level} names 'blurr'"):
        OperatorConfig(**{level: ("blurr",)})
    with pytest.raises(ConfigError, match="at least one"):
        OperatorConfig(**{level: ()})
