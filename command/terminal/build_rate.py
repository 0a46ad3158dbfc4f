"""How fast a build is, lately and over all, and when its stage will be done."""

from __future__ import annotations

from collections import deque

from ...pipelines.build.snapshot import BuildSnapshot

WINDOW_S = 30.0


class BuildRate:
    """Pages per second over the last `WINDOW_S` seconds, over all, and the time left.

    rich estimates the speed of one quantity; a build has two, pages to tell and bytes to end by.
    """

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
        return per_second(end.pages - start.pages, end_s - start_s)

    def overall(self, now_s: float) -> tuple[float, float]:
        """Seconds and pages per second since the first snapshot."""
        if self._first is None:
            return 0.0, 0.0
        start_s, start = self._first
        last = self._points[-1][1]
        return now_s - start_s, per_second(last.pages - start.pages, now_s - start_s)

    def left_s(self, total: float) -> float | None:
        """Seconds until the stage's work reaches `total` at the window's rate, or None."""
        if len(self._points) < 2 or total <= 0:
            return None
        (start_s, start), (end_s, end) = self._points[0], self._points[-1]
        rate = per_second(end.progress - start.progress, end_s - start_s)
        return max(0.0, total - end.progress) / rate if rate > 0 else None


def per_second(amount: float, seconds: float) -> float:
    """A rate, never below 0."""
    return max(0.0, amount) / seconds if seconds > 0 else 0.0
