"""Which effects a page gets, decided without its pixels.

An effect draws its numbers from its own slots, so that another effect changes none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...engine.draw import LANES, draws
from ...engine.errors import ConfigError
from ...engine.geometry import clip, union
from ...engine.page import Page
from . import EFFECTS
from .kind import NUMBERS, EffectSheet, Parameters

_PAGE_SLOT, _FIRST_SLOT = 0, 16
_SLOTS = 1 + NUMBERS // LANES
"""Slots of an effect: one for the race, the others for its parameters."""
_X_HEIGHT_SHARE = 0.006
"""x-height as a share of the longer side, where a page has no text."""


class Effect(NamedTuple):
    """One effect on one page, as a plan carries it."""

    name: str
    parameters: Parameters
    """For the image that it is planned for."""


@dataclass(frozen=True, kw_only=True)
class EffectConfig:
    """Effects on whole pages, for realism."""

    share: float = 0.0
    "Share of pages that look photographed, scanned or aged, 0 to 1."
    effects: tuple[str, ...] = tuple(EFFECTS)
    "Effects that are drawn from."
    most: int = 3
    "Most effects on one page."

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ConfigError(f"effect.share is {self.share}; it runs from 0 to 1")
        for name in self.effects:
            if name not in EFFECTS:
                raise ConfigError(f"effect.effects names {name!r}; there are {', '.join(EFFECTS)}")
        if not self.effects or len(set(self.effects)) != len(self.effects):
            raise ConfigError("effect.effects names at least one effect, each once")
        if self.most < 1:
            raise ConfigError(f"effect.most is {self.most}; it is at least 1")


def plan_effects(page: Page, key: int, config: EffectConfig) -> tuple[Effect, ...]:
    """The effects on a page, in drawing order; a pure function of its arguments.

    Args:
        page: gives the size, the x-height and the room around the words.
        key: 64 bits that name the page, the epoch and the purpose.
        config: share of pages, and the effects to draw from.
    """
    if config.share <= 0:
        return ()
    whether, many = _numbers(key, [_PAGE_SLOT])[0, :2].tolist()
    if whether >= config.share:
        return ()
    count = 1 + int(many * min(config.most, len(config.effects)))
    starts = {name: _FIRST_SLOT + _SLOTS * EFFECTS[name].slot for name in config.effects}
    race = _numbers(key, starts.values())[:, 0]
    winners = {config.effects[index] for index in np.argsort(-race)[:count].tolist()}
    sheet = _sheet(page)
    effects = []
    for name, kind in EFFECTS.items():
        if name in winners:
            slots = range(starts[name] + 1, starts[name] + _SLOTS)
            effects.append(Effect(name, kind.amount(sheet, _numbers(key, slots).ravel().tolist())))
    return tuple(effects)


def _numbers(key: int, slots: Iterable[int]) -> np.ndarray:
    """Numbers in (0, 1), float64 [slots, LANES]."""
    slot = np.fromiter(slots, np.int64)
    return draws(key, np.zeros(len(slot), np.int64), slot)


def _sheet(page: Page) -> EffectSheet:
    width, height = page.width, page.height
    words = page.layer.words
    middle = (width / 2, height / 2, width / 2, height / 2)
    ink = union(word.box for word in words) if words else middle
    x_height = page.x_height or _X_HEIGHT_SHARE * max(width, height)
    return EffectSheet(width, height, x_height, clip(ink, float(width), float(height)))
