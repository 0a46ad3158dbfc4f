"""Whole pages: the corrupted image with its regions outlined, and their targets beside it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ...corruption.level import LEVELS, Level
from ...corruption.plan import CorruptionPlan, PlannedRegion
from ...engine.geometry import Box
from ..kit.view import StackPart
from .crop import page_uri
from .level_legend import level_stack
from .page_choice import ChosenPage


@dataclass(frozen=True, slots=True)
class CorruptedPage:
    """A page with its plan, what came out, and what of the masked text is left."""

    chosen: ChosenPage
    plan: CorruptionPlan
    image: np.ndarray
    leaks: tuple[str, ...]

    @property
    def levels(self) -> Counter[Level]:
        """Regions by level."""
        return Counter(region.level for region in self.plan.regions)


@dataclass(frozen=True, slots=True)
class Focus:
    """What is shown in full colour; everything where nothing is asked for."""

    level: Level | None = None
    operator: str | None = None

    def __call__(self, region: PlannedRegion) -> bool:
        """Is this region asked for?"""
        return self.level in (None, region.level) and self.operator in (None, region.operator)

    @property
    def text(self) -> str:
        """The same in words; empty for everything."""
        parts = [f"the level {self.level}"] if self.level else []
        parts += [f"the operator {self.operator}"] if self.operator else []
        return " and ".join(parts)


@dataclass(frozen=True, slots=True)
class RegionView:
    """One region: its outline on the page and its row in the list."""

    number: int
    level: Level
    operator: str
    kind: str
    severity: float
    error_rate: float
    target: str
    position: str
    """CSS position on the page."""
    faint: bool

    @property
    def untouched(self) -> bool:
        """Whether nothing was done to it."""
        return self.level is Level.CLEAN


@dataclass(frozen=True, slots=True)
class CorruptedPageView:
    """One whole page."""

    page: CorruptedPage
    regions: tuple[RegionView, ...]
    corrupted_uri: str
    clean_uri: str

    @property
    def stack(self) -> list[StackPart]:
        """Its regions by level."""
        return level_stack({level: self.page.levels[level] for level in LEVELS})

    @property
    def tally(self) -> list[tuple[Level, int]]:
        """How many regions of each level."""
        return [(level, self.page.levels[level]) for level in LEVELS]

    @property
    def effects(self) -> str:
        """What was done to the page as a whole."""
        return ", ".join(effect.name.replace("_", " ") for effect in self.page.plan.effects)


def view_page(page: CorruptedPage, focus: Focus) -> CorruptedPageView:
    """A page as the template draws it."""
    width, height = page.chosen.page.width, page.chosen.page.height
    regions = (
        RegionView(
            number=number,
            level=region.level,
            operator=region.operator or "",
            kind=region.kind,
            severity=region.severity,
            error_rate=region.error_rate,
            target=region.target,
            position=_position(region.moved, width, height),
            faint=not focus(region),
        )
        for number, region in enumerate(page.plan.regions, 1)
    )
    return CorruptedPageView(
        page, tuple(regions), page_uri(page.image), page_uri(page.chosen.image)
    )


def _position(box: Box, width: int, height: int) -> str:
    """The part of a box that lies on the page, in per cent of it."""
    x0, y0 = min(max(box[0], 0.0), width - 1.0), min(max(box[1], 0.0), height - 1.0)
    x1, y1 = min(max(box[2], x0 + 1), float(width)), min(max(box[3], y0 + 1), float(height))
    return (
        f"left:{100 * x0 / width:.2f}%;top:{100 * y0 / height:.2f}%;"
        f"width:{100 * (x1 - x0) / width:.2f}%;height:{100 * (y1 - y0) / height:.2f}%"
    )
