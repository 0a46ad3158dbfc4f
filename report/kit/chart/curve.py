"""One curve: its line, the band around it, its raw form, its points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from .axis import ValueAxis
from .svg import element, join

SIDE = 1000
"""Units of a drawing, each way."""
_MOST_DOTS = 40
"""Points of a curve that are marked one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One series of a chart."""

    name: str
    css: str
    "Class that has its colour."
    values: np.ndarray
    "float64 [points]; NaN is a gap."
    low: np.ndarray | None = None
    "Lower end of a band around it."
    high: np.ndarray | None = None
    faint: np.ndarray | None = None
    "What it is the smooth form of."
    dots: bool = False
    "Whether each point is marked, as where there are few."
    dashed: bool = False

    @property
    def last(self) -> float:
        """The last value; NaN where there is none."""
        values = self.values[np.isfinite(self.values)]
        return float(values[-1]) if values.size else math.nan

    @property
    def drawable(self) -> bool:
        """Whether there is anything to draw."""
        return bool(np.isfinite(self.values).any())


def draw_curve(across: np.ndarray, axis: ValueAxis, curve: Curve) -> Markup:
    """Band, faint form, line and dots of one series; `across` in units of the drawing."""
    heights, parts = axis.heights(curve.values), []
    if curve.low is not None and curve.high is not None:
        d = band_path(across, axis.heights(curve.low), axis.heights(curve.high))
        parts.append(element("path", class_=f"band {curve.css}", d=d))
    if curve.faint is not None:
        d = curve_path(across, axis.heights(curve.faint))
        parts.append(element("path", class_=f"faint {curve.css}", d=d))
    css = f"line {curve.css}{' dashed' * curve.dashed}"
    parts.append(element("path", class_=css, d=curve_path(across, heights)))
    count = int(np.isfinite(curve.values).sum())
    if count == 1 or (curve.dots and count <= _MOST_DOTS):
        dots = "".join(
            f"M{x:.0f} {SIDE * (1 - height):.0f}h0"
            for x, height in zip(across, heights, strict=True)
            if math.isfinite(height)
        )
        parts.append(element("path", class_=f"dots {curve.css}", d=dots))
    return join(parts)


def curve_path(across: np.ndarray, heights: np.ndarray) -> str:
    """Points joined, with a gap where one is missing."""
    parts, pen = [], "M"
    for x, height in zip(across, heights, strict=True):
        if math.isfinite(height):
            parts.append(f"{pen}{x:.0f} {SIDE * (1 - height):.0f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(parts)


def band_path(across: np.ndarray, bottom: np.ndarray, top: np.ndarray) -> str:
    """The surface between two series of heights, in pieces where either has a gap."""
    finite = np.isfinite(bottom) & np.isfinite(top)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], finite, [False]]).astype(int)))
    pieces = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        there = curve_path(across[start:stop], top[start:stop])
        back = curve_path(across[start:stop][::-1], bottom[start:stop][::-1])
        pieces.append(f"{there}L{back[1:]}Z")
    return "".join(pieces)
