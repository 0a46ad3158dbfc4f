"""What a stream can show: colours, plain lines, characters that its encoding lacks."""

from __future__ import annotations

import io

import pytest
from pagemill.command.terminal.console import can_draw_live, show, show_each, wants_colour
from rich.text import Text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("term", "no_color", "colour", "live"),
    [
        ("xterm-256color", "", True, True),
        ("xterm-256color", "1", False, True),
        ("dumb", "", False, False),
        ("", "", False, False),
    ],
)
def test_colours_and_redrawing_follow_the_terminal(
    monkeypatch: pytest.MonkeyPatch, term: str, no_color: str, colour: bool, live: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("NO_COLOR", no_color)
    stream = Terminal()
    assert (wants_colour(stream), can_draw_live(stream)) == (colour, live)
    show(Text("x", style="red"), stream=stream)
    assert ("\x1b[" in stream.getvalue()) == colour


def test_what_is_no_terminal_gets_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    closed = io.StringIO()
    closed.close()
    for stream in (io.StringIO(), closed):
        assert not wants_colour(stream)
        assert not can_draw_live(stream)


def test_what_an_encoding_lacks_is_spelled_out() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    show(Text("1 ≠ 2 “x”"), "×", stream=stream)
    assert raw.getvalue() == rb"1 \u2260 2 \u201cx\u201d" + b"\n" + rb"\xd7" + b"\n"


def test_a_list_is_shown_as_it_comes() -> None:
    stream = io.StringIO()

    def parts():
        yield "first"
        assert stream.getvalue() == "first\n"
        yield "second"

    show_each(parts(), stream=stream)
    assert stream.getvalue() == "first\nsecond\n"
