"""What a stopped run leaves behind is taken up again."""

from __future__ import annotations

import numpy as np
from pagemill.pipelines.calibrate.journal import CalibrationJournal


def errors(value: float) -> np.ndarray:
    return np.full((1, 2, 2), value, np.float32)


def test_measurements_of_a_stopped_run_are_taken_up_and_foreign_ones_are_not(tmp_path):
    path = tmp_path / "severity.part.jsonl"
    journal = CalibrationJournal(path, "first")
    journal.add("blur:0", errors(0.25))
    journal.add("blur:1", errors(0.5))
    path.write_bytes(path.read_bytes()[:-9])
    taken = CalibrationJournal(path, "first")
    assert list(taken.errors) == ["blur:0"]
    taken.add("blur:1", errors(0.75))
    assert CalibrationJournal(path, "first").errors["blur:1"].tolist() == [[[0.75] * 2] * 2]
    assert CalibrationJournal(path, "second").errors == {}


def test_lines_that_failed_are_so_after_a_stop_too(tmp_path):
    path = tmp_path / "severity.part.jsonl"
    measured = errors(0.5)
    measured[:, :, 1] = np.nan
    CalibrationJournal(path, "first").add("blur:0", measured)
    again = CalibrationJournal(path, "first").errors["blur:0"]
    assert np.array_equal(again, measured, equal_nan=True)
