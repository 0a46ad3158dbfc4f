"""Samples of the newest evaluation: the picture, what stands there, what was read, and blind."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from .curves import LEVEL_NAMES
from .data import EvaluatedSamples, Row, number
from .difference import MOST_CHARS, marked_difference

MOST_OF_LEVEL = 6
"""Samples that are shown of one level."""
MOST_CROP_BYTES = 1_600_000
"""Base64 of all pictures together; what comes after has none."""
MOST_ONE_BYTES = 200_000
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class CutText:
    """The beginning of a text, and how many characters are left out."""

    text: str
    rest: int

    @classmethod
    def of(cls, text: str) -> CutText:
        """A text as the page shows it."""
        return cls(text[:MOST_CHARS], max(0, len(text) - MOST_CHARS))


@dataclass(frozen=True, slots=True)
class SampleCard:
    """One sample."""

    key: str
    level: str
    kind: str
    crop: str
    """PNG in base64; empty where there is none to show."""
    exact: bool
    cer: float
    target: CutText
    reading: Markup
    """What was read, compared with the target; empty where nothing was read."""
    missing: Markup
    """The target struck out, where nothing was read."""
    blind: CutText | None
    """The answer to the same question over a white picture; None where it was not asked."""
    blind_same: bool
    """Whether that is the target."""


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """Samples of one level, from the best read to the worst."""

    level: str
    whole: int
    cards: tuple[SampleCard, ...]


@dataclass(frozen=True, slots=True)
class SampleSection:
    """The section of samples."""

    step: float
    file: str
    groups: tuple[SampleGroup, ...]
    left_out: int
    """Samples that are in the file and not here."""


def samples(evaluated: EvaluatedSamples | None) -> SampleSection | None:
    """Cards by level; None without the samples of an evaluation."""
    if evaluated is None or not evaluated.rows:
        return None
    by_level: dict[str, list[Row]] = {name: [] for name in (*LEVEL_NAMES, "other")}
    for row in evaluated.rows:
        level = row.get("level")
        by_level[level if level in LEVEL_NAMES else "other"].append(row)
    left_bytes, groups = MOST_CROP_BYTES, []
    for level, rows in by_level.items():
        cards = []
        for row in spread(rows):
            crop = crop_of(row.get("crop"), left_bytes)
            left_bytes -= len(crop)
            cards.append(_card(row, level, crop))
        if cards:
            groups.append(SampleGroup(level, len(rows), tuple(cards)))
    shown = sum(len(group.cards) for group in groups)
    return SampleSection(evaluated.step, evaluated.file, tuple(groups), len(evaluated.rows) - shown)


def spread(rows: Sequence[Row]) -> list[Row]:
    """Evenly many over the error rate, best and worst included; ties in the order given."""
    order = sorted(rows, key=_rank)
    if len(order) <= MOST_OF_LEVEL:
        return order
    last = len(order) - 1
    return [order[round(place * last / (MOST_OF_LEVEL - 1))] for place in range(MOST_OF_LEVEL)]


def _rank(row: Row) -> float:
    """An order by error rate; unknown ones come last."""
    cer = number(row.get("cer"))
    return math.inf if math.isnan(cer) else cer


def _card(row: Row, level: str, crop: str) -> SampleCard:
    target, read = str(row.get("target") or ""), str(row.get("read") or "")
    blind = None if row.get("blind") is None else str(row["blind"])
    return SampleCard(
        key=str(row.get("key", "")),
        level=level,
        kind=str(row.get("kind") or ""),
        crop=crop,
        exact=bool(row.get("exact")),
        cer=number(row.get("cer")),
        target=CutText.of(target),
        reading=marked_difference(target, read) if read else Markup(""),
        missing=marked_difference(target, read) if target and not read else Markup(""),
        blind=None if blind is None else CutText.of(blind),
        blind_same=blind == target,
    )


def crop_of(crop: Any, left_bytes: int) -> str:
    """The picture if it is a PNG in base64 and there is room for it, else empty."""
    if not isinstance(crop, str) or not 0 < len(crop) <= min(left_bytes, MOST_ONE_BYTES):
        return ""
    try:
        data = base64.b64decode(crop, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return crop if data.startswith(PNG) else ""
