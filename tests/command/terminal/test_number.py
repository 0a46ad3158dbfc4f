"""Numbers as a terminal shows them."""

from __future__ import annotations

import pytest
from pagemill.command.terminal.number import duration, file_size, plural, rate, scaled, top_reasons


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (59.6, "1m00s"), (190, "3m10s"), (7500, "2h05m"), (273600, "3d04h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_numbers_have_three_digits_and_a_prefix() -> None:
    values = (5, 99.96, 999.4, 999.6, 1234, 45_678_000, 1e9, 2.5e16)
    assert [scaled(value).strip() for value in values] == [
        "5.00", "100", "999", "1.00 k", "1.23 k", "45.7 M", "1.00 G", "25,000 T",
    ]  # fmt: skip


def test_sizes_of_files() -> None:
    sizes = (0, 999, 1000, 52_000, 999_960, 3.2e12)
    assert [file_size(size) for size in sizes] == [
        "0 bytes", "999 bytes", "1.0 kB", "52.0 kB", "1.0 MB", "3.2 TB",
    ]  # fmt: skip


def test_slow_rates_have_digits_behind_the_point() -> None:
    assert [rate(value) for value in (0.0312, 2.5, 10.4, 12345)] == ["0.031", "2.5", "10", "12,345"]


def test_counts_have_their_plural() -> None:
    assert [plural(count, "layer") for count in (0, 1, 1200)] == [
        "0 layers", "1 layer", "1,200 layers",
    ]  # fmt: skip


def test_the_most_frequent_reasons_come_first() -> None:
    counts = {"blank": 30, "text_none": 88, "language": 0, "timeout": 30}
    assert top_reasons(counts) == "text_none 88, blank 30, …"
    assert top_reasons({"blank": 1}) == "blank 1"
    assert top_reasons({}) == ""
