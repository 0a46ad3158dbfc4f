"""A long step says how far it is, without flooding a log."""

from __future__ import annotations

import io

from pagemill.command.terminal import meter
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


def test_a_terminal_gets_one_line_that_is_wiped_at_the_end(monkeypatch) -> None:
    monkeypatch.setattr(meter, "can_draw_live", lambda stream: True)
    text = run(io.StringIO(), 3)
    assert "\n" not in text
    assert text.endswith(" \r")
    assert "ETA" in text


def test_nothing_is_written_when_it_is_quick() -> None:
    assert run(io.StringIO(), 1) == ""
