"""What a conversion of weights did, or why it cannot be done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

Shape = tuple[int, ...]

MOST_LINES = 20
"""Lines for one kind of finding; what is left out is counted."""

NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")


@dataclass(frozen=True, kw_only=True)
class Report:
    """What happened to every tensor.

    `missing`, `misshapen` and `new` go by the names of the result, `unexpected` and `ignored` by
    those of the source.
    """

    layout: str
    source: tuple[Path, ...]
    tensors: int
    """Tensors written: copied and new."""
    bytes: int
    missing: tuple[str, ...] = ()
    """Tensors that nothing in the source fills."""
    unexpected: tuple[str, ...] = ()
    """Tensors of the source without a place."""
    misshapen: tuple[tuple[str, Shape, Shape], ...] = ()
    """(name, shape in the source, shape that is needed)."""
    ignored: tuple[str, ...] = ()
    """Tensors of the source that are known not to be needed."""
    new: tuple[str, ...] = ()
    """Tensors that were initialised afresh."""
    notes: tuple[str, ...] = ()
    """What else to know."""

    @property
    def ok(self) -> bool:
        """Whether every tensor found its place."""
        return not (self.missing or self.unexpected or self.misshapen)

    def text(self) -> str:
        """The report for a reader; tensors with the same finding in many layers are one line."""
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The report, line by line."""
        yield f"{self.layout}: {', '.join(map(str, self.source))}"
        if self.ok:
            yield f"{self.tensors} tensors, {self.bytes / 1e6:,.1f} MB"
        else:
            yield "The weights do not fit the layout; nothing was written."
        yield from listed("missing from the source", collapsed(self.missing), len(self.missing))
        yield from listed("without a place", collapsed(self.unexpected), len(self.unexpected))
        shapes = (
            (name, f": {list(theirs)} in the source, {list(ours)} needed")
            for name, theirs, ours in self.misshapen
        )
        yield from listed("of another shape", collapsed_pairs(shapes), len(self.misshapen))
        yield from listed("ignored, not needed", collapsed(self.ignored), len(self.ignored))
        yield from listed("initialised afresh", collapsed(self.new), len(self.new))
        yield from (f"note: {note}" for note in self.notes)
        if not self.ok:
            yield "Check that the folder is complete and of this layout, and that config.json"
            yield "belongs to its weights."


def listed(title: str, lines: list[str], count: int) -> Iterator[str]:
    """A titled list, cut after `MOST_LINES`; nothing for an empty one."""
    if not lines:
        return
    yield f"{title} ({count}):"
    yield from (f"  {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"  and {len(lines) - MOST_LINES} more lines like these"


def collapsed(names: Iterable[str]) -> list[str]:
    """Names in their order; those that differ in a layer's number only are one line."""
    return collapsed_pairs((name, "") for name in names)


def collapsed_pairs(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """(name, what follows it), those that differ in a layer's number only as one line."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, tail in pairs:
        groups.setdefault((NUMBER.sub("*", name), tail), []).append(name)
    return [line(pattern, names) + tail for (pattern, tail), names in groups.items()]


def line(pattern: str, names: list[str]) -> str:
    """One name, or a pattern with the numbers that its star stands for."""
    if len(names) == 1:
        return names[0]
    if pattern.count("*") > 1:
        return f"{pattern} ({len(names)} times)"
    numbers = sorted(int(match[0]) for name in names if (match := NUMBER.search(name)))
    return f"{pattern} ({len(names)} times: {spans(numbers)})"


def spans(numbers: list[int]) -> str:
    """Ascending numbers as text, runs shortened: `0-3, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
