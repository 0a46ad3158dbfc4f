"""Where pictures stand in a prompt: the text, its length from numbers, and taking room away."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError, DataError
from pagemill.model.prompt.image_token import (
    Prompt,
    compressed,
    image_text,
    refuse_marks,
    text_tokens,
    video_text,
)
from pagemill.model.prompt.token import MARKS

IMAGE = 11


def test_a_picture_without_slices():
    assert image_text(1, [3], image_token="*") == "<image>***</image>"
    assert image_text(1, [2], image_token="*", image_id=7) == (
        "<image_id>7</image_id><image>**</image>"
    )


def test_slices_go_row_by_row():
    assert image_text(2, [1, 2, 3, 4, 5], image_token="*", image_id=0) == (
        "<image_id>0</image_id><image>*</image>"
        "<slice>**</slice><slice>***</slice>\n<slice>****</slice><slice>*****</slice>"
    )


def test_packages_of_a_video_stand_on_lines_of_their_own():
    assert video_text([(1, [2]), (1, [1, 3, 1]), (1, [4])], image_token="*") == (
        "<image>**</image>\n"
        "<image>*</image><slice>***</slice>\n<slice>*</slice>\n"
        "<image>****</image>"
    )


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 70), st.none() | st.integers(0, 12_345))
def test_the_length_is_known_from_numbers(cols, rows, each, number):
    """Marks, digits and line breaks are a token each."""
    cells = cols * rows if cols * rows > 1 else 0
    tokens = [each] * (1 + cells)
    text = image_text(cols, tokens, image_token="*", image_id=number)
    counted = len(re.findall("|".join(MARKS) + r"|\d|\n|\*", text))
    assert text_tokens(cols, rows, sum(tokens), image_id=number) == counted


@pytest.mark.parametrize("mark", MARKS)
def test_texts_that_hold_a_mark_are_refused(mark):
    refuse_marks(["a page", "image slice < image >"])
    with pytest.raises(ConfigError, match=f"text 1 contains {mark}.*sanitize_control_tokens=True"):
        refuse_marks(["a page", f"see {mark} here"])


def row(*parts: int | list[int]) -> list[int]:
    """Ids; a number n stands for n image tokens."""
    ids: list[int] = []
    for part in parts:
        ids += [IMAGE] * part if isinstance(part, int) else part
    return ids


def prompt(*rows: list[int]) -> Prompt:
    longest = max(map(len, rows))
    ids = [[0] * (longest - len(one)) + one for one in rows]
    mask = [[0] * (longest - len(one)) + [1] * len(one) for one in rows]
    return Prompt(torch.tensor(ids), torch.tensor(mask))


def kept(found: Prompt) -> list[list[int]]:
    assert found.attention_mask is not None
    return [
        ids[mask.bool()].tolist()
        for ids, mask in zip(found.input_ids, found.attention_mask, strict=True)
    ]


def test_surplus_room_is_taken_out_and_rows_stay_at_the_right():
    """Two rows, three packages of 8 tokens; the first and the last shrink to 2."""
    first, second = row([5], 8, [6, 0], 8, [7]), row([8], 8, [9])
    found = compressed(prompt(first, second), [2, 8, 2], [8, 8, 8], image_token_id=IMAGE)
    assert kept(found) == [row([5], 2, [6, 0], 8, [7]), row([8], 2, [9])]
    assert found.attention_mask[1].tolist() == [0] * 10 + [1] * 4
    assert found.input_ids[1, :10].tolist() == [0] * 10


def test_a_prompt_that_fits_is_returned_as_it_is():
    whole = prompt(row([5], 8, [6]))
    assert compressed(whole, [8], [8], image_token_id=IMAGE) is whole
    small = prompt(row([5], 2, [6]))
    assert compressed(small, [2], [8], image_token_id=IMAGE) is small


def test_without_a_mask_every_token_counts():
    ids = torch.tensor([row([0], 8, [0, 6])])
    found = compressed(Prompt(ids, None), [2], [8], image_token_id=IMAGE)
    assert kept(found) == [row([0], 2, [0, 6])]


def test_room_for_neither_is_refused():
    with pytest.raises(DataError, match=r"room for 5 image tokens, the pictures have 2 \(8 at"):
        compressed(prompt(row([5], 5, [6])), [2], [8], image_token_id=IMAGE)
