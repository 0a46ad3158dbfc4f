"""What the levels mean, in words and numbers, and how many regions have each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...corruption.level import BANDS, LEVELS, PROMISES, Level
from ...corruption.schedule import Schedule
from ..kit.view import StackPart

TEACHES = {
    Level.CLEAN: "Left as it is: keeps plain reading sharp, and the model from mending what is "
    "not broken.",
    Level.LIGHT: "Still readable: teaches OCR under bad conditions.",
    Level.MODERATE: "About half of the characters unreadable: teaches to weigh a noisy cue "
    "against the context.",
    Level.HEAVY: "Masked without a trace: teaches to reason from the context alone.",
}


@dataclass(frozen=True, slots=True)
class LevelCard:
    """One level of the mixture."""

    level: Level
    share: float
    teaches: str
    band: str
    """Of the error rate it is aimed at."""
    promise: str


def level_cards(schedule: Schedule) -> list[LevelCard]:
    """The mixture at the start, with one sentence for each level."""
    shares = dict(zip(LEVELS, schedule.shares(0), strict=True))
    return [
        LevelCard(level, shares[level], TEACHES[level], band_text(level), PROMISES[level])
        for level in LEVELS
    ]


def band_text(level: Level) -> str:
    """The band of error rate that a level is aimed at: `40–58%`."""
    low, high = BANDS[level]
    if not high:
        return "0%"
    return f"≤ {100 * high:.0f}%" if not low else f"{100 * low:.0f}–{100 * high:.0f}%"


def level_stack(amounts: Mapping[Level, float]) -> list[StackPart]:
    """The four levels side by side."""
    total = sum(amounts.values()) or 1
    return [
        StackPart(level, amount, f"{level} {100 * amount / total:.0f}%")
        for level in LEVELS
        for amount in [amounts.get(level, 0)]
    ]
