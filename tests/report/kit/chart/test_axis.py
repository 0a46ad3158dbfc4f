"""Axes have round numbers and lose no value."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pagemill.report.kit.chart import bin_ticks, linear_bins, log_bins


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=200), st.booleans())
def test_every_value_falls_into_one_bin(values: list[float], whole: bool) -> None:
    array = np.asarray(values)
    for bins in (linear_bins(array, whole=whole), log_bins(array)):
        kept = array[array > 0] if bins.logarithmic else array
        assert bins.counts(kept).sum() == len(kept)
        assert all(0 <= bins.position(value) <= 1 for value in bin_ticks(bins))
        assert len(bins.edges) < 70
