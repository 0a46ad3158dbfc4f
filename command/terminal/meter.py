"""How far a single long step is, in bytes or pieces.

A bar of rich on a terminal, else a line every few seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from .live import StepBar
from .number import duration, rate
from .screen import Screen

MEGABYTES = "MB"


class Meter:
    """Call it with (done, total) as often as you like; a context manager that wipes its bar.

    Args:
        label: what is being done, such as `verify`.
        stream: where to draw; stderr unless told otherwise.
        clock: seconds, for tests.
        unit: of what is counted; MB counts bytes.
    """

    def __init__(
        self,
        label: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        unit: str = MEGABYTES,
    ) -> None:
        self._label = label
        self._unit = unit
        self._scale = 1e6 if unit == MEGABYTES else 1.0
        self._clock = clock
        self._start_s = self._drawn_s = clock()
        self._screen = Screen(
            sys.stderr if stream is None else stream, lambda stream: StepBar(stream, label)
        )
        self.note = ""
        """Said behind the numbers."""

    def __call__(self, done: int, total: int) -> None:
        now_s = self._clock()
        if now_s - self._drawn_s < self._screen.interval_s:
            return
        self._drawn_s = now_s
        per_s = done / max(now_s - self._start_s, 1e-9)
        amount = f"{done / self._scale:,.0f}/{total / self._scale:,.0f} {self._unit}"
        parts = [amount, f"{rate(per_s / self._scale)} {self._unit}/s"]
        parts += [f"ETA {duration((total - done) / per_s)}"] if per_s else []
        parts += [self.note] if self.note else []
        text = "  ".join(parts)
        self._screen.draw(lambda bar: bar.draw(done, total, text), lambda: f"{self._label} {text}")

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Wipe the bar from a terminal."""
        self._screen.stop()
