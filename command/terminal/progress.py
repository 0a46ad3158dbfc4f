"""What a build shows while it runs: a live display on a terminal, plain lines elsewhere.

The driver hands over a `Snapshot` as often as it likes; nothing is drawn more often than is
useful, no thread is started, and no terminal, however odd, can stop a build: what cannot be
drawn falls back to plain lines, and a stream that is gone is left alone.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from ...engine.text import visible
from ...pipelines.build.snapshot import BuildSnapshot
from .text import duration, top_reasons

if TYPE_CHECKING:
    from .live import LiveDisplay

PLAIN_INTERVAL_S = 5.0
LIVE_INTERVAL_S = 0.125
WINDOW_S = 30.0
NARROWEST_LIVE_COLUMNS = 40


class Pace:
    """Pages per second over the last `WINDOW_S` seconds, over all, and the time left."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, BuildSnapshot]] = deque()
        self._first: tuple[float, BuildSnapshot] | None = None

    def add(self, now_s: float, snapshot: BuildSnapshot) -> None:
        """Note a snapshot; a new stage starts the window afresh."""
        if self._first is None:
            self._first = (now_s, snapshot)
        if self._points and self._points[-1][1].stage != snapshot.stage:
            self._points.clear()
        self._points.append((now_s, snapshot))
        while len(self._points) > 2 and self._points[1][0] <= now_s - WINDOW_S:
            self._points.popleft()

    def pages_per_s(self) -> float:
        """Over the moving window; 0 while nothing is known."""
        if len(self._points) < 2:
            return 0.0
        (start_s, start), (end_s, end) = self._points[0], self._points[-1]
        return _rate(end.pages - start.pages, end_s - start_s)

    def overall(self, now_s: float) -> tuple[float, float]:
        """Seconds and pages per second since the first snapshot."""
        if self._first is None:
            return 0.0, 0.0
        start_s, start = self._first
        last = self._points[-1][1]
        return now_s - start_s, _rate(last.pages - start.pages, now_s - start_s)

    def left_s(self, total: float) -> float | None:
        """Seconds until the stage's work reaches `total` at the window's pace, or None."""
        if len(self._points) < 2 or total <= 0:
            return None
        (start_s, start), (end_s, end) = self._points[0], self._points[-1]
        pace = _rate(end.progress - start.progress, end_s - start_s)
        return max(0.0, total - end.progress) / pace if pace > 0 else None


class BuildProgress:
    """Shows snapshots of a running build; a context manager.

    Args:
        total_documents: how many there are; None while they are still being found.
        stream: where to draw.
        live: a display that is redrawn in place; None decides by the terminal.
        clock: seconds, monotonic; for tests.
    """

    def __init__(
        self,
        *,
        total_documents: int | None = None,
        stream: TextIO | None = None,
        live: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._total_documents = total_documents
        self._clock = clock
        self._pace = Pace()
        self._last: BuildSnapshot | None = None
        self._drawn_s: float | None = None
        self._closed = False
        wanted = can_draw_live(self._stream) if live is None else live
        self._display = self._open_display() if wanted else None

    def update(self, snapshot: BuildSnapshot) -> None:
        """Take the newest state; draws it when the last drawing is old enough."""
        if self._closed:
            return
        now_s = self._clock()
        stage_changed = self._last is not None and self._last.stage != snapshot.stage
        self._last = snapshot
        self._pace.add(now_s, snapshot)
        interval_s = LIVE_INTERVAL_S if self._display else PLAIN_INTERVAL_S
        if self._drawn_s is None or stage_changed or now_s - self._drawn_s >= interval_s:
            self._drawn_s = now_s
            self._draw(snapshot)

    def note(self, text: str) -> None:
        """Say something once, on a line of its own above the display."""
        text = visible(text)
        if self._display is not None:
            try:
                self._display.note(text)
                return
            except Exception:  # noqa: BLE001  rich on an odd terminal must not stop a build
                self._drop_display()
        self._write_line(text)

    def close(self, final: BuildSnapshot | None = None) -> None:
        """Leave the display and print the last state as one line; further calls do nothing."""
        if self._closed:
            return
        if final is not None:
            self._last = final
            self._pace.add(self._clock(), final)
        self._drop_display()
        self._closed = True
        if self._last is not None:
            elapsed_s, pages_per_s = self._pace.overall(self._clock())
            self._write_line(closing_line(self._last, elapsed_s, pages_per_s, self._total()))

    def __enter__(self) -> BuildProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_display(self) -> LiveDisplay | None:
        try:
            from .live import LiveDisplay

            return LiveDisplay(self._stream)
        except Exception:  # noqa: BLE001  rich on an odd terminal must not stop a build
            return None

    def _drop_display(self) -> None:
        display, self._display = self._display, None
        if display is not None:
            try:
                display.stop()
            except Exception:  # noqa: BLE001  the terminal is gone; plain lines may still work
                return

    def _total(self) -> int | None:
        if self._last is not None and self._last.documents_total is not None:
            return self._last.documents_total
        return self._total_documents

    def _left_s(self, snapshot: BuildSnapshot) -> float | None:
        if snapshot.stage == "write":
            return self._pace.left_s(snapshot.shards_total)
        if snapshot.stage == "find":
            return None
        return self._pace.left_s(snapshot.bytes_total or self._total() or 0)

    def _draw(self, snapshot: BuildSnapshot) -> None:
        pages_per_s, left_s = self._pace.pages_per_s(), self._left_s(snapshot)
        if self._display is not None:
            elapsed_s, _ = self._pace.overall(self._clock())
            try:
                self._display.draw(snapshot, self._total(), pages_per_s, elapsed_s, left_s)
                return
            except Exception:  # noqa: BLE001  rich on an odd terminal must not stop a build
                self._drop_display()
        self._write_line(plain_line(snapshot, pages_per_s, left_s, self._total()))

    def _write_line(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        line = text.encode(encoding, "backslashreplace").decode(encoding, "replace")
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # The reader of the stream is gone, or the stream is closed: the build goes on.
            self._closed = True


def can_draw_live(stream: TextIO) -> bool:
    """A display that is redrawn in place makes sense on this stream."""
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return False
    try:
        if not stream.isatty():
            return False
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return False
    return columns == 0 or columns >= NARROWEST_LIVE_COLUMNS


def plain_line(
    snapshot: BuildSnapshot, pages_per_s: float, left_s: float | None, total: int | None
) -> str:
    """One line for logs, such as `read 120/348 documents  1,840 pages  96.3 pages/s  ...`."""
    parts = [f"{snapshot.stage} {_of(snapshot.documents, total)} documents"]
    if snapshot.stage != "find":
        parts.append(f"{snapshot.pages:,} pages")
        if snapshot.stage == "read":
            parts.append(f"{pages_per_s:,.1f} pages/s")
        parts += _fates(snapshot)
        if snapshot.stage == "write":
            parts.append(f"shards {_of(snapshot.shards, snapshot.shards_total or None)}")
        if left_s is not None:
            parts.append(f"ETA {duration(left_s)}")
    return "  ".join(parts)


def closing_line(
    snapshot: BuildSnapshot, elapsed_s: float, pages_per_s: float, total: int | None
) -> str:
    """The last line of a run: totals, time and pace."""
    parts = [f"{_of(snapshot.documents, total)} documents", f"{snapshot.pages:,} pages"]
    parts += _fates(snapshot)
    if snapshot.shards:
        parts.append(f"shards {snapshot.shards:,}")
    parts += [f"in {duration(elapsed_s)}", f"{pages_per_s:,.1f} pages/s"]
    return "  ".join(parts)


def _fates(snapshot: BuildSnapshot) -> list[str]:
    why = top_reasons(snapshot.reasons)
    return [
        f"written {snapshot.written:,}",
        f"rejected {snapshot.rejected:,}" + (f" ({why})" if why else ""),
        f"failed {snapshot.failed:,}",
    ]


def _of(done: int, total: int | None) -> str:
    return f"{done:,}" if total is None else f"{done:,}/{total:,}"


def _rate(amount: float, seconds: float) -> float:
    return max(0.0, amount) / seconds if seconds > 0 else 0.0
