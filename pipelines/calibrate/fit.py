"""Error rates of single lines into curves: the mean rise over the clean line, never falling."""

from __future__ import annotations

import numpy as np


def rise(measured: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Mean rise of the error rate, float64 [engines, severities].

    Args:
        measured: [engines, severities, lines].
        clean: [engines, lines], of the same lines.
    """
    return np.asarray((measured - clean[:, None, :]).mean(axis=2), np.float64)


def smoothed(values: np.ndarray) -> np.ndarray:
    """Each x-height averaged with its neighbours, which weigh half as much.

    Args:
        values: [engines, x_heights, severities].
    """
    padded = np.concatenate((values[:, :1], values, values[:, -1:]), axis=1)
    return np.asarray(0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:])


def never_falling(values: np.ndarray) -> np.ndarray:
    """The closest rising values in the sense of least squares, from 0 to 1.

    Source: pool adjacent violators; Barlow et al., "Statistical Inference under Order
    Restrictions" (1972).
    """
    level: list[float] = []
    weight: list[int] = []
    for value in values:
        level.append(float(value))
        weight.append(1)
        while len(level) > 1 and level[-2] > level[-1]:
            total = weight[-2] + weight[-1]
            mean = (level[-2] * weight[-2] + level[-1] * weight[-1]) / total
            level[-2:], weight[-2:] = [mean], [total]
    return np.asarray(np.clip(np.repeat(level, weight), 0.0, 1.0))
