"""Failures are recorded with a reason, and only several in a row, or the machine, stop a run."""

from __future__ import annotations

from errno import ENOSPC

import pytest
from pagemill.engine.errors import ConfigError, DataError
from pagemill.engine.failure import Failures
from pagemill.engine.reason import Reason


def test_every_error_has_a_reason_and_a_message_in_one_line():
    failures = Failures(9)
    failures.add("a", DataError("the page is torn", reason=Reason.BROKEN))
    failures.add("b", ConfigError("too long\nto read"))
    failures.add("c", KeyError("width"))
    assert [(failure.name, failure.reason) for failure in failures.failures] == [
        ("a", "broken"), ("b", "unreadable"), ("c", "internal_error"),
    ]  # fmt: skip
    assert [failure.message for failure in failures.failures] == [
        "the page is torn", "too long to read", "KeyError: 'width'",
    ]  # fmt: skip


def test_what_a_stranger_wrote_into_an_error_is_valid_and_bounded():
    failure = Failures(9).add("a", ValueError("\udcff\x00\x1b[2J" + "x" * 1_000_000))
    failure.message.encode("utf-8")
    assert "\x1b" not in failure.message
    assert len(failure.message) < 600


def test_a_success_ends_a_row_of_failures():
    failures = Failures(2)
    failures.add("a", ValueError("1"))
    failures.success()
    failures.add("b", ValueError("2"))
    with pytest.raises(DataError, match="2 in a row went wrong, so nothing goes on; the last: c"):
        failures.add("c", ValueError("3"))
    assert len(failures.failures) == 3


@pytest.mark.parametrize(
    "error", [MemoryError(), ImportError("torch"), SystemError(), OSError(ENOSPC, "no space left")]
)
def test_errors_of_the_machine_are_raised_again(error):
    failures = Failures(9)
    with pytest.raises(type(error)):
        failures.add("a", error)
    assert failures.failures == []
