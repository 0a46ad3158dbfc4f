"""Boxes as they are after turning the page until the text reads to the right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from ..geometry import Box

_LEVEL_DEG = 0.2
"""Slant up to which a line counts as level."""
_SAME_DEG = 4.0
"""How far the slants of words that are read together may differ."""


class Heading(NamedTuple):
    """The way in which text is read."""

    turn: int = 0
    """0 to the right, 1 down, 2 to the left (upside down), 3 up."""
    slant: float = 0.0
    """What is left of the angle after the turn, degrees clockwise, -45 to 45."""


LEVEL = Heading()


def heading_of(dx: float, dy: float, *, vertical: bool = False) -> Heading:
    """The heading of a direction, y down; `vertical` turns it to where the next letter stands."""
    if vertical and abs(dx) > abs(dy):
        dx, dy = -dy, dx
    if dy == 0.0 < dx:
        return LEVEL
    angle = math.degrees(math.atan2(dy, dx))
    turn = round(angle / 90.0)
    slant = angle - 90.0 * turn
    return Heading(turn % 4, slant if abs(slant) > _LEVEL_DEG else 0.0)


def by_heading(headings: Sequence[Heading]) -> Iterator[tuple[Heading, list[int]]]:
    """Indices of the words that are read the same way, the largest group first."""
    if len(set(headings)) == 1:
        yield headings[0], list(range(len(headings)))
        return
    turns: dict[int, list[int]] = {}
    for index, heading in enumerate(headings):
        turns.setdefault(heading[0], []).append(index)
    groups: list[tuple[Heading, list[int]]] = []
    for turn, members in turns.items():
        if not any(headings[index][1] for index in members):
            groups.append((Heading(turn), members))
            continue
        rest = members
        while rest:
            middle = median([headings[index][1] for index in rest])
            near = [i for i in rest if abs(headings[i][1] - middle) <= _SAME_DEG]
            if not near:
                near = rest
            groups.append((Heading(turn, middle), near))
            taken = set(near)
            rest = [index for index in rest if index not in taken]
    yield from sorted(groups, key=lambda group: (-len(group[1]), group[0]))


def upright(
    boxes: Iterable[tuple[int, Box]], heading: Heading, width: float, height: float
) -> dict[int, Box]:
    """The boxes, by index, on the page turned back by the heading."""
    turned = (
        {index: _turned(box, heading.turn, width, height) for index, box in boxes}
        if heading.turn
        else dict(boxes)
    )
    if abs(heading.slant) <= _LEVEL_DEG:
        return turned
    return {index: _levelled(box, heading.slant) for index, box in turned.items()}


def _turned(box: Box, turn: int, width: float, height: float) -> Box:
    x0, y0, x1, y1 = box
    if turn == 1:
        return (y0, width - x1, y1, width - x0)
    if turn == 2:
        return (width - x1, height - y1, width - x0, height - y0)
    return (height - y1, x0, height - y0, x1)


def _levelled(box: Box, slant: float) -> Box:
    """The box of a slanted word as it is when its line is level.

    The box around a word of w by h at an angle is w cos + h sin wide and w sin + h cos high,
    which is solved for w and h; near 45 degrees, where it cannot be, the word is a square.
    """
    cos, sin = math.cos(math.radians(slant)), math.sin(math.radians(abs(slant)))
    across, down = box[2] - box[0], box[3] - box[1]
    scale = cos * cos - sin * sin
    if scale > 0.1:
        width = max((across * cos - down * sin) / scale, 1.0)
        height = max((down * cos - across * sin) / scale, 1.0)
    else:
        width = height = min(across, down) / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    turn = math.radians(-slant)
    x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
