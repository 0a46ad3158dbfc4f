"""SIGTERM and Ctrl-C, taken as requests to stop after a step."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_on_signals(request_stop: Callable[[], bool]) -> Iterator[None]:
    """Within it, SIGTERM and the first SIGINT only ask to stop; the second SIGINT interrupts.

    Args:
        request_stop: called at each signal; whether a stop was requested before.
    """

    def handle(number: int, frame: object) -> None:
        requested_before = request_stop()
        if requested_before and number == signal.SIGINT:
            raise KeyboardInterrupt

    try:
        handlers = [signal.signal(number, handle) for number in SIGNALS]
    except ValueError:  # not in the main thread, such as under Ray, which has signals of its own
        yield
        return
    try:
        yield
    finally:
        for number, handler in zip(SIGNALS, handlers, strict=True):
            signal.signal(number, handler)
