"""Charts over steps: the names of curves beside them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from pagemill.report.kit.chart.line import separate


@given(st.lists(st.floats(0, 200), max_size=8))
def test_names_of_lines_never_overlap(tops):
    places = sorted(separate(tops, 200))
    assert all(later - one >= 17 - 1e-9 for one, later in pairwise(places))
    assert all(place <= 200 for place in places)
