"""Error rates of single lines into curves: the mean rise over the clean line, never falling."""

from __future__ import annotations

import numpy as np

from ...engine.errors import DependencyError


def rise(measured: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Mean rise of the error rate, float64 [engines, severities].

    Args:
        measured: [engines, severities, lines]; a line that could not be read is NaN.
        clean: [engines, lines], of the same lines.
    """
    over_clean = measured - clean[:, None, :]
    read = ~np.isnan(over_clean).any(axis=(0, 1))
    if not read.all():
        over_clean = over_clean[:, :, read]
    return np.asarray(over_clean.mean(axis=2), np.float64)


def smoothed(values: np.ndarray) -> np.ndarray:
    """Each x-height averaged with its neighbours, which weigh half as much.

    Args:
        values: [engines, x_heights, severities].
    """
    padded = np.concatenate((values[:, :1], values, values[:, -1:]), axis=1)
    return np.asarray(0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:])


def rising(values: np.ndarray) -> np.ndarray:
    """The closest values that never fall, in the sense of least squares, held within 0 and 1.

    Raises:
        DependencyError: scipy is not installed.
    """
    try:
        from scipy.optimize import isotonic_regression
    except ImportError as err:
        raise DependencyError(
            "fitting curves needs scipy: pip install 'pagemill[calibrate]'"
        ) from err
    return np.asarray(np.clip(isotonic_regression(values).x, 0.0, 1.0))
