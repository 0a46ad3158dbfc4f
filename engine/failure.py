"""What went wrong with one document, page, case or request, and when so much does that a run stops.

A failure is its owner's fate: it is recorded and the run goes on. Only failures in a row end it,
and what `is_system_error` says of the machine is never taken for bad data.
"""

from __future__ import annotations

import errno
import logging
import traceback
from dataclasses import dataclass
from pathlib import Path

from .errors import DataError, PagemillError
from .reason import Reason
from .text import MESSAGE_CHARS, sanitize, visible

log = logging.getLogger(__name__)

SYSTEM_ERRORS = (MemoryError, ImportError, SyntaxError, SystemError)
"""Say something of the machine or the installation, nothing of the data in hand."""
EXHAUSTED = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EROFS", "ENOMEM", "EMFILE", "ENFILE", "EAGAIN")
)
"""Errors of the operating system that are about the machine, whatever was read or written."""
TRACEBACK_CHARS = 4000
"""Of a failure's text: some 40 frames."""
PACKAGE = Path(__file__).resolve().parents[1]
UNREADABLE = "unreadable"
"""Reason of what was refused without naming one."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong."""

    name: str
    """What it went wrong with: a key, or a file and its page."""
    reason: str
    """One word, snake_case."""
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


class Failures:
    """Collects failures, and stops a run after too many in a row.

    Args:
        limit_in_a_row: how many end the run.
    """

    def __init__(self, limit_in_a_row: int) -> None:
        self.limit_in_a_row = limit_in_a_row
        self.in_a_row = 0
        self.failures: list[Failure] = []

    def add(self, name: str, err: Exception) -> Failure:
        """Record an error as what became of something.

        Args:
            name: of what it happened to.
            err: is raised again where `is_system_error` says so.

        Raises:
            DataError: this was one too many in a row; names it and the last error.
        """
        if is_system_error(err):
            raise err
        failure = Failure(name, reason_of(err), visible(sanitize(message_of(err), MESSAGE_CHARS)))
        log.info("%s", failure, exc_info=err)
        self.failures.append(failure)
        self.in_a_row += 1
        if self.in_a_row >= self.limit_in_a_row:
            raise DataError(
                f"{self.in_a_row} in a row went wrong, so nothing goes on; the last: {failure}",
                key=name,
                reason=failure.reason,
            ) from err
        return failure

    def success(self) -> None:
        """Something went well: the row of failures is over."""
        self.in_a_row = 0


def is_system_error(err: BaseException) -> bool:
    """Whether an exception is about the machine or the set-up, never about what was worked on.

    Memory, disk or files at their end, a module that is missing, a wish to stop. A `DataError` is
    about data, whatever caused it.
    """
    if isinstance(err, DataError):
        return False
    if isinstance(err, OSError):
        return err.errno in EXHAUSTED
    return isinstance(err, SYSTEM_ERRORS) or not isinstance(err, Exception)


def failure_text(err: BaseException) -> str:
    """An exception in words for a record: what it says, then the way to it, innermost last.

    Places are named from the package on, so that the text is the same on every machine.
    """
    lines = [f"{type(err).__name__}: {err}"]
    for frame in traceback.extract_tb(err.__traceback__):
        path = Path(frame.filename)
        inside = path.is_relative_to(PACKAGE)
        place = f"pagemill/{path.relative_to(PACKAGE).as_posix()}" if inside else path.name
        lines.append(f"  {place}:{frame.lineno} in {frame.name}")
    cause = err.__cause__ or err.__context__
    if cause is not None:
        lines.append(f"  from {type(cause).__name__}: {cause}")
    return sanitize("\n".join(lines), TRACEBACK_CHARS)


def reason_of(err: Exception) -> str:
    """One word for an error; of what was not raised on purpose it is `internal_error`."""
    if isinstance(err, PagemillError):
        return (err.reason if isinstance(err, DataError) else "") or UNREADABLE
    return Reason.INTERNAL_ERROR


def message_of(err: Exception) -> str:
    """An error in a line; what was not raised on purpose with its type and the place it is from."""
    if isinstance(err, PagemillError):
        return str(err)
    frames = traceback.extract_tb(err.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(err).__name__}: {err}{place}"
