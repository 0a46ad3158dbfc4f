"""A plan is a function of its arguments, and of nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.corruption import CorruptionPlan, corrupt
from pagemill.corruption.effect.plan import EffectConfig
from pagemill.corruption.region import RegionConfig
from pagemill.engine.errors import DataError
from support.corrupted import IMAGE, PAGE, plan, plans, scheduled


def test_json_both_ways_and_equal_twice():
    for planned in plans(5):
        again = CorruptionPlan.from_json(planned.to_json())
        assert again == planned
        assert again.to_json() == planned.to_json()
        assert np.array_equal(corrupt(IMAGE, again), corrupt(IMAGE, planned))
    assert plan() == plan()


def test_seed_epoch_and_page_each_change_the_plan():
    other = replace(PAGE, key=PAGE.key[:-1] + "1")
    kinds = {plan().to_json(), plan(seed=2).to_json(), plan(epoch=1).to_json()}
    assert len(kinds) == 3
    assert [r.box for r in plan(other).regions] != [r.box for r in plan().regions]


def test_room_for_one_more_region_moves_no_other():
    few = plan(schedule=scheduled(region=RegionConfig(most=4, share=1.0)))
    more = plan(schedule=scheduled(region=RegionConfig(most=5, share=1.0)))
    assert len(few.regions) == 4
    assert len(more.regions) == 5
    kept = {region.id: region for region in more.regions}
    assert all(kept[region.id] == region for region in few.regions)


def test_regions_share_no_word_and_say_what_stands_there():
    for planned in plans(20):
        taken: set[int] = set()
        for region in planned.regions:
            words = set(range(*region.words))
            assert words
            assert not taken & words
            taken |= words
            texts = [PAGE.layer.words[index].text for index in sorted(words)]
            assert region.target.split() == texts
            x0, y0, x1, y1 = region.cover
            assert 0 <= x0 < x1 <= PAGE.width
            assert 0 <= y0 < y1 <= PAGE.height
            for index in words:
                left, top, right, bottom = PAGE.layer.words[index].box
                assert x0 <= left
                assert y0 <= top
                assert right <= x1
                assert bottom <= y1


def test_a_page_without_words_and_one_with_odd_ones():
    bare = replace(PAGE, layer=replace(PAGE.layer, words=(), lines=(), blocks=()))
    assert plan(bare).regions == ()
    assert np.array_equal(corrupt(IMAGE, plan(bare)), IMAGE)
    tiny = replace(PAGE, x_height=0.0)
    assert plan(tiny).regions


@settings(max_examples=60)
@given(
    boxes=st.lists(st.tuples(*[st.floats(-50, 1200, allow_nan=False)] * 4), min_size=1, max_size=8),
    seed=st.integers(0, 2**63),
)
def test_boxes_of_any_kind_never_raise(boxes, seed):
    words = tuple(
        replace(word, box=box) for word, box in zip(PAGE.layer.words, boxes, strict=False)
    )
    layer = replace(PAGE.layer, words=words + PAGE.layer.words[len(words) :])
    lines = tuple(replace(line, box=box) for line, box in zip(layer.lines, boxes, strict=False))
    layer = replace(layer, lines=lines + layer.lines[len(lines) :])
    planned = plan(replace(PAGE, layer=layer), seed=seed)
    assert corrupt(IMAGE, planned).shape == IMAGE.shape
    assert CorruptionPlan.from_json(planned.to_json()) == planned


def test_plans_of_another_version_are_refused_with_both():
    tree = orjson.loads(plan().to_json())
    tree["schema"] = "pagemill.plan.0"
    with pytest.raises(DataError, match=r"pagemill\.plan\.0.*pagemill\.plan\.2"):
        CorruptionPlan.from_dict(tree)
    for damage in (b"{", b"[]", b"{}"):
        with pytest.raises(DataError):
            CorruptionPlan.from_json(damage)
    tree = orjson.loads(plan().to_json())
    tree["regions"][0]["level"] = "heavier"
    with pytest.raises(DataError, match="damaged"):
        CorruptionPlan.from_dict(tree)


def test_plans_of_the_first_version_are_read_with_their_effects():
    aged = plan(schedule=scheduled(effect=EffectConfig(share=1.0)))
    assert aged.effects
    tree = orjson.loads(aged.to_json())
    tree["schema"] = "pagemill.plan.1"
    tree["paper"] = tree.pop("effects")
    assert CorruptionPlan.from_dict(tree) == aged
    assert CorruptionPlan.from_json(aged.to_json()) == aged


GOLDEN = "a9aa7aeb4d6db731"


def test_the_regions_of_a_known_page_stay_what_they_are():
    """Integers and exact fractions only: the same on every machine and version."""
    text = repr([(r.id, str(r.kind), str(r.level), r.operator) for r in plan().regions])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == GOLDEN
