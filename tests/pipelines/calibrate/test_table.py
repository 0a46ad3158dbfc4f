"""Lines that count, and operators that were measured."""

from __future__ import annotations

import numpy as np
import pytest
from pagemill.corruption.operator import OPERATORS
from pagemill.engine.errors import ConfigError
from pagemill.pipelines.calibrate.sample import CalibrationLine
from pagemill.pipelines.calibrate.table import (
    SEVERITIES,
    X_HEIGHTS,
    Calibration,
    clean_jobs,
    operator_jobs,
    readable_lines,
    severity_table,
)
from support.typeset import typeset

COUNT = 12
IMAGE, PAGE = typeset(["Paper is made from fibres"])
LINES = [
    [CalibrationLine(PAGE, IMAGE, f"document {number}") for number in range(COUNT)]
    for _ in X_HEIGHTS
]
CALIBRATION = Calibration(engines=("fake",), lines=10)
CLEAN = {job.name: np.zeros((1, 2, COUNT), np.float32) for job in clean_jobs(LINES)}
JOBS = operator_jobs([list(range(COUNT))] * len(X_HEIGHTS), 10)


def measured() -> dict[str, np.ndarray]:
    """Error rates that rise with the severity."""
    rates = np.array(SEVERITIES[1:], np.float32)
    return {job.name: np.tile(rates[None, :, None], (1, 1, len(job.lines))) for job in JOBS}


def test_a_table_has_the_rise_of_every_operator():
    table = severity_table(JOBS, measured(), CLEAN, LINES, {"fake": "1"}, CALIBRATION)
    assert set(table.curves) == set(OPERATORS)
    for curve in table.curves.values():
        assert curve[0] == pytest.approx(np.tile(SEVERITIES, (len(X_HEIGHTS), 1)), abs=1e-6)
    assert table.header["documents"] == COUNT
    assert table.header["lines_that_failed"] == 0
    assert table.header["operators_left_out"] == []


def test_lines_that_failed_are_counted_and_change_no_curve():
    errors = measured()
    errors["noise:1"][:, :, 3] = np.nan
    table = severity_table(JOBS, errors, CLEAN, LINES, {"fake": "1"}, CALIBRATION)
    assert table.curves["noise"][0] == pytest.approx(table.curves["jpeg"][0], abs=1e-6)
    assert table.header["lines_that_failed"] == 1
    assert table.header["operators_left_out"] == []


def test_an_operator_that_was_not_measured_is_left_out_and_named():
    errors = measured()
    del errors["noise:1"]
    errors["wave:0"][:, :, :6] = np.nan
    table = severity_table(JOBS, errors, CLEAN, LINES, {"fake": "1"}, CALIBRATION)
    assert set(OPERATORS) - set(table.curves) == {"noise", "wave"}
    assert table.header["operators_left_out"] == ["noise", "wave"]
    assert table.header["lines_that_failed"] == 16


def test_lines_that_an_engine_cannot_read_clean_do_not_count():
    clean = {name: errors.copy() for name, errors in CLEAN.items()}
    clean["clean:2"][0, 0, 0] = 0.2
    clean["clean:2"][0, :, 5] = np.nan
    readable = readable_lines(clean, LINES)
    assert readable[0] == list(range(COUNT))
    assert readable[2] == [n for n in range(COUNT) if n not in (0, 5)]
    clean["clean:2"][:] = 1.0
    with pytest.raises(ConfigError, match="read only 0 of 12 clean lines, 8 are needed"):
        readable_lines(clean, LINES)
    del clean["clean:2"]
    with pytest.raises(ConfigError, match="read only 0 of 12 clean lines"):
        readable_lines(clean, LINES)
