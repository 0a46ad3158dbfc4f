"""Where what was read departs from what stands there, character by character.

The alignment is the one that the character error rate counts: fewest characters added, missing or
swapped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from markupsafe import Markup
from rapidfuzz.distance import Levenshtein

from ..kit.environment import render

MOST_CHARS = 1200
"""Characters of a text that are compared; what follows is only counted."""
VISIBLE_BLANKS = str.maketrans({"\n": "⏎", " ": "␣", "\t": "⇥"})


class DiffPart(NamedTuple):
    """A stretch of two texts."""

    kind: Literal["same", "lost", "added", "swapped"]
    target: str
    read: str

    @property
    def length(self) -> int:
        """Characters of the longer side."""
        return max(len(self.target), len(self.read))

    @property
    def lost_text(self) -> str:
        """The target's side, with blanks that can be seen where there is nothing else."""
        return self.target.translate(VISIBLE_BLANKS) if self.target.isspace() else self.target

    @property
    def added_text(self) -> str:
        """The same of what was read."""
        return self.read.translate(VISIBLE_BLANKS) if self.read.isspace() else self.read


def differences(target: str, read: str) -> list[DiffPart]:
    """The texts in stretches that are the same, or only in one of them, or differ.

    Joined, the `target` of the parts are the target, and likewise for `read`. A stretch that is
    the same but shorter than what differs on both sides of it counts as chance.
    """
    parts = _joined(
        DiffPart(
            "same" if edit.tag == "equal" else "swapped",
            target[edit.src_start : edit.src_end],
            read[edit.dest_start : edit.dest_end],
        )
        for edit in Levenshtein.opcodes(target, read)
    )
    chance = {
        index
        for index in range(1, len(parts) - 1)
        if parts[index].kind == "same"
        and parts[index].length < min(parts[index - 1].length, parts[index + 1].length)
    }
    return _joined(
        DiffPart("swapped", part.target, part.read) if index in chance else part
        for index, part in enumerate(parts)
    )


def marked_difference(target: str, read: str) -> Markup:
    """What was read, with what is missing struck out and what is too much underlined."""
    return render(
        "run/difference.html.jinja",
        parts=differences(target[:MOST_CHARS], read[:MOST_CHARS]),
        rest=max(len(target), len(read)) - MOST_CHARS,
    )


def _joined(parts: Iterable[DiffPart]) -> list[DiffPart]:
    """Neighbours that are the same as one, and neighbours that differ as one."""
    joined: list[DiffPart] = []
    for part in parts:
        target, read = part.target, part.read
        if joined and (joined[-1].kind == "same") == (part.kind == "same"):
            last = joined.pop()
            target, read = last.target + target, last.read + read
        kind: Literal["lost", "added", "swapped"]
        kind = "swapped" if target and read else "lost" if target else "added"
        joined.append(DiffPart("same" if part.kind == "same" else kind, target, read))
    return joined
