"""Where what was read departs from what stands there, character by character.

The alignment is the one that the character error rate counts: fewest characters added, missing or
swapped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

from .markup import esc, esc_lines

MOST_CHARS = 1200
"""Characters of a text that are compared; what follows is only counted."""
WHITE = {"\n": "⏎", " ": "␣", "\t": "⇥"}


class DiffPart(NamedTuple):
    """A stretch of two texts."""

    kind: Literal["same", "lost", "added", "swapped"]
    target: str
    read: str

    @property
    def length(self) -> int:
        """Characters of the longer side."""
        return max(len(self.target), len(self.read))


def differences(target: str, read: str) -> list[DiffPart]:
    """The texts in stretches that are the same, or only in one of them, or differ.

    Joined, the `target` of the parts are the target, and likewise for `read`. A stretch that is
    the same but shorter than what differs on both sides of it counts as chance.
    """
    parts = joined(aligned(target, read))
    inner = range(1, len(parts) - 1)
    chance = {
        at
        for at in inner
        if parts[at].kind == "same"
        and parts[at].length < min(parts[at - 1].length, parts[at + 1].length)
    }
    return joined(
        DiffPart("swapped", part.target, part.read) if at in chance else part
        for at, part in enumerate(parts)
    )


def aligned(target: str, read: str) -> list[DiffPart]:
    """The cheapest alignment, a character at a time. Takes `len(target) * len(read)` cells."""
    costs = edit_costs(points(target), points(read))
    parts: list[DiffPart] = []
    row, column = len(target), len(read)
    while row or column:
        cost = costs[row, column]
        if row and column:
            same = target[row - 1] == read[column - 1]
            if costs[row - 1, column - 1] + (not same) == cost:
                row, column = row - 1, column - 1
                kind: Literal["same", "swapped"] = "same" if same else "swapped"
                parts.append(DiffPart(kind, target[row], read[column]))
                continue
        if row and costs[row - 1, column] + 1 == cost:
            row -= 1
            parts.append(DiffPart("lost", target[row], ""))
        else:
            column -= 1
            parts.append(DiffPart("added", "", read[column]))
    return parts[::-1]


def edit_costs(target: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Edits between all beginnings of two texts: int32 [target + 1, read + 1]."""
    across = np.arange(len(read) + 1, dtype=np.int32)
    costs = np.empty((len(target) + 1, len(read) + 1), np.int32)
    costs[0] = across
    for row, point in enumerate(target, 1):
        above = costs[row - 1]
        costs[row, 0] = row
        costs[row, 1:] = np.minimum(above[:-1] + (read != point), above[1:] + 1)
        # An addition comes from the left, which is the running minimum but for the way there.
        costs[row] = np.minimum.accumulate(costs[row] - across) + across
    return costs


def points(text: str) -> np.ndarray:
    """Code points: uint32 [characters]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def joined(parts: Iterable[DiffPart]) -> list[DiffPart]:
    """Neighbours that are the same as one, and neighbours that differ as one."""
    made: list[DiffPart] = []
    for part in parts:
        if made and (made[-1].kind == "same") == (part.kind == "same"):
            old, new = made[-1].target + part.target, made[-1].read + part.read
            kind: Literal["lost", "added", "swapped"]
            kind = "swapped" if old and new else "lost" if old else "added"
            made[-1] = DiffPart("same" if part.kind == "same" else kind, old, new)
        else:
            made.append(part)
    return made


def marked(target: str, read: str) -> str:
    """What was read, with what is missing struck out and what is too much underlined."""
    rest = max(len(target), len(read)) - MOST_CHARS
    html = "".join(map(part_html, differences(target[:MOST_CHARS], read[:MOST_CHARS])))
    return html + (f'<span class="soft"> … {rest:,} more characters</span>' if rest > 0 else "")


def part_html(part: DiffPart) -> str:
    """One stretch."""
    if part.kind == "same":
        return esc_lines(part.read)
    lost = f"<del>{white(part.target)}</del>" if part.target else ""
    added = f"<ins>{white(part.read)}</ins>" if part.read else ""
    return f'<span class="swap">{lost}{added}</span>' if lost and added else lost + added


def white(text: str) -> str:
    """The text with blanks that can be seen, where there is nothing else."""
    if text.isspace():
        return "".join(WHITE.get(one, esc(one)) for one in text)
    return esc_lines(text)
