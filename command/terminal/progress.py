"""What a build shows while it runs: a live display on a terminal, plain lines elsewhere.

The driver hands over a `BuildSnapshot` as often as it likes; nothing is drawn more often than is
useful, and no thread is started.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from ...engine.text import visible
from ...pipelines.build.snapshot import BuildSnapshot
from .build_rate import BuildRate
from .live import BuildDisplay
from .number import duration, top_reasons
from .screen import Screen


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
        self._total_documents = total_documents
        self._clock = clock
        self._rate = BuildRate()
        self._last: BuildSnapshot | None = None
        self._drawn_s: float | None = None
        self._closed = False
        self._screen = Screen(sys.stderr if stream is None else stream, BuildDisplay, live)

    def update(self, snapshot: BuildSnapshot) -> None:
        """Take the newest state; draws it when the last drawing is old enough."""
        if self._closed:
            return
        now_s = self._clock()
        stage_changed = self._last is not None and self._last.stage != snapshot.stage
        self._last = snapshot
        self._rate.add(now_s, snapshot)
        due = self._drawn_s is None or now_s - self._drawn_s >= self._screen.interval_s
        if due or stage_changed:
            self._drawn_s = now_s
            self._draw(snapshot)

    def note(self, text: str) -> None:
        """Say something once, on a line of its own above the display."""
        text = visible(text)
        self._screen.draw(lambda display: display.note(text), lambda: text)

    def close(self, final: BuildSnapshot | None = None) -> None:
        """Leave the display and print the last state as one line; further calls do nothing."""
        if self._closed:
            return
        if final is not None:
            self._last = final
            self._rate.add(self._clock(), final)
        self._screen.stop()
        self._closed = True
        if self._last is not None:
            elapsed_s, pages_per_s = self._rate.overall(self._clock())
            self._screen.write_line(closing_line(self._last, elapsed_s, pages_per_s, self._total()))

    def __enter__(self) -> BuildProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _total(self) -> int | None:
        if self._last is not None and self._last.documents_total is not None:
            return self._last.documents_total
        return self._total_documents

    def _left_s(self, snapshot: BuildSnapshot) -> float | None:
        if snapshot.stage == "write":
            return self._rate.left_s(snapshot.shards_total)
        if snapshot.stage == "find":
            return None
        return self._rate.left_s(snapshot.bytes_total or self._total() or 0)

    def _draw(self, snapshot: BuildSnapshot) -> None:
        pages_per_s, left_s, total = self._rate.pages_per_s(), self._left_s(snapshot), self._total()
        elapsed_s, _ = self._rate.overall(self._clock())
        self._screen.draw(
            lambda display: display.draw(snapshot, total, pages_per_s, elapsed_s, left_s),
            lambda: plain_line(snapshot, pages_per_s, left_s, total),
        )


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
    """The last line of a run: totals, time and rate."""
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
