"""A plan is a function of its arguments, and of nothing else."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.corruption import (
    CorruptionConfig,
    CorruptionPlan,
    Level,
    Mixture,
    Schedule,
    corrupt,
    plan_page,
)
from pagemill.corruption.effect.plan import EffectConfig
from pagemill.corruption.operator import MASKS, OPERATORS
from pagemill.corruption.region import RegionConfig
from pagemill.corruption.schedule import OperatorConfig
from pagemill.corruption.severity import TURN, share_of
from pagemill.engine.errors import DataError
from support.generators import forbid
from support.typeset import PROSE, typeset

IMAGE, PAGE = typeset(PROSE, blocks=(4, 8))
SCHEDULE = Schedule()


def scheduled(**changes) -> Schedule:
    return Schedule(config=CorruptionConfig(**changes))


def plan(page=PAGE, *, seed=1, epoch=0, schedule=SCHEDULE, **more) -> CorruptionPlan:
    return plan_page(page, seed=seed, epoch=epoch, schedule=schedule, **more)


def all_levels(count: int = 40) -> list[CorruptionPlan]:
    return [plan(epoch=epoch) for epoch in range(count)]


def digest(image: np.ndarray) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def test_json_both_ways_and_equal_twice():
    for one in all_levels(5):
        again = CorruptionPlan.from_json(one.to_json())
        assert again == one
        assert again.to_json() == one.to_json()
        assert np.array_equal(corrupt(IMAGE, again), corrupt(IMAGE, one))
    assert plan() == plan()


def test_seed_epoch_and_page_each_change_the_plan():
    other = replace(PAGE, key=PAGE.key[:-1] + "1")
    kinds = {plan().to_json(), plan(seed=2).to_json(), plan(epoch=1).to_json()}
    assert len(kinds) == 3
    assert [r.box for r in plan(other).regions] != [r.box for r in plan().regions]


def test_another_process_gives_the_same_pixels():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import hashlib\n"
        "from typeset import PROSE, typeset\n"
        "from pagemill.corruption import Schedule, corrupt, plan_page\n"
        "image, page = typeset(PROSE, blocks=(4, 8))\n"
        "for epoch in (3, 1, 2):\n"
        "    plan = plan_page(page, seed=1, epoch=epoch, schedule=Schedule())\n"
        "    print(epoch, hashlib.sha256(corrupt(image, plan).tobytes()).hexdigest())\n"
    )
    folder = str(Path(__file__).parents[1] / "support")
    shown = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, check=True
    )
    there = dict(line.split() for line in shown.stdout.splitlines())
    for epoch in (1, 2, 3):
        assert there[str(epoch)] == digest(corrupt(IMAGE, plan(epoch=epoch)))


def test_no_global_generator_is_touched(monkeypatch):
    forbid(monkeypatch)
    aged = scheduled(effect=EffectConfig(share=1.0))
    for epoch in range(4):
        corrupt(IMAGE, plan(epoch=epoch))
        corrupt(IMAGE, plan(epoch=epoch, schedule=aged))
    with pytest.raises(AssertionError, match="global generator"):
        np.random.rand()


def test_room_for_one_more_region_moves_no_other():
    few = plan(schedule=scheduled(region=RegionConfig(most=4, share=1.0)))
    more = plan(schedule=scheduled(region=RegionConfig(most=5, share=1.0)))
    assert len(few.regions) == 4
    assert len(more.regions) == 5
    kept = {region.id: region for region in more.regions}
    assert all(kept[region.id] == region for region in few.regions)


@pytest.mark.parametrize("level", ["light", "moderate", "heavy"])
def test_another_operator_changes_only_the_regions_that_it_wins(level):
    known = MASKS if level == "heavy" else OPERATORS
    names = tuple(known)
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


def test_regions_share_no_word_and_say_what_stands_there():
    for one in all_levels(20):
        taken: set[int] = set()
        for region in one.regions:
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


def test_only_covers_change():
    for one in all_levels(10):
        same = np.ones(IMAGE.shape, bool)
        for region in one.regions:
            x0, y0, x1, y1 = region.cover
            if region.level is not Level.CLEAN:
                same[y0:y1, x0:x1] = False
        out = corrupt(IMAGE, one)
        assert np.array_equal(out[same], IMAGE[same])


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
    inverse = SCHEDULE.inverse
    for one in all_levels():
        for region in one.regions:
            if region.level is Level.MODERATE:
                assert 0.39 <= region.error_rate <= 0.59
            elif region.level is Level.LIGHT:
                assert region.error_rate <= 0.03
                assert region.severity <= TURN
            elif region.level is Level.HEAVY:
                assert region.operator in MASKS
    assert inverse.error("noise", 0.9, 11.0) > inverse.error("noise", 0.6, 11.0)


def test_moderate_strikes_its_share_of_the_characters():
    only = scheduled(
        mixture=Mixture(clean=0, light=0, moderate=1, heavy=0),
        region=RegionConfig(word=0, run=0, block=0, share=1.0),
    )
    shares = []
    for epoch in range(20):
        for region in plan(epoch=epoch, schedule=only).regions:
            wanted = share_of(region.severity)
            width = sum(
                PAGE.layer.words[index].box[2] - PAGE.layer.words[index].box[0]
                for index in range(*region.words)
            )
            struck = sum(x1 - x0 for x0, _, x1, _ in region.parameters["spans"])
            shares.append((struck / width, wanted))
    given_share, wanted = np.array(shares).T
    assert np.abs(given_share - wanted).max() < 0.15
    assert abs((given_share - wanted).mean()) < 0.03


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
    one = plan(replace(PAGE, layer=layer), seed=seed)
    assert corrupt(IMAGE, one).shape == IMAGE.shape
    assert CorruptionPlan.from_json(one.to_json()) == one


def test_colour_pages_keep_their_shape():
    rgb = cv2.cvtColor(IMAGE, cv2.COLOR_GRAY2RGB)
    for epoch in range(6):
        out = corrupt(rgb, plan(epoch=epoch))
        assert out.shape == rgb.shape
        assert out.dtype == np.uint8


def test_plan_and_image_of_different_sizes_are_refused_with_both():
    with pytest.raises(DataError, match=rf"{PAGE.width} x {PAGE.height} px.*900 x {PAGE.height}"):
        corrupt(IMAGE[:, :900], plan())


def test_plan_and_image_of_different_pages_are_refused_with_both():
    with pytest.raises(DataError, match=rf"page {PAGE.key}, the image of page other"):
        corrupt(IMAGE, plan(), key="other")
    assert corrupt(IMAGE, plan(), key=PAGE.key) is not None


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


@pytest.mark.parametrize("image", [IMAGE.astype(np.float32), IMAGE[..., None], IMAGE[None]])
def test_images_of_another_kind_are_refused(image):
    with pytest.raises(DataError, match="corrupt takes uint8"):
        corrupt(image, plan())


GOLDEN = "a9aa7aeb4d6db731"


def test_the_regions_of_a_known_page_stay_what_they_are():
    """Integers and exact fractions only: the same on every machine and version."""
    text = repr([(r.id, str(r.kind), str(r.level), r.operator) for r in plan().regions])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == GOLDEN
