"""Names of page sizes: A4, Letter, slides, and what is left."""

from __future__ import annotations

import numpy as np

PAGE_SIZES = {
    "A3": (11.69, 16.54),
    "A4": (8.27, 11.69),
    "A5": (5.83, 8.27),
    "B5": (6.93, 9.84),
    "Letter": (8.5, 11.0),
    "Legal": (8.5, 14.0),
    "Tabloid": (11.0, 17.0),
}
"""Width and height upright, inches."""

SLIDES = {"slide 16:9": 16 / 9, "slide 4:3": 4 / 3}
TOLERANCE = 0.015


def page_size_names(widths: np.ndarray, heights: np.ndarray) -> list[str]:
    """The class of each page by its width and height in inches.

    A size matches within 1.5% on both sides; what lies on its side is `A4, landscape`.
    Landscape pages of a screen's proportions are slides. The rest is `other, upright`,
    `other, landscape` or `other, square`.
    """
    return [_name(float(w), float(h)) for w, h in zip(widths, heights, strict=True)]


def _name(width: float, height: float) -> str:
    short, long = min(width, height), max(width, height)
    for name, (size_short, size_long) in PAGE_SIZES.items():
        if _near(short, size_short) and _near(long, size_long):
            return name if width <= height else f"{name}, landscape"
    if width > height:
        for name, ratio in SLIDES.items():
            if _near(width / height, ratio):
                return name
    if _near(short, long):
        return "other, square"
    return "other, landscape" if width > height else "other, upright"


def _near(value: float, wanted: float) -> bool:
    return abs(value - wanted) <= TOLERANCE * wanted
