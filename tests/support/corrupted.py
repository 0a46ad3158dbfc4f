"""A typeset page and its plans, and digests of corrupted samples."""

from __future__ import annotations

import hashlib

import orjson
from pagemill.corruption import CorruptionConfig, CorruptionPlan, Schedule, corrupt, plan_page
from pagemill.corruption.region import RegionConfig
from pagemill.engine.image import decode
from pagemill.engine.page import page_from_dict
from support.typeset import PROSE, typeset

IMAGE, PAGE = typeset(PROSE, blocks=(4, 8))
SCHEDULE = Schedule()
CROWDED = Schedule(config=CorruptionConfig(region=RegionConfig(min_length=2.0, share=1.0)))

Parts = tuple[str, bytes, bytes]
"""Key, image and text of a sample."""


def scheduled(**changes) -> Schedule:
    """The default schedule with other settings."""
    return Schedule(config=CorruptionConfig(**changes))


def plan(page=PAGE, *, seed=1, epoch=0, schedule=SCHEDULE, **more) -> CorruptionPlan:
    """A plan of the page."""
    return plan_page(page, seed=seed, epoch=epoch, schedule=schedule, **more)


def plans(count: int = 40) -> list[CorruptionPlan]:
    """Of as many epochs, so that all levels are there."""
    return [plan(epoch=epoch) for epoch in range(count)]


def digest(parts: Parts) -> tuple[str, str]:
    """Key of a sample, and a digest of its plan and its corrupted image; workers can load it."""
    key, image, text = parts
    page = page_from_dict(orjson.loads(text))
    corruption = plan_page(page, seed=11, epoch=2, schedule=CROWDED)
    out = corrupt(decode(image), corruption, key=key)
    return key, hashlib.sha256(corruption.to_json() + out.tobytes()).hexdigest()
