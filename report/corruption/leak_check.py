"""What the checks found under the masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...corruption.leak import stands_elsewhere
from ...corruption.level import Level
from .whole_page import CorruptedPage


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """The section "is anything left under the masks?"."""

    pages: int
    heavy: int
    """Regions that were checked."""
    messages: tuple[str, ...]
    elsewhere: float | None
    """Share of the masked words that stand in clear elsewhere on their page; None without any."""


def leak_check(pages: Sequence[CorruptedPage]) -> LeakCheck:
    """The findings of all pages."""
    shares = [
        stands_elsewhere(page.chosen.page, page.plan) for page in pages if page.levels[Level.HEAVY]
    ]
    return LeakCheck(
        pages=len(pages),
        heavy=sum(page.levels[Level.HEAVY] for page in pages),
        messages=tuple(message for page in pages for message in page.leaks),
        elsewhere=sum(shares) / len(shares) if shares else None,
    )
