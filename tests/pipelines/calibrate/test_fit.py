"""Curves are fitted rightly."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import DependencyError
from pagemill.pipelines.calibrate.fit import rise, rising


@given(st.lists(st.floats(-0.2, 1.2), min_size=1, max_size=20))
def test_fitted_curves_never_fall_and_stay_close(values):
    fitted = rising(np.array(values))
    assert (np.diff(fitted) >= 0).all()
    assert fitted.min() >= 0
    assert fitted.max() <= 1
    if (np.diff(values) >= 0).all():
        assert np.allclose(fitted, np.clip(values, 0, 1))


def test_neighbours_out_of_order_share_their_mean():
    assert rising(np.array([0.0, 0.4, 0.2, 0.9])).tolist() == pytest.approx([0.0, 0.3, 0.3, 0.9])


def test_rise_is_over_the_clean_line():
    measured = np.array([[[0.2, 0.5], [0.4, 0.9]]])
    assert rise(measured, np.array([[0.1, 0.5]]))[0].tolist() == pytest.approx([0.05, 0.35])


def test_a_line_that_was_not_read_does_not_count():
    measured = np.array([[[0.2, np.nan, 0.5], [0.4, 0.1, 0.9]]])
    clean = np.array([[0.1, 0.0, 0.5]])
    assert rise(measured, clean)[0].tolist() == pytest.approx([0.05, 0.35])


def test_without_scipy_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(DependencyError, match=r"pip install 'pagemill\[calibrate\]'"):
        rising(np.array([0.1, 0.2]))
