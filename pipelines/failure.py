"""When errors stop a build: at once where the run is to blame, or after many documents in a row.

`engine.failure` says whose failure an exception is; `Failures` there collects failures of runs that
have no ledger.
"""

from __future__ import annotations

from ..engine.errors import DataError, PagemillError
from ..engine.failure import is_system_error

FAILURES_IN_A_ROW = 10
"""Documents come in a shuffled order, so that even where one in ten fails by its own fault ten in a
row are one chance in 10^10: then the fault is not theirs."""


def stops_run(err: BaseException) -> bool:
    """Whether an exception ends the whole run and is no document's fate.

    Errors of the machine, a connection that is lost, and every error that Pagemill raises on
    purpose but `DataError`: they are about the run.
    """
    if is_system_error(err) or isinstance(err, (ConnectionError, TimeoutError)):
        return True
    return isinstance(err, PagemillError) and not isinstance(err, DataError)


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
