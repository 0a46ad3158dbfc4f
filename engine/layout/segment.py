"""Runs of words that stand close together on one line: what the reading order is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Segment:
    """A run of words that stand close together on one line, upright."""

    x0: float
    y0: float
    x1: float
    y1: float
    units: float
    """About how many words of prose it is worth."""
    stream: int
    """Place in the backend's own order."""
    words: list[int] = field(default_factory=list)
    middle: float = 0.0
    height: float = 0.0

    def __post_init__(self) -> None:
        self.settle()

    def add(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Grow over another box; `settle` after the last."""
        if x0 < self.x0:
            self.x0 = x0
        if y0 < self.y0:
            self.y0 = y0
        if x1 > self.x1:
            self.x1 = x1
        if y1 > self.y1:
            self.y1 = y1

    def settle(self) -> None:
        """Take middle and height from the box, after a change to it."""
        self.middle, self.height = (self.y0 + self.y1) / 2, self.y1 - self.y0


def by_row(segments: Iterable[Segment]) -> list[Segment]:
    """The segments from the top, those of one height from the left."""
    return sorted(segments, key=lambda s: (s.middle, s.x0))


def joined(group: Sequence[Segment]) -> Segment:
    """One segment in place of several."""
    return Segment(
        min(s.x0 for s in group),
        min(s.y0 for s in group),
        max(s.x1 for s in group),
        max(s.y1 for s in group),
        sum(s.units for s in group),
        min(s.stream for s in group),
        [index for s in group for index in s.words],
    )
