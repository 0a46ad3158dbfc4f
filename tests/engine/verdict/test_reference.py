"""The shipped table of what characters look like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.verdict.reference import (
    ALPHABETIC,
    EAST_ASIAN,
    expected_width,
    normalise,
    reference,
    unpack_cells,
)
from pagemill.tools.make_reference import pack


def codes(text: str) -> np.ndarray:
    return np.array([ord(char) for char in text])


@pytest.mark.parametrize(
    ("grid", "text"),
    [
        (ALPHABETIC, "AZaz09.,;ßéłőЖщΩλאשبمगกქ–€ﬁ∑"),
        (EAST_ASIAN, "的一是中国學體ひカ漢字한국어。「"),
    ],
)
def test_common_characters_are_known(grid: object, text: str) -> None:
    table = reference(grid)  # type: ignore[arg-type]
    found = table.find(codes(text))
    assert (found >= 0).all()
    assert (table.codepoint[found] == codes(text)).all()


def test_unknown_characters_are_not_found() -> None:
    assert (reference(ALPHABETIC).find(np.array([0, 0xE000, 0x10FFFF, 2**31 - 1])) == -1).all()


def test_widths_are_those_of_type() -> None:
    narrow, usual, broad = expected_width(codes("inm"))
    assert narrow < usual < broad
    assert np.isnan(expected_width(np.array([0xE000]))).all()


def test_letters_of_different_shape_are_far_apart() -> None:
    table = reference(ALPHABETIC)
    upright = [int(table.start[index]) for index in table.find(codes("gkmi"))]
    alike = table.picture[upright] @ table.picture[upright].T
    assert np.allclose(np.diag(alike), 1, atol=1e-3)
    assert (alike - np.eye(4)).max() < 0.8


@given(st.sampled_from([2, 4]), st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_packed_cells_come_back(bits: int, levels: list[int]) -> None:
    cells = np.array([levels], np.float32) / 3
    assert np.allclose(unpack_cells(pack(cells, bits), bits), cells, atol=0.5 / (2**bits - 1))


def test_a_blank_picture_stays_finite() -> None:
    assert np.isfinite(normalise(np.zeros((1, ALPHABETIC.cells), np.float32), ALPHABETIC)).all()
