"""Exit statuses of the command, and the words on stderr that go with them."""

from __future__ import annotations

import sys
from collections.abc import Callable

OK, FAULTS, USAGE, INTERRUPTED = 0, 1, 2, 130


def stopped(note: Callable[[str], None]) -> int:
    """Say that an interrupted run can be gone on with; its exit status."""
    note("Stopped. What was read is kept: the same command again goes on from here.")
    return INTERRUPTED


def complain(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr)
