"""Pages as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError
from pagemill.serve.read.selection import PageSelection


@given(st.sets(st.integers(1, 30), min_size=1), st.integers(0, 30))
def test_written_pages_are_the_pages_meant(numbers, count):
    written = ",".join(map(str, sorted(numbers, reverse=True)))
    indices = [number - 1 for number in sorted(numbers) if number <= count]
    assert PageSelection.parse(written).indices(count) == indices
    low, high = min(numbers), max(numbers)
    inside = PageSelection.parse(f"{low}-{high}").indices(count)
    assert inside == [n - 1 for n in range(low, high + 1) if n <= count]
    assert PageSelection.parse(f"{low}-").indices(count) == list(range(low - 1, count))
    assert PageSelection.parse(f"-{high}").indices(count) == list(range(min(high, count)))


@pytest.mark.parametrize("text", ["", "0", "a", "3-1", "1,,2", "-", "1-2-3"])
def test_pages_written_otherwise_are_refused(text):
    with pytest.raises(ConfigError, match="pages are written as"):
        PageSelection.parse(text)
