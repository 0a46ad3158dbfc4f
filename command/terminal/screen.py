"""A live display for as long as it can be drawn, plain lines after that.

No terminal, however odd, can stop what it shows: what cannot be drawn falls back to plain lines,
and a stream that is gone is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TextIO, TypeVar

from .console import can_draw_live, encodable

PLAIN_INTERVAL_S = 5.0
LIVE_INTERVAL_S = 0.125


class Display(Protocol):
    """What is drawn in place; may raise whatever rich or the terminal raises."""

    def stop(self) -> None:
        """Take it away and give the terminal back."""


D = TypeVar("D", bound=Display)


class Screen(Generic[D]):
    """One stream, and the display on it.

    Args:
        stream: where to draw.
        open_display: starts the display.
        live: whether to start it; None decides by the terminal.
    """

    def __init__(
        self, stream: TextIO, open_display: Callable[[TextIO], D], live: bool | None = None
    ) -> None:
        self._stream = stream
        self._display: D | None = None
        self._gone = False
        if can_draw_live(stream) if live is None else live:
            try:
                self._display = open_display(stream)
            except Exception:  # noqa: BLE001  rich on an odd terminal must not stop a build
                self._display = None

    @property
    def interval_s(self) -> float:
        """How often it is useful to draw."""
        return PLAIN_INTERVAL_S if self._display is None else LIVE_INTERVAL_S

    def draw(self, on_display: Callable[[D], None], as_line: Callable[[], str]) -> None:
        """Draw on the display; a line where there is none, or none any more."""
        if self._display is not None:
            try:
                on_display(self._display)
                return
            except Exception:  # noqa: BLE001  rich on an odd terminal must not stop a build
                self.stop()
        self.write_line(as_line())

    def write_line(self, text: str) -> None:
        """A plain line, below what is drawn."""
        if self._gone:
            return
        try:
            self._stream.write(encodable(text, self._stream) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # The reader of the stream is gone, or the stream is closed: the work goes on.
            self._gone = True

    def stop(self) -> None:
        """Take the display away; lines can still be written."""
        display, self._display = self._display, None
        if display is not None:
            try:
                display.stop()
            except Exception:  # noqa: BLE001  the terminal is gone; plain lines may still work
                return
