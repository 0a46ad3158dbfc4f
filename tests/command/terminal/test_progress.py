"""What a build prints while it runs: plain lines in logs, a live display on a terminal."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading

import pytest
from pagemill.command.terminal.progress import BuildProgress
from pagemill.pipelines.build.snapshot import BuildSnapshot

CONTROL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b.")


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def snapshot(**values: object) -> BuildSnapshot:
    defaults: dict[str, object] = {
        "documents": 120,
        "documents_total": 348,
        "pages": 1840,
        "written": 1702,
        "rejected": 131,
        "failed": 7,
        "reasons": {"blank": 30, "text_none": 88, "language": 13},
    }
    return BuildSnapshot(**{**defaults, **values})  # type: ignore[arg-type]


def run_plain(snapshots: list[tuple[float, BuildSnapshot]], **options: object) -> list[str]:
    """The lines printed for snapshots taken at the given seconds, without the closing line."""
    stream, clock = io.StringIO(), Clock()
    progress = BuildProgress(stream=stream, clock=clock, **options)  # type: ignore[arg-type]
    for at_s, state in snapshots:
        clock.now_s = 100.0 + at_s
        progress.update(state)
    return stream.getvalue().splitlines()


def test_a_log_gets_one_readable_line() -> None:
    lines = run_plain(
        [
            (0, snapshot(documents=0, pages=0, bytes=0, bytes_total=400)),
            (10, snapshot(pages=963, bytes=100, bytes_total=400)),
        ]
    )
    assert lines[-1] == (
        "read 120/348 documents  963 pages  96.3 pages/s  written 1,702  "
        "rejected 131 (text_none 88, blank 30, …)  failed 7  ETA 30s"
    )


def test_a_log_gets_a_line_every_five_seconds_however_often_the_driver_reports() -> None:
    lines = run_plain([(tenth / 10, snapshot(pages=tenth)) for tenth in range(0, 201)])
    assert len(lines) == 5  # at 0, 5, 10, 15 and 20 s


def test_a_new_stage_is_said_at_once() -> None:
    lines = run_plain([(0, snapshot()), (0.1, snapshot(stage="write", shards=1, shards_total=4))])
    assert lines[-1].startswith("write ")
    assert "shards 1/4" in lines[-1]


def test_the_pace_is_of_the_last_half_minute_not_of_all_time() -> None:
    slow = [(second, snapshot(pages=second)) for second in range(0, 100, 5)]
    fast = [(second, snapshot(pages=100 + (second - 100) * 50)) for second in range(100, 150, 5)]
    assert "50.0 pages/s" in run_plain(slow + fast)[-1]


def test_time_left_follows_bytes_not_documents() -> None:
    start = snapshot(documents=0, bytes=0, bytes_total=1000)
    # Half of the documents are done, but they were the small ones: a tenth of the bytes.
    half = snapshot(documents=174, bytes=100, bytes_total=1000)
    assert run_plain([(0, start), (10, half)])[-1].endswith("ETA 1m30s")


def test_time_left_of_a_resumed_build_ignores_what_was_done_before() -> None:
    start = snapshot(bytes=900, bytes_total=1000)
    later = snapshot(bytes=910, bytes_total=1000)
    assert run_plain([(0, start), (10, later)])[-1].endswith("ETA 1m30s")


def test_no_time_left_is_claimed_while_documents_are_still_being_found() -> None:
    lines = run_plain(
        [
            (0, BuildSnapshot(stage="find", documents=1)),
            (9, BuildSnapshot(stage="find", documents=12)),
        ]
    )
    assert lines[-1] == "find 12 documents"


def test_the_last_line_sums_up_the_run() -> None:
    stream, clock = io.StringIO(), Clock()
    with BuildProgress(total_documents=348, stream=stream, clock=clock) as progress:
        progress.update(BuildSnapshot())
        clock.now_s += 55.1
        progress.close(snapshot(documents=348, pages=5312, shards=3))
        progress.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[-1].startswith("348/348 documents  5,312 pages  written 1,702")
    assert lines[-1].endswith("shards 3  in 55s  96.4 pages/s")


def test_a_stream_that_cannot_say_it_gets_something_readable() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    progress = BuildProgress(stream=stream)
    progress.note("reading Überweisung–№1.pdf")
    progress.update(snapshot())
    progress.close()
    assert rb"reading \xdcberweisung\u2013\u21161.pdf" in raw.getvalue()


def test_a_closed_stream_does_not_stop_a_build() -> None:
    stream = io.StringIO()
    progress = BuildProgress(stream=stream)
    stream.close()
    progress.update(snapshot())
    progress.note("still alive")
    progress.close(snapshot())


def on_terminal(
    width: int, *, term: str = "xterm-256color", encoding: str = "utf-8", live: bool | None = None
) -> bytes:
    """What a terminal of that kind receives from a short run."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    received: list[bytes] = []

    def drain() -> None:
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                return
            if not data:
                return
            received.append(data)

    reader = threading.Thread(target=drain)
    reader.start()
    code = f"""
import sys, time
from pagemill.command.terminal.progress import BuildProgress
from pagemill.pipelines.build.snapshot import BuildSnapshot
with BuildProgress(total_documents=348, live={live}) as progress:
    for step in range(3):
        progress.update(BuildSnapshot(stage="find", documents=step))
        progress.update(BuildSnapshot(
            documents=step * 10, bytes=step, bytes_total=9, pages=step * 100,
            written=step * 90, rejected=7 + step, failed=step,
            reasons={{"blank": 3, "text_none": 4}}, workers=2, worker_bytes=412_000_000,
        ))
        time.sleep(0.05)
    progress.note("restarted worker \u2013 1")
    progress.update(BuildSnapshot(stage="write", documents=348, shards=1, shards_total=3))
"""
    environment = {
        **os.environ,
        "TERM": term,
        "PYTHONIOENCODING": encoding,
        "COLUMNS": str(width),
        "PYTHONUTF8": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], stderr=slave, stdout=subprocess.PIPE, env=environment
    )
    os.close(slave)
    reader.join()
    os.close(master)
    assert done.returncode == 0
    return b"".join(received)


def test_a_terminal_gets_a_live_display_that_is_gone_afterwards() -> None:
    data = on_terminal(100)
    text = CONTROL.sub(b"", data).decode()
    assert "find › read › write" in text
    assert "20/348 documents" in text
    assert "largest 412 MB" in text
    assert b"\x1b[?25l" in data, "the cursor is hidden while drawing"
    assert b"\x1b[?25h" in data, "and given back"
    assert "restarted worker – 1" in text
    assert text.rstrip().splitlines()[-1].startswith("348/348 documents")


@pytest.mark.parametrize(
    ("width", "term", "encoding"),
    [(20, "xterm", "utf-8"), (80, "dumb", "utf-8"), (80, "", "utf-8")],
)
def test_a_terminal_that_cannot_redraw_gets_plain_lines(
    width: int, term: str, encoding: str
) -> None:
    data = on_terminal(width, term=term, encoding=encoding)
    assert b"\x1b" not in data
    assert b"read 0/348 documents" in data


@pytest.mark.parametrize(
    ("width", "term", "encoding"),
    [
        (20, "xterm", "utf-8"),
        (1, "xterm", "ascii"),
        (100, "vt100", "latin-1"),
        (100, "dumb", "ascii"),
        (300, "no-such-terminal", "cp1252"),
    ],
)
def test_a_live_display_that_is_forced_on_an_odd_terminal_does_not_raise(
    width: int, term: str, encoding: str
) -> None:
    data = on_terminal(width, term=term, encoding=encoding, live=True)
    assert b"348" in data
    if encoding == "ascii":
        assert data.isascii()
