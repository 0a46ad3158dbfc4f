"""The four levels of visibility, each a band of what an OCR engine still gets wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How visible a region's text is left."""

    CLEAN = "clean"
    LIGHT = "light"
    MODERATE = "moderate"
    HEAVY = "heavy"


LEVELS = tuple(Level)


class Band(NamedTuple):
    """A range of character error rate above what the engine gets wrong on the clean region."""

    low: float
    high: float


BANDS = {
    Level.CLEAN: Band(0.0, 0.0),
    Level.LIGHT: Band(0.0, 0.02),
    Level.MODERATE: Band(0.40, 0.58),
    Level.HEAVY: Band(0.95, 1.0),
}
"""What is aimed at."""
PROMISES = {
    Level.CLEAN: "No pixel is changed.",
    Level.LIGHT: "At most 3 points more errors on average, 10 at the 90th percentile.",
    Level.MODERATE: "25 to 75% errors for four regions of five.",
    Level.HEAVY: "At least 95% errors, and no pixel that depends on the text.",
}
"""What is held on documents that the table was not fitted on; see `bench/legibility.py`."""
