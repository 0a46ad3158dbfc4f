"""How far a single long step is, in bytes or pieces.

A line that is rewritten on a terminal, else a line every few seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from .progress import PLAIN_INTERVAL_S, can_draw_live
from .text import duration

_LIVE_INTERVAL_S = 0.2


class Meter:
    """Call it with (done, total) as often as you like.

    Args:
        label: what is being done, such as `verify`.
        stream: where to write.
        clock: seconds, for tests.
        unit: of what is counted; MB counts bytes.
    """

    def __init__(
        self,
        label: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        unit: str = "MB",
    ) -> None:
        self._label = label
        self._unit = unit
        self._scale = 1e6 if unit == "MB" else 1.0
        self._stream = stream if stream is not None else sys.stderr
        self._clock = clock
        self._live = can_draw_live(self._stream)
        self._start_s = self._drawn_s = clock()
        self._width = 0
        self.note = ""
        """Said behind the numbers."""

    def __call__(self, done: int, total: int) -> None:
        now_s = self._clock()
        interval_s = _LIVE_INTERVAL_S if self._live else PLAIN_INTERVAL_S
        if now_s - self._drawn_s < interval_s:
            return
        self._drawn_s = now_s
        self._write(self._text(done, total, now_s - self._start_s))

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wipe the line on a terminal."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()

    def _text(self, done: int, total: int, seconds: float) -> str:
        rate = done / max(seconds, 1e-9)
        left = f"  ETA {duration((total - done) / rate)}" if rate else ""
        return (
            f"{self._label} {done / self._scale:,.0f}/{total / self._scale:,.0f} {self._unit}  "
            f"{self._rate(rate / self._scale)} {self._unit}/s{left}"
            f"{'  ' if self.note else ''}{self.note}"
        )

    @staticmethod
    def _rate(value: float) -> str:
        """Whole numbers, with digits behind the point for slow work."""
        return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"

    def _write(self, text: str) -> None:
        if self._live:
            self._stream.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()
