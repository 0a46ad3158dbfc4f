"""Boxes in thousandths of a page, and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pagemill.model.prompt.box import box_text, parse_boxes

SIDE = st.integers(1, 10_000)
SHARE = st.floats(0, 1)


def test_a_box_is_written_in_thousandths_of_the_page():
    assert box_text((12, 30, 560, 789), 1000, 1500) == "12 20 560 526"


@given(st.lists(st.tuples(SHARE, SHARE, SHARE, SHARE), max_size=4), SIDE, SIDE)
def test_boxes_come_back_within_a_thousandth_of_the_page(shares, width, height):
    sides = (width, height, width, height)
    boxes = [[share * side for share, side in zip(box, sides, strict=True)] for box in shares]
    text = "Read:" + "".join(f"\n<box>{box_text(box, width, height)}</box>" for box in boxes)
    parsed = parse_boxes(text)
    assert len(parsed) == len(boxes)
    for numbers, box in zip(parsed, shares, strict=True):
        for number, share in zip(numbers, box, strict=True):
            assert 0 <= number <= 999
            assert number / 1000 - 1e-9 <= share <= (number + 1) / 1000 + 1e-9


def test_what_is_not_written_as_a_box_is_none():
    assert parse_boxes("<box>1 2 3</box> <box>1 2 3 4444</box> <box>1 2 3 4</box>") == [
        (1, 2, 3, 4)
    ]
