"""How sure a figure over many items is: the bootstrap, and an exact bound where it is blind.

The bootstrap resamples documents, because errors on a page come together. Where every document has
the same score - all answers right, or all wrong - each resample has it too, and the bootstrap would
call that certain. There the interval says what the count alone proves: if a share q of documents
had another score, n documents in a row would miss them with probability (1 - q)^n. The largest q
that is not ruled out is the Clopper-Pearson limit of 0 in n, near 3.7 / n, and each of those
documents counts as wholly wrong (or wholly right), which is the worst that a score from 0 to 1 can
be. So 20 right answers of 20 give 0.83 to 1, and no error in 20 pages an error rate of 0 to 0.17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..errors import ConfigError
from ..key import keyed_stream
from .text import Score

RESAMPLES = 1000
CONFIDENCE = 0.95
"""Of the interval between `low` and `high`."""
_CHUNK_CELLS = 2_000_000
"""Counts of documents in resamples that are in memory at once."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over items, and its interval."""

    value: float
    low: float
    high: float
    n: int
    """Items."""

    def to_dict(self) -> dict[str, float]:
        """As JSON carries it."""
        return asdict(self)


def estimate(
    scores: Sequence[Score],
    documents: Sequence[str] | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Sum of parts over sum of wholes, with its interval; a pure function of its arguments.

    Long texts weigh more in error rates, and every item the same in shares. The interval is the
    percentile interval of the bootstrap over documents; over items, with fewer than two documents;
    and that of `unvaried_interval` where all of them have one score.

    Args:
        scores: of every item.
        documents: name of each item's document; None takes every item for itself.
        seed: of the resampling.
        resamples: how often.

    Raises:
        ConfigError: no items, or another number of documents.
    """
    values = np.asarray(scores, dtype=np.float64).reshape(-1, 2)
    if not len(values):
        raise ConfigError("there is nothing to estimate: no items are given")
    names = range(len(values)) if documents is None else documents
    if len(names) != len(values):
        raise ConfigError(f"{len(values)} items, but {len(names)} documents are named")
    _, group = np.unique(np.asarray(names), return_inverse=True)
    if group.max() == 0:
        group = np.arange(len(values))
    sums = np.stack([np.bincount(group, weights=column) for column in values.T], axis=1)
    value = float(_ratio(sums.sum(axis=0)))
    scored = sums[sums.any(axis=1)]
    if np.allclose(_ratio(scored), value, rtol=1e-12, atol=0.0):
        low, high = unvaried_interval(value, len(scored))
    else:
        low, high = bootstrap_interval(sums, seed, resamples)
    return Estimate(value, low, high, len(values))


def unvaried_interval(value: float, count: int) -> tuple[float, float]:
    """(low, high) of a mean score of which `count` draws all were `value`; exact, so conservative.

    The limit is `scipy.stats.binomtest(0, count).proportion_ci(method="exact").high`, which for no
    hit has this closed form: the one case that is needed here costs no dependency.

    Args:
        value: of every draw, 0 to 1; above 1, the score of draws that were not seen is taken to
            be no higher.
        count: documents drawn; without any, everything from 0 to 1 is possible.

    Source: Clopper and Pearson, Biometrika 26 (1934).
    """
    differing = 1 - ((1 - CONFIDENCE) / 2) ** (1 / count) if count else 1.0
    return value - differing * value, value + differing * (max(1.0, value) - value)


def bootstrap_interval(sums: np.ndarray, seed: int, resamples: int) -> tuple[float, float]:
    """(low, high) of the ratio, from sums of parts and wholes, float64 [documents, 2].

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.
    """
    count = len(sums)
    rng = np.random.Generator(keyed_stream("bootstrap", seed))
    step = max(1, _CHUNK_CELLS // count)
    shares = np.full(count, 1 / count)
    drawn = [
        _ratio(rng.multinomial(count, shares, size=min(step, resamples - start)) @ sums)
        for start in range(0, resamples, step)
    ]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(drawn), [tail, 1 - tail])
    return float(low), float(high)


def _ratio(sums: np.ndarray) -> np.ndarray:
    """Part over whole along the last axis; over 1 where the whole is 0."""
    part, whole = sums[..., 0], sums[..., 1]
    return np.asarray(part / np.where(whole > 0, whole, 1.0))
