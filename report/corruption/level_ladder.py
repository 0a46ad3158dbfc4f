"""One line of text at all four levels, between its neighbours, with what is expected of each."""

from __future__ import annotations

from dataclasses import dataclass

from ...corruption.level import LEVELS, Level
from ...corruption.operator import MASKS, OPERATORS
from ...corruption.severity import SeverityLookup
from .crop import corrupted, crop_uri, window_of
from .line_choice import PreviewLine, lines_around

_OPERATOR = "gaussian_blur"
_MASK = "mask_noise"
_CSS_X_HEIGHT = 10.5
_WIDEST_PX = 956
"""px of the screen."""


@dataclass(frozen=True, slots=True)
class LadderStep:
    """The line at one level."""

    level: Level
    operator: str
    """Empty where nothing is done."""
    severity: float
    error_rate: float
    picture: str
    """Data URI."""
    width_px: float
    mark: str
    """CSS position of the outline of the words, in the picture."""

    @property
    def graded(self) -> bool:
        """Whether the operator has a severity."""
        return self.operator in OPERATORS


@dataclass(frozen=True, slots=True)
class Ladder:
    """The section "one line, four levels"."""

    text: str
    steps: tuple[LadderStep, ...]


def level_ladder(
    line: PreviewLine, lookup: SeverityLookup, operator: str | None, seed: int
) -> Ladder:
    """One line at all levels, by the operator that is asked for where it has that level."""
    graded = operator if operator in OPERATORS else _OPERATOR
    mask = operator if operator in MASKS else _MASK
    steps = (_step(line, level, graded, mask, lookup, seed) for level in LEVELS)
    return Ladder(line.text, tuple(steps))


def _step(
    line: PreviewLine, level: Level, graded: str, mask: str, lookup: SeverityLookup, seed: int
) -> LadderStep:
    image, severity, error_rate, operator = line.chosen.image, 0.0, 0.0, ""
    if level is Level.HEAVY:
        operator, severity, error_rate = mask, 1.0, 1.0
    elif level is not Level.CLEAN:
        operator, severity = graded, lookup.severity(graded, level, line.x_height, 0.5)
        error_rate = lookup.error(graded, severity, line.x_height)
    if operator:
        image = corrupted(line, operator, severity, seed)
    boxes = list(lines_around(line))
    around = (
        min(box[0] for box in boxes), min(box[1] for box in boxes),
        max(box[2] for box in boxes), max(box[3] for box in boxes),
    )  # fmt: skip
    window = window_of(image, around, 2.0 * line.x_height, 0.6 * line.x_height)
    width_px = min(_WIDEST_PX, (window[2] - window[0]) * _CSS_X_HEIGHT / line.x_height)
    return LadderStep(
        level, operator, severity, error_rate, crop_uri(image, window), width_px,
        _outline(line, window),
    )  # fmt: skip


def _outline(line: PreviewLine, window: tuple[int, int, int, int]) -> str:
    x0, y0, x1, y1 = window
    pad = 0.3 * line.x_height
    top, height = line.box[1] - pad - y0, line.box[3] - line.box[1] + 2 * pad
    left, width = line.box[0] - pad - x0, line.box[2] - line.box[0] + 2 * pad
    return (
        f"left:{100 * left / (x1 - x0):.2f}%;width:{100 * width / (x1 - x0):.2f}%;"
        f"top:{100 * top / (y1 - y0):.2f}%;height:{100 * height / (y1 - y0):.2f}%"
    )
