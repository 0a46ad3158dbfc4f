"""A calibration goes on where it was stopped, and after what goes wrong with one job."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable

import numpy as np
import orjson
import pytest
from pagemill.command import main
from pagemill.corruption.severity import load_table
from pagemill.engine.errors import ConfigError, DataError
from pagemill.pipelines.calibrate.journal import CalibrationJournal
from pagemill.pipelines.calibrate.measure import CalibrationJob, Measurement
from pagemill.pipelines.calibrate.run import FAILED_JOBS_IN_A_ROW, calibrate, measure_jobs
from pagemill.pipelines.calibrate.table import Calibration
from pagemill.pipelines.pool import JobResult

JOBS = [CalibrationJob("noise", size, (0, 1), (0.5, 1.0)) for size in range(12)]
Answer = Callable[[CalibrationJob], JobResult[CalibrationJob]]


class FakePool:
    """Answers one job a call."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.jobs: list[CalibrationJob] = []

    @property
    def busy(self) -> bool:
        return bool(self.jobs)

    def submit(self, method: str, item: CalibrationJob) -> None:
        assert method == "measure"
        self.jobs.append(item)

    def wait(self, timeout_s: float) -> list[JobResult[CalibrationJob]]:
        return [self.answer(self.jobs.pop(0))]


def read(job: CalibrationJob) -> JobResult[CalibrationJob]:
    return JobResult(job, Measurement(np.full((1, 2, 2), 0.5, np.float32)))


def unread(job: CalibrationJob) -> JobResult[CalibrationJob]:
    failures = (("page_00000_1", "ValueError: torn"), ("page_00000_2", "ValueError: torn"))
    return JobResult(job, Measurement(np.full((1, 2, 2), np.nan, np.float32), failures))


@pytest.fixture
def journal(tmp_path) -> CalibrationJournal:
    return CalibrationJournal(tmp_path / "severity.part.jsonl", "first")


def test_what_a_stopped_run_measured_is_not_measured_again(journal):
    journal.add(JOBS[0].name, np.zeros((1, 2, 2), np.float32))
    pool, counts = FakePool(read), []
    errors = measure_jobs(pool, JOBS, journal, lambda done, total: counts.append((done, total)))
    assert list(errors) == [job.name for job in JOBS]
    assert errors[JOBS[0].name].max() == 0
    assert counts[-1] == (44, 44)


def test_one_job_that_fails_does_not_stop_the_others(journal, caplog):
    def answer(job: CalibrationJob) -> JobResult[CalibrationJob]:
        if job.size == 3:
            return unread(job)
        return JobResult(job, lost=True) if job.size == 7 else read(job)

    with caplog.at_level(logging.WARNING):
        errors = measure_jobs(FakePool(answer), JOBS, journal, lambda done, total: None)
    assert set(errors) == {job.name for job in JOBS if job.size not in (3, 7)}
    assert "page_00000_1 of noise:3 is left out: ValueError: torn" in caplog.text
    assert "noise:7 failed and is left out: three workers in a row were lost" in caplog.text
    again = measure_jobs(FakePool(read), JOBS, journal, lambda done, total: None)
    assert set(again) == {job.name for job in JOBS}


def test_too_many_failures_in_a_row_stop_the_calibration(journal):
    with pytest.raises(DataError, match=rf"{FAILED_JOBS_IN_A_ROW} in a row.*noise:5.*torn"):
        measure_jobs(
            FakePool(lambda job: read(job) if job.size == 0 else unread(job)),
            JOBS,
            journal,
            lambda done, total: None,
        )
    assert list(journal.errors) == ["noise:0"]


def needs_tesseract() -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed")


def test_a_corpus_with_too_few_lines_is_refused(corpus, tmp_path):
    needs_tesseract()
    with pytest.raises(ConfigError, match=r"0 lines of 12 to 64 characters"):
        calibrate(
            corpus,
            tmp_path / "severity.json",
            Calibration(engines=("tesseract",)),
            lambda done, total: None,
        )


@pytest.mark.slow
@pytest.mark.ray
def test_calibrate_writes_a_table(letters, tmp_path, monkeypatch):
    needs_tesseract()
    for module in ("run", "table"):
        monkeypatch.setattr(f"pagemill.pipelines.calibrate.{module}.X_HEIGHTS", (9.0, 14.0))
    out = tmp_path / "severity.json"
    arguments = ["calibrate", letters.uri, "--out", str(out), "--ocr", "tesseract"]
    assert main.main([*arguments, "--lines", "8", "--workers", "2"]) == 0
    table = load_table(out)
    assert table.x_heights == (9.0, 14.0)
    assert table.engines == ("tesseract",)
    assert not out.with_suffix(".part.jsonl").exists()
    header = orjson.loads(out.read_bytes())
    assert header["command"].startswith("pagemill calibrate corpus")
    assert header["lines_that_failed"] == 0
    for curve in table.curves.values():
        assert (np.diff(curve, axis=2) >= 0).all()
        assert curve[..., -1].min() > 0.5
