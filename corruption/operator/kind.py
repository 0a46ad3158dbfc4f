"""What an operator is: how much of it a strength is, and how it is drawn on a crop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Amount = dict[str, float]
"""Parameters of one operator in px, shares and degrees, ready to draw."""


@dataclass(frozen=True, slots=True)
class CropContext:
    """Where a crop is drawn: what operators may know besides its pixels."""

    seed: int
    """32 bits that pick the window of the noise bank and the like."""
    lines: tuple[tuple[int, int], ...]
    """Top and bottom of each line of text in the crop, px."""


Draw = Callable[[np.ndarray, Amount, CropContext], np.ndarray]


@dataclass(frozen=True, slots=True)
class Operator:
    """One way to make text harder to read.

    A strength runs from 0, nothing, to 1, at which no engine reads a character any more.
    """

    name: str
    slot: int
    """Its number in the race by which operators are chosen; never given to another one."""
    amount: Callable[[float, float], Amount]
    """Parameters for a strength and an x-height in px."""
    draw: Draw
    """uint8 crop `[height, width]` or `[height, width, 3]` to a new one of the same shape."""
    gentle: float = 0.0
    """The strength that a whole region is given at most; characters that are struck get 1."""
