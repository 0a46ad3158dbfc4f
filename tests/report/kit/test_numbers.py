"""Numbers say what they are, no more exactly than is useful."""

from __future__ import annotations

import math

import pytest
from pagemill.report.kit import numbers
from pagemill.report.kit.text import clipped, slug, tail


@pytest.mark.parametrize(
    ("name", "values", "texts"),
    [
        ("count", (1234567.4, math.nan), ("1,234,567", "–")),
        ("compact", (0.5, 3400, 1.2e6, 999_600, 3e12), ("0.5", "3.4k", "1.2M", "1M", "3T")),
        ("significant", (0, 0.5123, 1204, 3.2e-5), ("0", "0.512", "1,204", "3.2e-05")),
        ("scientific", (1e-3, 7.5e-4, 0.02, 0), ("1e-3", "7.5e-4", "0.02", "0")),
        ("size", (999, 1000, 253_400_000, 999_960), ("999 bytes", "1 kB", "253 MB", "1 MB")),
        ("percent", (0, 0.0052, 0.041, 0.37, 1), ("0%", "0.52%", "4.1%", "37.0%", "100%")),
        (
            "rough_percent",
            (0, 0.0001, 0.008, 0.0994, 0.0996, 0.48, 1),
            ("0%", "<0.1%", "0.8%", "9.9%", "10%", "48%", "100%"),
        ),
        ("axis_percent", (0.005, 0.25), ("0.5%", "25%")),
        ("duration", (0.8, 42, 12_000, 187_200), ("0.8 s", "42 s", "3 h 20 min", "2 d 4 h")),
        ("millis", (0.94, 17.2, 2400, 125_000), ("0.9 ms", "17 ms", "2.4 s", "2 min 5 s")),
    ],
)  # fmt: skip
def test_numbers_say_what_they_are(name, values, texts):
    assert tuple(map(getattr(numbers, name), values)) == texts


def test_what_is_no_number_is_a_dash():
    names = ("count", "compact", "significant", "scientific", "size", "percent", "duration")
    assert {getattr(numbers, name)(math.nan) for name in names} == {"–"}


def test_shares_never_round_something_to_nothing_or_a_part_to_the_whole():
    parts = (0, 1, 500, 99_999, 100_000)
    shares = [numbers.share(part, 100_000) for part in parts]
    assert shares == ["0%", "<0.1%", "0.5%", ">99.9%", "100%"]


def test_long_texts_are_cut_at_the_end_or_the_beginning():
    assert clipped("a" * 10, 4) == "aaa…"
    assert tail("/a/long/path.pdf", 9) == "…path.pdf"
    assert slug("page-Rejected-té xt!") == "page-rejected-te-xt"
