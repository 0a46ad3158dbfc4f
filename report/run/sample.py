"""Samples of the newest evaluation: the picture, what stands there, what was read, and blind."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence
from typing import Any

from .curves import LEVEL_NAMES
from .difference import MOST_CHARS, marked
from .facts import Row, RunFacts, step_of
from .markup import esc, esc_lines, number, percent

MOST_OF_LEVEL = 6
"""Samples that are shown of one level."""
MOST_CROP_BYTES = 1_600_000
"""Base64 of all pictures together; what comes after has none."""
MOST_ONE_BYTES = 200_000
PNG = b"\x89PNG\r\n\x1a\n"


def samples(facts: RunFacts) -> str:
    """Cards by level, from the best read to the worst; empty without an evaluation's file."""
    if not facts.shown:
        return ""
    given = [one for one in facts.shown["samples"] if isinstance(one, dict)]
    named = {name: [one for one in given if one.get("level") == name] for name in LEVEL_NAMES}
    named["other"] = [one for one in given if one.get("level") not in LEVEL_NAMES]
    chosen = {name: spread(group) for name, group in named.items() if group}
    if not chosen:
        return ""
    left, groups, shown = MOST_CROP_BYTES, "", 0
    for name, group in chosen.items():
        cards = ""
        for one in group:
            crop = crop_of(one.get("crop"), left)
            left -= len(crop)
            cards += card(one, name, crop)
        shown += len(group)
        groups += (
            f'<h4><i class="chip {name}">{name}</i><span class="soft">{len(group)} of '
            f'{len(named[name]):,}</span></h4><div class="cards">{cards}</div>'
        )
    rest = (
        f" The other {len(given) - shown:,} are in <code>{esc(facts.shown['file'])}</code>."
        if shown < len(given)
        else ""
    )
    return (
        f'<p class="lead">From the evaluation after step {step_of(facts.shown):,.0f}, each level '
        f"from its best to its worst.{rest}</p>"
        '<p class="key"><span><del>missing</del> stands there and was not read</span>'
        "<span><ins>added</ins> was read and does not stand there</span>"
        '<span><span class="swap"><del>this</del><ins>that</ins></span> was read in place of it'
        f"</span></p>{groups}"
    )


def spread(group: Sequence[Row]) -> list[Row]:
    """Evenly many over the error rate, best and worst included; ties in the order given."""
    order = sorted(group, key=lambda one: rank(one.get("cer")))
    if len(order) <= MOST_OF_LEVEL:
        return order
    return [
        order[round(at * (len(order) - 1) / (MOST_OF_LEVEL - 1))] for at in range(MOST_OF_LEVEL)
    ]


def rank(cer: Any) -> float:
    """An order of error rates; unknown ones come last."""
    value = number(cer)
    return math.inf if math.isnan(value) else value


def card(one: Row, level: str, crop: str) -> str:
    """One sample."""
    target, read = str(one.get("target") or ""), str(one.get("read") or "")
    picture = (
        f'<div class="crop"><img src="data:image/png;base64,{crop}" loading="lazy" '
        f'alt="the place on the page, {level}"></div>'
        if crop
        else '<div class="crop none">no picture</div>'
    )
    exact = bool(one.get("exact"))
    verdict = "read exactly" if exact else f"CER {percent(number(one.get('cer')))}"
    kind = f"<span>{esc(one['kind'], 40)}</span>" if one.get("kind") else ""
    blind = ""
    if one.get("blind") is not None:
        same = " is the target" if str(one["blind"]) == target else ""
        blind = f"<dt>blind{same}</dt><dd class=soft>{quoted(str(one['blind']))}</dd>"
    reading = marked(target, read) if read else '<em class="soft">nothing</em>'
    if target and not read:
        reading += f" {marked(target, read)}"
    return (
        f'<article class="card">{picture}<p class="facts"><i class="chip {level}">{level}</i>{kind}'
        f'<b class="{"good" if exact else "off"}">{verdict}</b></p>'
        f"<dl><dt>target</dt><dd>{quoted(target)}</dd><dt>read</dt><dd>{reading}</dd>{blind}</dl>"
        f'<p class="where"><code>{esc(one.get("key", ""), 60)}</code></p></article>'
    )


def quoted(text: str) -> str:
    """A text, cut where it is long."""
    if not text:
        return '<em class="soft">nothing</em>'
    rest = len(text) - MOST_CHARS
    more = f'<span class="soft"> … {rest:,} more characters</span>' if rest > 0 else ""
    return esc_lines(text[:MOST_CHARS]) + more


def crop_of(crop: Any, left: int) -> str:
    """The picture if it is a PNG in base64 and there is room for it, else empty."""
    if not isinstance(crop, str) or not 0 < len(crop) <= min(left, MOST_ONE_BYTES):
        return ""
    try:
        data = base64.b64decode(crop, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return crop if data.startswith(PNG) else ""
