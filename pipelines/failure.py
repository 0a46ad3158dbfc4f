"""Whose failure an exception is: the machine's, which stops a run, or that of one document.

What nobody foresaw in one document or page is its fate in the ledger, with the traceback; only
documents that fail one after another show that nothing can go on. (`engine.failure` collects
failures in a list, for runs that have no ledger.)
"""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

from ..engine.errors import DataError, PagemillError
from ..engine.failure import SYSTEM_ERRORS
from ..engine.text import sanitize

FAILURES_IN_A_ROW = 10
"""Documents come in a shuffled order, so that even where one in ten fails by its own fault ten in a
row are one chance in 10^10: then the fault is not theirs."""
TRACEBACK_CHARS = 4000
"""Of the message of a failure: some 40 frames."""

_PACKAGE = Path(__file__).resolve().parents[1]
_FULL = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EROFS", "ENOMEM", "EMFILE", "ENFILE", "EAGAIN")
)
"""Errors of the operating system that are about the machine, whatever was read or written."""


def is_system_error(err: BaseException) -> bool:
    """Whether an exception is about the machine or the set-up, never about what was worked on.

    Memory, disk or files at their end, a module that is missing, a connection that is lost, a
    wish to stop, and every error that Pagemill raises on purpose but `DataError`.
    """
    if isinstance(err, DataError):
        return False
    if isinstance(err, (*SYSTEM_ERRORS, ConnectionError, TimeoutError, PagemillError)):
        return True
    if isinstance(err, OSError):
        return err.errno in _FULL
    return not isinstance(err, Exception)


def failure_text(err: BaseException) -> str:
    """An exception in words for a record: what it says, then the way to it, innermost last.

    Places are named from the package on, so that the text is the same on every machine.
    """
    lines = [f"{type(err).__name__}: {err}"]
    for frame in traceback.extract_tb(err.__traceback__):
        path = Path(frame.filename)
        inside = path.is_relative_to(_PACKAGE)
        place = f"pagemill/{path.relative_to(_PACKAGE).as_posix()}" if inside else path.name
        lines.append(f"  {place}:{frame.lineno} in {frame.name}")
    cause = err.__cause__ or err.__context__
    if cause is not None:
        lines.append(f"  from {type(cause).__name__}: {cause}")
    return sanitize("\n".join(lines), TRACEBACK_CHARS)


class FailureStreak:
    """Counts documents that fail one after another.

    Args:
        limit: how many in a row stop the run.
    """

    def __init__(self, limit: int = FAILURES_IN_A_ROW) -> None:
        self._limit = limit
        self._names: dict[str, str] = {}
        """Documents of the streak and their messages, the first one first."""

    def succeed(self) -> None:
        """A document that did not fail ends the streak."""
        self._names.clear()

    def fail(self, name: str, message: str) -> None:
        """Note a failure; the same document counts once.

        Raises:
            PagemillError: it was one too many.
        """
        self._names.setdefault(name, message)
        if len(self._names) < self._limit:
            return
        first, cause = next(iter(self._names.items()))
        raise PagemillError(
            f"{self._limit} documents in a row met an error inside Pagemill, so the fault is "
            f"not theirs. Please report it; then run the same command again to go on. The first "
            f"was {first}:\n{cause}"
        )
