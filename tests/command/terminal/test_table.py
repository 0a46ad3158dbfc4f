"""Tables: aligned, as wide as their content, folded only where a terminal is too narrow."""

from __future__ import annotations

import io

import pytest
from pagemill.command.terminal.console import rendered
from pagemill.command.terminal.table import fields, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def plain(*parts) -> str:
    return "".join(rendered(parts, stream=io.StringIO()))


def test_columns_of_a_table_are_aligned() -> None:
    assert plain(table([("a", "1"), ("bcd", "200")], justify="lr")) == "a      1\nbcd  200\n"
    rows = [("a", "b", "1"), ("", "ccc", "20")]
    assert plain(table(rows, justify="llr")) == "a  b     1\n   ccc  20\n"


def test_heads_may_have_two_lines() -> None:
    text = plain(table([("x", "1")], justify="lr", heads=("name", "visual\ntokens"), indent=2))
    assert text == "        visual\n  name  tokens\n  x          1\n"


def test_labels_stand_before_their_fields() -> None:
    assert plain(fields([("status", "written"), ("", "more")])) == (
        "  status     written\n             more\n"
    )


def test_nothing_is_wrapped_in_a_log_and_nothing_lost_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = "x" * 300
    assert long in plain(fields([("source", long)]))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    text = "".join(rendered([fields([("source", long)])], stream=Terminal()))
    assert text.count("x") == 300


def test_cells_are_never_markup() -> None:
    assert "[bold]x[/bold] [/]" in plain(table([("[bold]x[/bold] [/]", ":smile:")], justify="ll"))
