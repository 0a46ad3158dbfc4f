"""`pagemill calibrate`: measure a severity table on Ray; a stopped run goes on where it was."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from ...corruption.ocr import open_ocr
from ...corruption.operator import OPERATORS
from ...corruption.severity import SeverityTable, write_table
from ...engine.errors import DataError
from ...engine.failure import Failures
from ...engine.progress import Progress
from ...engine.reason import Reason
from ...engine.store.place import Place
from ..cluster import actors_of, connected
from ..pool import ActorPool, JobPool, JobResult
from .journal import CalibrationJournal
from .measure import CalibrationJob, Measurement, OcrWorker
from .sample import CalibrationLine, calibration_lines
from .table import (
    SEVERITIES,
    X_HEIGHTS,
    Calibration,
    check_lines,
    clean_jobs,
    operator_jobs,
    readable_lines,
    severity_table,
)

FAILED_JOBS_IN_A_ROW = 5
"""Of none of whose lines anything was read: then it is not the lines."""
_log = logging.getLogger(__name__)


def calibrate(
    place: Place, out: Path, calibration: Calibration, progress: Progress
) -> SeverityTable:
    """Measure on a corpus and write the table.

    Only lines that every engine reads almost without error when clean are measured on. What is
    done is kept beside the output until the table is complete: where operators had to be left out,
    the same call measures them again.

    Raises:
        ConfigError: too few lines of some size.
        DataError: `FAILED_JOBS_IN_A_ROW` jobs in a row failed.
        DependencyError: an engine is missing.
    """
    versions = {name: open_ocr(name).version for name in calibration.engines}
    lines = calibration_lines(place, X_HEIGHTS, 3 * calibration.lines)
    check_lines(lines)
    identity = _identity(lines, versions, calibration)
    journal = CalibrationJournal(out.with_suffix(".part.jsonl"), identity)
    with connected(calibration.address, calibration.workers) as workers:
        make = actors_of(OcrWorker, calibration.engines, lines, calibration.seed)
        with closing(ActorPool[CalibrationJob](make, workers)) as pool:
            clean = measure_jobs(pool, clean_jobs(lines), journal, progress)
            jobs = operator_jobs(readable_lines(clean, lines), calibration.lines)
            measured = measure_jobs(pool, jobs, journal, progress)
    table = severity_table(jobs, measured, clean, lines, versions, calibration)
    write_table(out, table)
    if not table.header["operators_left_out"]:
        journal.remove()
    return table


def measure_jobs(
    pool: JobPool[CalibrationJob],
    jobs: Sequence[CalibrationJob],
    journal: CalibrationJournal,
    progress: Progress,
) -> Mapping[str, np.ndarray]:
    """Error rates by the name of the job, without those of jobs that failed.

    Args:
        pool: of `OcrWorker`s.
        jobs: what to measure; what the journal has is not measured again.
        journal: is given every result.
        progress: counts the readings that an earlier run has not done.

    Raises:
        DataError: `FAILED_JOBS_IN_A_ROW` jobs in a row failed; names the last and why.
    """
    left = [job for job in jobs if job.name not in journal.errors]
    failures = Failures(FAILED_JOBS_IN_A_ROW)
    total, done = sum(job.readings for job in left), 0
    for job in left:
        pool.submit("measure", job)
    while pool.busy:
        for result in pool.wait(1.0):
            job = result.item
            if fault := _fault(result):
                failures.add(job.name, DataError(fault, reason=Reason.INTERNAL_ERROR))
                _log.warning("calibrate: %s failed and is left out: %s", job.name, fault)
            else:
                failures.success()
                journal.add(job.name, result.result.errors)
            done += job.readings
        progress(done, total)
    return {job.name: journal.errors[job.name] for job in jobs if job.name in journal.errors}


def _fault(result: JobResult[CalibrationJob]) -> str:
    """What is wrong with a job as a whole; empty where any of its lines was read."""
    if result.lost:
        return "three workers in a row were lost over it; lower --workers"
    measurement: Measurement = result.result
    for key, message in measurement.failures:
        _log.warning("calibrate: %s of %s is left out: %s", key, result.item.name, message)
    if len(measurement.failures) < len(result.item.lines):
        return ""
    return measurement.failures[-1][1]


def _identity(
    lines: Sequence[Sequence[CalibrationLine]],
    versions: Mapping[str, str],
    calibration: Calibration,
) -> str:
    """Changes with everything that changes a measurement."""
    digest = hashlib.blake2b(digest_size=8)
    amounts = {
        name: [operator.gentle, operator.amount(1.0, 10.0), operator.amount(0.1, 10.0)]
        for name, operator in OPERATORS.items()
    }
    parts = [
        SEVERITIES, X_HEIGHTS, calibration.engines, calibration.lines, calibration.seed,
        dict(versions), amounts,
    ]  # fmt: skip
    digest.update(repr(parts).encode())
    for of_size in lines:
        for line in of_size:
            digest.update(line.page.key.encode())
            digest.update(line.image.tobytes())
    return digest.hexdigest()
