"""Axes: round numbers, bins of a histogram, and values from bottom to top."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NICE_STEPS = (1, 2, 2.5, 5, 10)


def nice(value: float) -> float:
    """The next round number of 1, 2, 2.5 or 5 times a power of ten that is not smaller."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(next(step * power for step in NICE_STEPS if step * power >= value * (1 - 1e-9)))


@dataclass(frozen=True, slots=True)
class Bins:
    """A histogram before it is drawn."""

    edges: np.ndarray
    """float64 [n + 1], ascending."""
    logarithmic: bool
    beyond: int
    """Values above the last edge, counted into the last bin."""

    def counts(self, values: np.ndarray) -> np.ndarray:
        """How many values fall into each bin; those beyond go into the last: int64 [n]."""
        inside = np.clip(values, self.edges[0], np.nextafter(self.edges[-1], -np.inf))
        return np.histogram(inside, bins=self.edges)[0]

    def position(self, value: float) -> float:
        """Where a value stands on the axis, 0 to 1."""
        edges = np.log(self.edges) if self.logarithmic else self.edges
        value = float(np.log(value)) if self.logarithmic else value
        return float(np.clip((value - edges[0]) / (edges[-1] - edges[0]), 0.0, 1.0))


def linear_bins(values: np.ndarray, *, wanted: int = 32, whole: bool = False) -> Bins:
    """Bins of one round width, from 0 to where all but 1 in 200 values end.

    Args:
        values: finite and not negative, at least one.
        wanted: about how many bins.
        whole: the values are counts, so no bin is narrower than 1.
    """
    end = float(np.percentile(values, 99.5)) if values.size else 1.0
    step = nice(max(end, 1e-9) / wanted)
    if whole:
        step = max(1.0, float(np.ceil(step)))
    bins = max(1, int(np.floor(end / step)) + 1)
    edges = np.arange(bins + 1) * step
    return Bins(edges, False, int((values >= edges[-1]).sum()))


def log_bins(values: np.ndarray, *, wanted: int = 32) -> Bins:
    """Bins of one ratio, over all positive values."""
    positive = values[values > 0]
    low, high = (float(positive.min()), float(positive.max())) if positive.size else (1.0, 10.0)
    low, high = low * 0.98, max(high * 1.02, low * 1.5)
    return Bins(np.geomspace(low, high, wanted + 1), True, 0)


def bin_ticks(bins: Bins, wanted: int = 4) -> list[float]:
    """A few round values on the axis of the bins."""
    low, high = float(bins.edges[0]), float(bins.edges[-1])
    if not bins.logarithmic:
        step = nice(high / wanted)
        return [step * i for i in range(int(high / step + 1e-9) + 1)]
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 3) if high / low < 1000 else (1,)
    ticks = [step * 10.0**power for power in powers for step in steps]
    return [value for value in ticks if low <= value <= high] or [low, high]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueAxis:
    """The values of a line chart from bottom to top."""

    low: float
    high: float
    log: bool = False
    ticks: Sequence[float] = ()

    def heights(self, values: np.ndarray) -> np.ndarray:
        """Where values stand, 0 to 1; beyond the ends at the ends."""
        if self.log:
            with np.errstate(invalid="ignore", divide="ignore"):
                parts = np.log(values / self.low) / math.log(self.high / self.low)
        else:
            parts = (values - self.low) / (self.high - self.low)
        return np.clip(parts, 0.0, 1.0)


def linear_axis(values: np.ndarray, *, top: float = math.nan) -> ValueAxis:
    """From 0, or what is below it, to a round number above all values.

    Args:
        values: finite, at least one.
        top: least upper end, such as 1 for shares that may fill it.
    """
    high = max(float(values.max()), 0.0 if math.isnan(top) else top)
    low = min(0.0, float(values.min()))
    if high <= low:
        high = low + 1
    step = nice((high - low) / 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [step * number for number in range(first, last + 1)]
    return ValueAxis(low=ticks[0], high=ticks[-1], ticks=ticks)


def log_axis(values: np.ndarray) -> ValueAxis:
    """Around all positive values, with ticks at 1, 2 and 5 or at powers of ten."""
    values = values[values > 0]
    if not values.size:
        return ValueAxis(low=0.1, high=1.0, log=True, ticks=(0.1, 1.0))
    low, high = float(values.min()) / 1.1, float(values.max()) * 1.1
    factors = (1, 2, 5) if high / low < 200 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [f * 10.0**p for p in powers for f in factors if low <= f * 10.0**p <= high]
    return ValueAxis(low=low, high=high, log=True, ticks=ticks[:: max(1, len(ticks) // 6)])
