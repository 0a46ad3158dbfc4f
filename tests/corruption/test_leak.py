"""Nothing of a masked text is left, and its length is not told either."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from pagemill.corruption import CorruptionConfig, Level, Mixture, Schedule, corrupt, plan_page
from pagemill.corruption.leak import leaks, residual_ink, stands_elsewhere, widths
from pagemill.corruption.operator import MASKS
from pagemill.corruption.region import RegionConfig
from pagemill.corruption.schedule import OperatorConfig
from support.typeset import PROSE, font, typeset


def heavy(mask: str = "", **region) -> Schedule:
    return Schedule(
        config=CorruptionConfig(
            mixture=Mixture(clean=0, light=0.3, moderate=0.2, heavy=0.5),
            region=RegionConfig(exclude=False, share=0.8, **region),
            operator=OperatorConfig(heavy=(mask,) if mask else tuple(MASKS)),
        )
    )


def masked_words(plan) -> set[int]:
    return {
        index
        for region in plan.regions
        if region.level is Level.HEAVY
        for index in range(*region.words)
    }


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("quality", [None, 90])
def test_pages_that_differ_only_in_masked_words_come_out_equal(mask, quality):
    pitch = {"pitch_px": 48}
    image, page = typeset(PROSE, blocks=(4, 8), **pitch)
    boxes = {number: (word.box[0], word.box[2]) for number, word in enumerate(page.layer.words)}
    seen = 0
    for epoch in range(6):
        plan = plan_page(page, seed=3, epoch=epoch, schedule=heavy(mask))
        hidden = masked_words(plan)
        swapped = [
            " ".join(
                fitting(page.layer.words[index])
                if index in hidden
                else page.layer.words[index].text
                for index in range(*line.words)
            )
            for line in page.layer.lines
        ]
        other, other_page = typeset(swapped, blocks=(4, 8), words_per_box=boxes, **pitch)
        assert not np.array_equal(image, other)
        pictures = [image, other]
        if quality:
            pictures = [through_jpeg(picture, quality) for picture in pictures]
        again = plan_page(other_page, seed=3, epoch=epoch, schedule=heavy(mask))
        assert [r.cover for r in again.regions] == [r.cover for r in plan.regions]
        first, second = (corrupt(picture, plan) for picture in pictures)
        if quality:
            off = roomy(plan, first.shape)
            assert np.array_equal(first[off], second[off])
        else:
            assert np.array_equal(first, second)
        seen += len(hidden)
    assert seen > 50


def fitting(word) -> str:
    """Other letters, with ascenders and descenders, that fit into the word's box."""
    room = word.box[2] - word.box[0]
    return next(
        text
        for text in ("Qjgly", "qdjy", "gly", "jy", "j", "i")
        if font().getlength(text) <= room and text != word.text
    )


def through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def roomy(plan, shape: tuple[int, ...]) -> np.ndarray:
    """Pixels farther than a block of JPEG from words that share their line with a neighbour."""
    far = np.ones(shape, bool)
    for region in plan.regions:
        if region.level is Level.HEAVY and region.kind not in ("line", "block"):
            x0, y0, x1, y1 = region.cover
            far[max(0, y0 - 8) : y1 + 8, max(0, x0 - 8) : x1 + 8] = False
    return far


@pytest.mark.parametrize("mask", MASKS)
def test_the_check_of_a_page_finds_nothing_on_good_masks(mask):
    image, page = typeset(PROSE, blocks=(4, 8))
    for epoch in range(6):
        plan = plan_page(page, seed=1, epoch=epoch, schedule=heavy(mask))
        assert leaks(image, page, plan) == []


def test_the_check_finds_a_mask_that_is_too_small():
    image, page = typeset(PROSE, blocks=(4, 8))
    plan = plan_page(page, seed=1, epoch=0, schedule=heavy())
    regions = tuple(
        region._replace(
            cover=(region.cover[0], region.cover[1], region.cover[2], region.cover[3] - 14)
        )
        if region.level is Level.HEAVY
        else region
        for region in plan.regions
    )
    cut = replace(plan, regions=regions)
    faults = leaks(image, page, cut)
    assert any("change with the text" in fault for fault in faults)
    assert any("beside its mask" in fault for fault in faults)


def test_ink_of_a_neighbour_is_not_residual():
    image, page = typeset(PROSE, blocks=(4, 8))
    plan = plan_page(page, seed=1, epoch=2, schedule=heavy())
    for region in plan.regions:
        if region.level is Level.HEAVY:
            assert residual_ink(image, page, region) == 0


def test_masks_of_neighbouring_lines_do_not_see_each_other():
    image, page = typeset(PROSE, blocks=(4, 8))
    lines_only = {"word": 0.0, "run": 0.0, "block": 0.0, "most": 60}
    for epoch in range(8):
        plan = plan_page(page, seed=5, epoch=epoch, schedule=heavy("mask_inpaint", **lines_only))
        bare = image.copy()
        for region in plan.regions:
            if region.level is Level.HEAVY:
                x0, y0, x1, y1 = region.cover
                bare[y0:y1, x0:x1] = 0
        assert np.array_equal(corrupt(image, plan), corrupt(bare, plan))


def test_the_width_of_line_and_block_masks_does_not_tell_the_length():
    rng = np.random.default_rng(4)
    plans = []
    for number in range(150):
        width = int(rng.integers(500, 1300))
        lines = []
        for _ in range(14):
            words = [w for text in PROSE for w in text.split()]
            count = int(rng.integers(2, max(3, (width - 160) // 75)))
            lines.append(" ".join(rng.choice(words, count)))
        _, page = typeset(lines, width=width, blocks=(5, 9), name=f"page {number}")
        plans.append(plan_page(page, seed=1, epoch=0, schedule=heavy(word=0.0, run=0.0)))
    r2, masks = widths(plans)
    assert masks > 60
    assert r2 <= 0.2


def test_words_that_stand_elsewhere_are_counted():
    _, page = typeset(("mill wheel race", "mill stone dressed", "water"), width=700)
    plan = plan_page(page, seed=1, epoch=0, schedule=heavy())
    first = plan.regions[0]._replace(words=(0, 2), level=Level.HEAVY)
    assert stands_elsewhere(page, replace(plan, regions=(first,))) == 0.5
    assert stands_elsewhere(page, replace(plan, regions=())) == 0.0
