"""Long series made short keep their extremes and their means."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pagemill.report.run.series import BUCKETS, bucket_steps, bucketed


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=900))
def test_buckets_keep_extremes_and_means(values):
    array = np.array(values, dtype=np.float64)
    made = bucketed(array)
    assert len(made.mean) == len(bucket_steps(np.arange(len(array)))) == min(len(array), BUCKETS)
    known = array[np.isfinite(array)]
    if known.size:
        assert np.nanmin(made.low) == known.min()
        assert np.nanmax(made.high) == known.max()
        fine = np.isfinite(made.mean)
        assert (made.low[fine] <= made.mean[fine] + 1e-6).all()
        assert (made.mean[fine] <= made.high[fine] + 1e-6).all()
        smooth = made.smooth[np.isfinite(made.smooth)]
        assert known.min() - 1e-6 <= smooth.min(initial=known.max())
        assert smooth.max(initial=known.min()) <= known.max() + 1e-6


def test_means_are_weighted_by_tokens():
    values = np.tile([1.0, 4.0], BUCKETS)
    made = bucketed(values, np.tile([3.0, 1.0], BUCKETS))
    np.testing.assert_allclose(made.mean, 1.75)
    np.testing.assert_allclose(made.smooth, 1.75)
