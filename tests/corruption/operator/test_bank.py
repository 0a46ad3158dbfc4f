"""Noise is drawn once, and is the same everywhere."""

from __future__ import annotations

import numpy as np
from pagemill.corruption.operator import bank

NORMAL_HEAD = [100, 130, 180, 179, 147, 131, 85, 65]
EVEN_HEAD = [214, 31, 237, 42, 105, 72, 225, 55]


def test_the_bank_is_normal_even_and_the_same_everywhere():
    normal, even = bank.normal_tile(), bank.even_tile()
    assert abs(normal.mean() - 128) < 1
    assert abs(normal.std() - bank.STD) < 1
    assert abs(np.bincount(even.ravel(), minlength=256).std() / (even.size / 256) - 0) < 0.05
    assert normal[0, :8].tolist() == NORMAL_HEAD
    assert even[0, :8].tolist() == EVEN_HEAD
