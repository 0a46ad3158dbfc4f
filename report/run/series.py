"""Long series made short: rows into buckets with minimum, mean and maximum, and a smooth line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BUCKETS = 360
"""Most points of a line; more than a screen shows beside each other in a panel."""
SMOOTH = 1 / 70
"""Standard deviation of the smoothing, share of the line's length."""
LEAST = 0.05
"""Share of the smoothing's weight that values must cover; a longer gap stays one."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One series in buckets, each float64 [buckets]; NaN where a bucket has no value."""

    low: np.ndarray
    mean: np.ndarray
    high: np.ndarray
    smooth: np.ndarray

    @property
    def last(self) -> float:
        """The smooth value at the end; NaN where there is none."""
        values = self.smooth[np.isfinite(self.smooth)]
        return float(values[-1]) if values.size else float("nan")


def bucket_numbers(rows: int) -> np.ndarray:
    """The bucket of each row, ascending, all about equally full: int64 [rows]."""
    return np.arange(rows) * min(rows, BUCKETS) // max(rows, 1)


def bucket_steps(steps: np.ndarray) -> np.ndarray:
    """The middle step of each bucket: float64 [buckets]."""
    bucket = bucket_numbers(len(steps))
    return np.bincount(bucket, weights=steps) / np.maximum(np.bincount(bucket), 1)


def bucketed(values: np.ndarray, weights: np.ndarray | None = None) -> Trace:
    """The series in buckets.

    Args:
        values: float64 [rows], in order; NaN and infinite values count as none.
        weights: of each row in a mean, such as its tokens; those that are missing count as 0.
    """
    finite = np.isfinite(values)
    weight = finite.astype(np.float64)
    if weights is not None:
        weight *= np.where(np.isfinite(weights), weights, 0.0)
    bucket, clean = bucket_numbers(len(values)), np.where(finite, values, 0.0)
    mass = np.bincount(bucket, weights=weight)
    total = np.bincount(bucket, weights=weight * clean)
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    gapped = np.where(finite, values, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(mass > 0, total / mass, np.nan)
        low = np.fmin.reduceat(gapped, starts) if len(values) else gapped
        high = np.fmax.reduceat(gapped, starts) if len(values) else gapped
    return Trace(low, mean, high, smoothed(total, mass))


def smoothed(total: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Means under a bell over neighbouring buckets: float64 [buckets]."""
    if not mass.size:
        return mass
    width = max(mass.size * SMOOTH, 0.5)
    reach = min(int(3 * width), (mass.size - 1) // 2)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    weight = np.convolve(mass, bell, "same")
    covered = np.convolve((mass > 0).astype(np.float64), bell, "same")
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.convolve(total, bell, "same") / weight
    return np.where((covered >= LEAST * bell.sum()) & (weight > 0), means, np.nan)
