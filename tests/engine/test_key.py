"""Keys and draws depend on their names and on nothing else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.key import (
    PAGE_KEY,
    keyed_hash,
    keyed_stream,
    keyed_unit,
    page_key,
    sha256_of,
)


def test_a_page_key_names_document_and_page() -> None:
    key = page_key("ab" * 32, 17)
    assert key == "abababababababababab_00017"
    assert PAGE_KEY.fullmatch(key)


@pytest.mark.parametrize("bad", ["", "abc_1", "zz" * 10 + "_00001", "ab" * 10 + ".00001"])
def test_what_is_no_page_key_is_not_taken_for_one(bad: str) -> None:
    assert not PAGE_KEY.fullmatch(bad)


def test_golden_draws_never_change() -> None:
    assert keyed_hash("document", 0, "a.pdf", "") == 8468060523635958289
    assert keyed_unit("split", "00" * 32) == pytest.approx(0.9654886661113108, abs=1e-15)
    assert int(keyed_stream("seed", 1).random_raw()) == 6024852922078782770


@given(st.lists(st.text(), min_size=2, max_size=4))
def test_where_parts_are_cut_matters(parts: list[str]) -> None:
    joined = ["".join(parts)]
    assert keyed_hash(*parts) != keyed_hash(*joined)


def test_numbers_and_their_digits_differ() -> None:
    assert keyed_hash(1) != keyed_hash("1")


def test_units_are_uniform() -> None:
    draws = np.array([keyed_unit("u", index) for index in range(4000)])
    assert draws.min() >= 0
    assert draws.max() < 1
    assert abs(draws.mean() - 0.5) < 0.02
    assert abs(draws.std() - 12**-0.5) < 0.01


def test_sha256_of_a_long_stream() -> None:
    data = b"x" * 3_000_001
    import hashlib

    assert sha256_of(io.BytesIO(data)) == hashlib.sha256(data).hexdigest()
