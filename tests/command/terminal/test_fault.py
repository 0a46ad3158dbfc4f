"""Faults of a corpus: a line each in a log, a table on a terminal."""

from __future__ import annotations

import io

import pytest
from pagemill.command.terminal.console import rendered
from pagemill.command.terminal.fault import faults_view
from pagemill.engine.verify.fault import Fault, FaultKind

FAULTS = [
    Fault("train-000000", "abc_00001", FaultKind.CHECKSUM, "its image\x1b[2J has another checksum"),
    Fault("", "", FaultKind.LEDGER, "a row is missing"),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_a_fault() -> None:
    stream = io.StringIO()
    assert "".join(rendered(faults_view(FAULTS, "corpus", stream), stream=stream)).splitlines() == [
        f"train-000000 abc_00001: {FaultKind.CHECKSUM}: its image\\x1b[2J has another checksum",
        f"corpus: {FaultKind.LEDGER}: a row is missing",
        "2 faults",
    ]


def test_a_terminal_gets_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    lines = "".join(rendered(faults_view(FAULTS, "corpus", stream), stream=stream)).splitlines()
    assert lines[0].split() == ["where", "fault", "what", "is", "wrong"]
    assert lines[1].startswith("train-000000 abc_00001")
    assert "\\x1b[2J" in lines[1]
    assert lines[-1] == "2 faults"


def test_a_sound_corpus_is_said_to_be_sound() -> None:
    stream = io.StringIO()
    text = "".join(rendered(faults_view([], "corpus", stream), stream=stream))
    assert text == "No faults: every byte is as it was written.\n"
