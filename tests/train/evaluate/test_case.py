"""Cases: which pages, what is asked of them, and their plans."""

from __future__ import annotations

import dataclasses

from pagemill.corruption import Mixture, Schedule, plan_page
from pagemill.corruption.schedule import CorruptionConfig
from pagemill.train.evaluate import (
    answer_cases,
    open_cases,
    summarize,
)
from pagemill.train.evaluate.case import CORRUPTED
from support.readers import CONFIG, LEVELS, KnowingReader


def test_cases_are_a_function_of_seed_and_corpus(corpora, processor, cases):
    again = open_cases(CONFIG, processor, tuple(reversed(corpora)))
    assert [case.key for case in again] == [case.key for case in cases]
    assert [case.regions for case in again] == [case.regions for case in cases]
    assert len(cases) == 8
    other = open_cases(dataclasses.replace(CONFIG, seed=1), processor, corpora)
    assert [case.key for case in other] != [case.key for case in cases]
    more = open_cases(dataclasses.replace(CONFIG, pages=20), processor, corpora)
    assert [case.key for case in more][:8] == [case.key for case in cases]


def test_regions_of_every_level_are_asked_for(cases):
    assert {one.level for case in cases for one in case.regions} == LEVELS
    for case in cases:
        assert len(case.regions) <= CONFIG.regions
        assert sorted(n for group in case.groups for n in group) == list(range(len(case.regions)))
        assert [one.first_word for one in case.regions] == sorted(
            one.first_word for one in case.regions
        )
        for group in case.groups:
            tokens = [case.regions[n].tokens + 1 for n in group]
            assert len(group) == 1 or sum(tokens) <= CONFIG.most_new_tokens // 2
        assert not any("\n" in one.target for one in case.regions)


def test_the_plans_of_training_can_be_evaluated(corpora, processor):
    schedule = Schedule(config=CorruptionConfig(mixture=Mixture(heavy=1.0)))
    config = dataclasses.replace(CONFIG, seed=3, epoch=2, position=7)
    for case in open_cases(config, processor, corpora, schedule=schedule):
        page = case.source.page(case.row)
        assert case.plans[CORRUPTED] == plan_page(
            page, seed=3, epoch=2, schedule=schedule, position=7
        )


def test_pages_at_one_level_have_the_same_regions(corpora, processor):
    config = dataclasses.replace(CONFIG, page_levels=True)
    cases = [case for case in open_cases(config, processor, corpora) if case.text]
    assert cases
    for case in cases:
        for name in ("light", "moderate", "heavy"):
            plan = case.plans[name]
            assert {str(one.level) for one in plan.regions} <= {"clean", name}
            assert [one.words for one in plan.regions] == [
                one.words for one in case.plans[CORRUPTED].regions
            ]
    summary = summarize(answer_cases(KnowingReader(cases, config), cases, config), config)
    assert list(summary.pages) == ["clean", "corrupted", "light", "moderate", "heavy"]
