"""What the levels mean, in words, numbers and the same four colours everywhere."""

from __future__ import annotations

from collections.abc import Mapping

from ...corruption.level import BANDS, LEVELS, PROMISES, Level
from ...corruption.schedule import Schedule
from ..corpus.markup import count, esc

TEACHES = {
    Level.CLEAN: "Left as it is: keeps plain reading sharp, and the model from mending what is "
    "not broken.",
    Level.LIGHT: "Still readable: teaches OCR under bad conditions.",
    Level.MODERATE: "About half of the characters unreadable: teaches to weigh a noisy cue "
    "against the context.",
    Level.HEAVY: "Masked without a trace: teaches to reason from the context alone.",
}


def chip(level: Level) -> str:
    """The level's name on its colour."""
    return f'<span class="chip {level}">{level}</span>'


def rate(value: float) -> str:
    """An error rate as HTML: `0%`, `0.8%`, `48%`."""
    percent = 100 * value
    if 0 < percent < 0.05:
        return "&lt;0.1%"
    return f"{percent:.1f}%" if 0 < percent < 9.95 else f"{percent:.0f}%"


def aim(level: Level) -> str:
    """The band of error rate that a level is aimed at: `40–58%`."""
    low, high = BANDS[level]
    if not high:
        return "0%"
    return f"≤ {100 * high:.0f}%" if not low else f"{100 * low:.0f}–{100 * high:.0f}%"


def masthead(name: str, schedule: Schedule, seed: int) -> str:
    """Corpus, seed, schedule, and the mixture with one sentence for each level."""
    shares = dict(zip(LEVELS, schedule.shares(0), strict=True))
    cards = "".join(
        f'<li class="{level}"><p class="head">{chip(level)}<b>{100 * shares[level]:.0f}%</b></p>'
        f"<p>{esc(TEACHES[level])}</p>"
        f'<p class="soft">Errors of OCR, aimed at: <b>{esc(aim(level))}</b>. '
        f"Promised: {esc(PROMISES[level])}</p></li>"
        for level in LEVELS
    )
    later = (
        " <i>·</i> mixture at the start; the schedule changes it later" if schedule.entries else ""
    )
    return (
        '<header class="masthead"><p class="kicker">Pagemill · preview of the corruption</p>'
        f"<h1>{esc(name)}</h1>"
        f'<p class="about">seed <b>{seed}</b> <i>·</i> schedule <code>{esc(schedule.fingerprint)}'
        f"</code>{later}</p>"
        '<p class="lead">Every page gets regions, and every region gets a level of its own. '
        "The target is always the original text. How strong a level is was measured with OCR "
        "engines, for each operator and size of text, not judged by eye.</p>"
        f'{stack(shares, "large")}<ol class="levels">{cards}</ol></header>'
    )


def stack(amounts: Mapping[Level, float], css: str = "") -> str:
    """A bar of the four levels side by side."""
    total = sum(amounts.values()) or 1
    parts = "".join(
        f'<span class="{level}" style="flex:{amounts[level] / total:.4f}"></span>'
        for level in LEVELS
        if amounts.get(level)
    )
    label = ", ".join(f"{level} {100 * amounts.get(level, 0) / total:.0f}%" for level in LEVELS)
    return f'<div class="stack {css}" role="img" aria-label="{esc(label)}">{parts}</div>'


def tally(regions: Mapping[Level, int]) -> str:
    """Regions by level, each with its chip."""
    return "".join(
        f'<span class="tally">{chip(level)} {count(regions.get(level, 0))}</span>'
        for level in LEVELS
    )
