"""Which pages of a file are read, as people write it: `3`, `1-3,7`, `5-`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...engine.errors import ConfigError

RANGE = re.compile(r"(\d+)?(-)?(\d+)?")


@dataclass(frozen=True, slots=True)
class PageSelection:
    """Ranges of page numbers from 1, ends included."""

    ranges: tuple[tuple[int, int | None], ...] = ()
    """Empty for all pages; an end of None is the last page."""

    @staticmethod
    def parse(text: str) -> PageSelection:
        """The selection that is written as `3`, `1-3`, `1-3,7` or `5-`.

        Raises:
            ConfigError: written otherwise.
        """
        ranges: list[tuple[int, int | None]] = []
        for part in text.split(","):
            match = RANGE.fullmatch(part.strip())
            first, dash, last = match.groups() if match else (None, None, None)
            start = int(first) if first else 1
            stop = int(last) if last else (None if dash else start)
            if not (first or last) or start < 1 or (stop is not None and stop < start):
                raise ConfigError(
                    f"--pages is {text!r}; pages are written as 3, 1-3, 5- or 1-3,7, from 1"
                )
            ranges.append((start, stop))
        return PageSelection(tuple(ranges))

    def indices(self, page_count: int) -> list[int]:
        """Indices of the selected pages of a file with so many, in order."""
        if not self.ranges:
            return list(range(page_count))
        return [
            index
            for index in range(page_count)
            if any(start <= index + 1 and (stop is None or index < stop)
                   for start, stop in self.ranges)
        ]  # fmt: skip
