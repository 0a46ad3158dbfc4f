"""Boxes, and the way from points on a PDF page to pixels of the shipped image.

A box is `(x0, y0, x1, y1)`, origin top left, x to the right and y down. Points are 1/72 inch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

POINTS_PER_INCH = 72.0

Box = tuple[float, float, float, float]


def pixels_per_point(dpi: float) -> float:
    """How many pixels one point is, at a resolution in dots per inch."""
    return dpi / POINTS_PER_INCH


def scale(box: Sequence[float], factor: float) -> Box:
    """The box with every coordinate multiplied: points to pixels and back."""
    return (box[0] * factor, box[1] * factor, box[2] * factor, box[3] * factor)


def shift(box: Sequence[float], dx: float, dy: float) -> Box:
    """The box moved by (dx, dy)."""
    return (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)


def area(box: Sequence[float]) -> float:
    """Width times height; 0 for an empty or inverted box."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def intersection(a: Sequence[float], b: Sequence[float]) -> Box:
    """What both boxes cover; inverted (area 0) where they do not meet."""
    return (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))


def union(boxes: Iterable[Sequence[float]]) -> Box:
    """The smallest box that covers all of them.

    Raises:
        ValueError: no boxes.
    """
    columns = list(zip(*boxes, strict=True))
    if not columns:
        raise ValueError("the union of no boxes is not a box")
    return (min(columns[0]), min(columns[1]), max(columns[2]), max(columns[3]))


def clip(box: Sequence[float], width: float, height: float) -> Box:
    """The box cut to `[0, width] x [0, height]`."""
    return (
        min(max(box[0], 0.0), width),
        min(max(box[1], 0.0), height),
        min(max(box[2], 0.0), width),
        min(max(box[3], 0.0), height),
    )
