"""Text from strangers is valid, bounded, and otherwise as it was."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import DataError, PdfError
from pagemill.engine.text import CUT, sanitize, visible
from support.hostile_text import HOSTILE, LONG, is_sane

ANY_TEXT = st.text(st.characters(exclude_categories=()))
"""Lone surrogates, NUL and control characters included."""


@given(ANY_TEXT, st.integers(16, 200))
def test_whatever_comes_is_valid_and_bounded(text: str, limit_chars: int) -> None:
    assert is_sane(sanitize(text, limit_chars), limit_chars)


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=200))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert sanitize(text, 200) == text


@given(ANY_TEXT)
def test_what_went_through_once_is_not_changed_again(text: str) -> None:
    assert sanitize(sanitize(text, 40), 40) == sanitize(text, 40)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("caf\udce9.pdf", "caf%E9.pdf"),
        ("half \ud83d of a pair", "half %ED%A0%BD of a pair"),
        ("be\0fore", "be%00fore"),
        ("café 漢字 😀\n", "café 漢字 😀\n"),
    ],
)
def test_what_is_no_text_is_spelled_byte_by_byte(text: str, clean: str) -> None:
    assert sanitize(text) == clean


def test_a_cut_shows_and_keeps_both_ends() -> None:
    short = sanitize("scan " + LONG + ".pdf")
    assert len(short) == 4096
    assert short.startswith("scan long")
    assert short.endswith("long .pdf")
    assert short.count(CUT) == 1


def test_bytes_that_are_no_text_do_not_pass_the_limit_when_spelled() -> None:
    assert is_sane(sanitize("\udcff" * 1_000_000, 100), 100)


@pytest.mark.parametrize("text", HOSTILE)
def test_an_error_about_a_document_can_always_be_written_down(text: str) -> None:
    err = PdfError(f"cannot read it: {text}", key="k", reason="broken")
    assert is_sane(str(err))
    again = pickle.loads(pickle.dumps(err))
    assert isinstance(again, DataError)
    assert (str(again), again.key, again.reason) == (str(err), "k", "broken")


@given(ANY_TEXT)
def test_visible_text_is_one_printable_line(text: str) -> None:
    line = visible(text)
    assert len(line.splitlines()) <= 1
    assert not any(character in line for character in "\x1b\x07\x9b\u202e\u2066\u200b")
    line.encode("utf-8")
    if text.isalnum():
        assert line == text
