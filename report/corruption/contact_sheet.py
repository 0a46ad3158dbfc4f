"""The contact sheet: every operator at rising severities on the same words, masks below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...corruption.level import Level
from ...corruption.operator import MASKS, OPERATORS
from ...corruption.severity import TURN, SeverityLookup, share_of
from .crop import corrupted, crop_uri, window_of
from .line_choice import PreviewLine

SEVERITIES = (0.02, 0.04, 0.08, 0.16, 0.36, 0.52, 0.68, 1.0)
"""Doubling at first: the band of `light` runs from half of its highest severity to that."""
GENTLE = sum(severity <= TURN for severity in SEVERITIES)
"""Severities at which the whole text is changed gently."""
_CSS_X_HEIGHT = 7.8
"""px of the screen."""
_PADDING = (0.35, 0.3)
"""x-heights around the words."""
_MASK_PADDING = (6.0, 2.6)
"""x-heights around a mask: without its surroundings there is nothing to see."""
_BANDS = (Level.LIGHT, Level.MODERATE)


@dataclass(frozen=True, slots=True)
class Crop:
    """Some words under an operator."""

    operator: str
    severity: float
    picture: str
    """Data URI."""
    width_px: float


@dataclass(frozen=True, slots=True)
class SheetCell:
    """One severity of an operator."""

    crop: Crop
    error_rate: float
    level: Level | None
    """Whose band it lies in."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One operator on one line of text."""

    operator: str
    """Empty where the row above has it too."""
    note: str
    """What the operator does; the words, where the row above is of the same operator."""
    cells: tuple[SheetCell, ...]


@dataclass(frozen=True, slots=True)
class MaskCrop:
    """One mask on one line of text."""

    crop: Crop
    note: str
    """What the mask does; the words that it hides, where there is one mask only."""


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """The section of all operators, or of one of them on several lines."""

    only: str
    """The one operator that is shown; empty for all."""
    rows: tuple[SheetRow, ...]
    masks: tuple[MaskCrop, ...]

    @property
    def columns(self) -> list[tuple[float, float]]:
        """Each severity, and the share of the characters that it strikes at full strength."""
        return [(severity, share_of(severity)) for severity in SEVERITIES]

    @property
    def gentle(self) -> int:
        """Columns that change the whole text gently."""
        return GENTLE


def contact_sheet(
    lines: Sequence[PreviewLine], lookup: SeverityLookup, operators: Sequence[str], seed: int
) -> ContactSheet:
    """Draw every operator.

    Args:
        lines: the words that are drawn on; only the first where there are several operators.
        lookup: knows the operators.
        operators: of `OPERATORS` and `MASKS`, in the order of the rows.
        seed: of the clumps and the noise.
    """
    single = len(operators) == 1
    used = list(lines) if single else list(lines[:1])
    rows = tuple(
        _row(name, line, lookup, seed, first=number == 0)
        for name in operators
        if name in OPERATORS
        for number, line in enumerate(used)
    )
    masks = tuple(
        MaskCrop(
            _crop(line, name, 1.0, seed, _MASK_PADDING),
            line.text if single else _first_sentence(MASKS[name].draw.__doc__),
        )
        for name in operators
        if name in MASKS
        for line in used
    )
    return ContactSheet(operators[0] if single else "", rows, masks)


def _row(
    name: str, line: PreviewLine, lookup: SeverityLookup, seed: int, *, first: bool
) -> SheetRow:
    bands = {
        level: [lookup.severity(name, level, line.x_height, part) for part in (0.0, 1.0)]
        for level in _BANDS
    }
    cells = []
    for severity in SEVERITIES:
        levels = (level for level, (low, high) in bands.items() if low <= severity <= high)
        error_rate = lookup.error(name, severity, line.x_height)
        crop = _crop(line, name, severity, seed, _PADDING)
        cells.append(SheetCell(crop, error_rate, next(levels, None)))
    if first:
        return SheetRow(name, _first_sentence(OPERATORS[name].draw.__doc__), tuple(cells))
    return SheetRow("", line.text, tuple(cells))


def _crop(
    line: PreviewLine, operator: str, severity: float, seed: int, padding: tuple[float, float]
) -> Crop:
    image = corrupted(line, operator, severity, seed)
    window = window_of(image, line.box, padding[0] * line.x_height, padding[1] * line.x_height)
    width_px = (window[2] - window[0]) * _CSS_X_HEIGHT / line.x_height
    return Crop(operator, severity, crop_uri(image, window), width_px)


def _first_sentence(docstring: str | None) -> str:
    return (docstring or "").partition("\n")[0].rstrip(".")
