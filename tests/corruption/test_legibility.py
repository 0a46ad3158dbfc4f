"""Levels mean what they say to an engine that never saw these pages."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np
import pytest
from pagemill.corruption import CorruptionConfig, Level, Schedule, corrupt, plan_page
from pagemill.corruption.ocr import open_ocr
from pagemill.corruption.region import RegionConfig
from pagemill.engine.score.text import LETTERS_ONLY, character_error_rate
from support.typeset import PROSE, typeset

SCHEDULE = Schedule(config=CorruptionConfig(region=RegionConfig(share=0.9, block=0.0)))
MARGIN_PX = 3


@cache
def readings(name: str) -> dict[Level, list[tuple[float, float]]]:
    """Level to error rates of its regions, clean and corrupted, on pages of three sizes."""
    engine = open_ocr(name)
    rates: dict[Level, list[tuple[float, float]]] = defaultdict(list)
    for number, size in enumerate((15, 22, 30)):
        image, page = typeset(
            PROSE, width=1500, blocks=(4, 8), size_px=size, pitch_px=2 * size, name=f"{size} px"
        )
        for epoch in range(3):
            plan = plan_page(page, seed=number, epoch=epoch, schedule=SCHEDULE)
            out = corrupt(image, plan)
            crops = [[cut(picture, region) for region in plan.regions] for picture in (image, out)]
            before, after = (engine.read_lines(images) for images in crops)
            for region, clean, corrupted in zip(plan.regions, before, after, strict=True):
                rates[region.level].append((rate(clean, region), rate(corrupted, region)))
    return rates


def rate(read: str, region) -> float:
    return character_error_rate(read, region.target, form=LETTERS_ONLY, at_most=1.0)


def cut(image: np.ndarray, region) -> np.ndarray:
    x0, y0, x1, y1 = region.box
    return image[
        int(y0) - MARGIN_PX : int(y1) + MARGIN_PX, int(x0) - MARGIN_PX : int(x1) + MARGIN_PX
    ]


@pytest.fixture(params=["rapidocr", "tesseract"])
def levels(request) -> dict[Level, list[tuple[float, float]]]:
    try:
        return readings(request.param)
    except ImportError as err:
        pytest.skip(str(err))


def test_light_stays_readable(levels):
    rise = np.array([after - before for before, after in levels[Level.LIGHT]])
    assert len(rise) >= 20
    assert rise.mean() <= 0.03
    assert np.quantile(rise, 0.9) <= 0.10


def test_moderate_is_about_half(levels):
    rates = np.array([after for before, after in levels[Level.MODERATE] if before <= 0.1])
    assert len(rates) >= 10
    assert ((rates >= 0.25) & (rates <= 0.75)).mean() >= 0.8


def test_heavy_leaves_nothing(request, levels):
    """Tesseract answers a blank crop with `ee` or `a`, a letter or two of which may be right."""
    rates = np.array([after for _, after in levels[Level.HEAVY]])
    assert len(rates) >= 10
    assert rates.mean() >= (0.95 if "rapidocr" in request.node.name else 0.9)
    assert rates.min() >= 0.5


def test_clean_is_as_it_was(levels):
    assert all(before == after for before, after in levels[Level.CLEAN])
