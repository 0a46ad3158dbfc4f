"""A long step says how far it is, without flooding a log."""

from __future__ import annotations

import io

import pytest
from pagemill.command.terminal.meter import Meter


def run(stream: io.StringIO, seconds: int) -> str:
    now = [0.0]
    shown = Meter("verify", stream, clock=lambda: now[0])
    for step in range(seconds * 10):
        now[0] = step / 10
        shown(step * 1_000_000, seconds * 10_000_000)
    shown.close()
    return stream.getvalue()


def test_a_log_gets_a_line_every_few_seconds() -> None:
    lines = run(io.StringIO(), 21).splitlines()
    assert len(lines) == 4
    assert lines[0] == "verify 50/210 MB  10 MB/s  ETA 16s"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_that_is_wiped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    text = run(Terminal(), 3)
    assert "verify" in text
    assert "━" in text
    assert "ETA" in text
    assert text.endswith("\x1b[2K"), "the line is erased"
    assert "\x1b[?25h" in text, "and the cursor given back"


def test_a_note_stands_behind_the_numbers_and_is_never_markup() -> None:
    now = [0.0]
    stream = io.StringIO()
    with Meter("train", stream, clock=lambda: now[0], unit="steps") as meter:
        meter.note = "loss [bold]2.5"
        now[0] = 10.0
        meter(5, 20)
    assert stream.getvalue() == "train 5/20 steps  0.5 steps/s  ETA 30s  loss [bold]2.5\n"


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_a_closed_stream_does_not_stop_a_step(
    kind: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    now = [0.0]
    stream = kind()
    with Meter("verify", stream, clock=lambda: now[0]) as meter:
        stream.close()
        for step in range(100):
            now[0] = float(step)
            meter(step, 100)


def test_nothing_is_written_when_it_is_quick() -> None:
    assert run(io.StringIO(), 1) == ""
