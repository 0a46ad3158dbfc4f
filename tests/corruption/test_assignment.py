"""Levels, operators and severities of regions."""

from __future__ import annotations

import pytest
from pagemill.corruption import CorruptionConfig, Level, Mixture, Schedule, plan_page
from pagemill.corruption.operator import MASKS, OPERATORS
from pagemill.corruption.region import RegionConfig
from pagemill.corruption.schedule import OperatorConfig
from pagemill.corruption.severity import TURN
from support.corrupted import SCHEDULE, plan, plans, scheduled
from support.typeset import typeset


@pytest.mark.parametrize("level", ["light", "moderate", "heavy"])
def test_another_operator_changes_only_the_regions_that_it_wins(level):
    kinds = MASKS if level == "heavy" else OPERATORS
    names = tuple(kinds)
    changed = 0
    for epoch in range(40):
        fewer = scheduled(operator=OperatorConfig(**{level: names[:-1]}))
        before = {r.id: r for r in plan(epoch=epoch, schedule=fewer).regions}
        for region in plan(epoch=epoch).regions:
            if region.operator == names[-1] and region.level == level:
                changed += 1
            else:
                assert region == before[region.id]
    assert changed


def test_levels_come_in_the_shares_of_the_mixture():
    open_to_all = scheduled(
        mixture=Mixture(clean=0.4, light=0.3, moderate=0.2, heavy=0.1),
        region=RegionConfig(
            exclude=False, line=0, block=0, word=0, min_length=10, most=60, share=1
        ),
    )
    levels = [
        region.level
        for epoch in range(250)
        for region in plan(epoch=epoch, schedule=open_to_all).regions
    ]
    assert len(levels) > 1500
    for level, share in zip(Level, (0.4, 0.3, 0.2, 0.1), strict=True):
        assert abs(levels.count(level) / len(levels) - share) < 0.04


def test_severities_lie_in_the_band_of_their_level():
    lookup = SCHEDULE.severity_lookup
    for planned in plans():
        for region in planned.regions:
            if region.level is Level.MODERATE:
                assert 0.39 <= region.error_rate <= 0.59
            elif region.level is Level.LIGHT:
                assert region.error_rate <= 0.03
                assert region.severity <= TURN
            elif region.level is Level.HEAVY:
                assert region.operator in MASKS
    assert lookup.error("noise", 0.9, 11.0) > lookup.error("noise", 0.6, 11.0)


NUMBERS = (
    "The mill made 4711 reams and then Weaver sold them at once",
    "The mill made 4711 reams of paper for the printers in town",
    "The vats hold 83 buckets of pulp and a felt costs very little",
)


def test_exclude_keeps_them_out_of_heavy():
    _, page = typeset(NUMBERS * 1)
    words = [w.text for w in page.layer.words]
    forbidden = {words.index("83"), words.index("Weaver")}

    def heavy_words(exclude: bool) -> set[int]:
        schedule = Schedule(
            config=CorruptionConfig(
                mixture=Mixture(clean=0, light=0, moderate=0, heavy=1),
                region=RegionConfig(exclude=exclude, share=1.0, min_length=2),
            )
        )
        return {
            index
            for epoch in range(60)
            for region in plan_page(page, seed=1, epoch=epoch, schedule=schedule).regions
            if region.level is Level.HEAVY
            for index in range(*region.words)
        }

    assert forbidden <= heavy_words(False)
    assert not forbidden & heavy_words(True)
    assert heavy_words(True)
