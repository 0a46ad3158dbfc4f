"""The severity table from what was measured: which lines count, curves of operators, the header."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ...corruption.operator import OPERATORS
from ...corruption.severity import SeverityTable
from ...engine.errors import ConfigError
from .fit import rise, rising, smoothed
from .measure import CalibrationJob
from .sample import CalibrationLine

X_HEIGHTS = (6.0, 8.0, 10.0, 13.0, 17.0)
SEVERITIES = (0.0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.36, 0.52, 0.68, 0.84, 1.0)
"""Fine up to `severity.TURN`, where `light` lies."""
FEWEST_LINES = 8
"""Of a size, that are needed."""
_READABLE = 0.10
"""Error rate on the clean line above which a line says nothing about an engine."""
_LEAST_READ = 0.5
"""Share of a job's lines that were read, below which its curve is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What to measure with."""

    engines: tuple[str, ...] = ("tesseract", "rapidocr")
    lines: int = 40
    """Lines for each operator and x-height."""
    seed: int = 0
    workers: int = 0
    address: str | None = None
    command: str = ""
    """As it was typed, for the table's header."""


def check_lines(lines: Sequence[Sequence[CalibrationLine]]) -> None:
    """Whether there are enough lines of every size.

    Raises:
        ConfigError: there are not.
    """
    for height, of_size in zip(X_HEIGHTS, lines, strict=True):
        if len(of_size) < FEWEST_LINES:
            raise ConfigError(
                f"the corpus has {len(of_size)} lines of 12 to 64 characters with an x-height of "
                f"{height:g} px or more, {FEWEST_LINES} are needed: build it from more documents, "
                "or with --set render.dpi=288"
            )


def clean_jobs(lines: Sequence[Sequence[CalibrationLine]]) -> list[CalibrationJob]:
    """All lines as they are, with and without the outermost px of the crop."""
    return [
        CalibrationJob("", size, tuple(range(len(of_size))), (0.0,), trims_px=(0, 1))
        for size, of_size in enumerate(lines)
    ]


def readable_lines(
    clean: Mapping[str, np.ndarray], lines: Sequence[Sequence[CalibrationLine]]
) -> list[list[int]]:
    """Lines of each size that every engine reads, with or without the outermost px of the crop.

    An engine may lose a whole line over one px; such lines say nothing about an operator.

    Raises:
        ConfigError: too few of some size.
    """
    readable = []
    for size, of_size in enumerate(lines):
        errors = clean.get(f"clean:{size}", np.full((1, 1, len(of_size)), np.nan))
        good = np.flatnonzero(errors.max(axis=(0, 1)) <= _READABLE).tolist()
        if len(good) < FEWEST_LINES:
            raise ConfigError(
                f"at an x-height of {X_HEIGHTS[size]:g} px the engines read only {len(good)} of "
                f"{len(of_size)} clean lines, {FEWEST_LINES} are needed: build a corpus with more "
                "text in Latin script, or at a higher render.dpi"
            )
        readable.append(good)
    return readable


def operator_jobs(readable: Sequence[Sequence[int]], count: int) -> list[CalibrationJob]:
    """Each operator gets `count` lines of its own where there are enough."""
    jobs = []
    for number, operator in enumerate(OPERATORS):
        for size, lines in enumerate(readable):
            most = min(count, len(lines))
            start = number * most
            picked = tuple(lines[(start + place) % len(lines)] for place in range(most))
            jobs.append(CalibrationJob(operator, size, picked, SEVERITIES[1:]))
    return jobs


def severity_table(
    jobs: Sequence[CalibrationJob],
    measured: Mapping[str, np.ndarray],
    clean: Mapping[str, np.ndarray],
    lines: Sequence[Sequence[CalibrationLine]],
    versions: Mapping[str, str],
    calibration: Calibration,
) -> SeverityTable:
    """The table; operators of which a job failed, or most of its lines, are left out and named."""
    shape = (len(calibration.engines), len(X_HEIGHTS), len(SEVERITIES))
    rises = {name: np.zeros(shape) for name in OPERATORS}
    missing = {job.operator for job in jobs if not _believed(measured.get(job.name))}
    used = [job for job in jobs if job.operator not in missing]
    for job in used:
        before = clean[f"clean:{job.size}"][:, :, list(job.lines)].mean(axis=1)
        rises[job.operator][:, job.size, 1:] = rise(measured[job.name], before)
    curves = {
        name: np.apply_along_axis(rising, 2, smoothed(values))
        for name, values in rises.items()
        if name not in missing
    }
    header = _header(used, clean, lines, versions, calibration)
    header["lines_that_failed"] = _unread(jobs, measured) + _unread(clean_jobs(lines), clean)
    header["operators_left_out"] = [name for name in OPERATORS if name in missing]
    return SeverityTable(
        severities=SEVERITIES,
        x_heights=X_HEIGHTS,
        engines=calibration.engines,
        curves=curves,
        header=header,
    )


def _header(
    jobs: Sequence[CalibrationJob],
    clean: Mapping[str, np.ndarray],
    lines: Sequence[Sequence[CalibrationLine]],
    versions: Mapping[str, str],
    calibration: Calibration,
) -> dict[str, Any]:
    used = {(job.size, line) for job in jobs for line in job.lines}
    documents = {lines[size][line].document for size, line in used}
    return {
        "command": calibration.command,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "versions": dict(versions),
        "seed": calibration.seed,
        "documents": len(documents),
        "lines": len(used),
        "lines_each": calibration.lines,
        "readings": sum(job.readings for job in jobs) * len(calibration.engines),
        "clean_error": {
            engine: [
                round(float(np.nanmean(clean[f"clean:{size}"][n])), 4)
                for size in range(len(X_HEIGHTS))
            ]
            for n, engine in enumerate(calibration.engines)
        },
        "meaning": "curves[operator][engine][x_height][severity]: mean character error rate above "
        "that of the clean line, white space left out; smoothed over x-heights; never falling",
    }


def _believed(errors: np.ndarray | None) -> bool:
    """Whether enough of a job's lines were read."""
    return errors is not None and bool((~_failed(errors)).mean() >= _LEAST_READ)


def _unread(jobs: Sequence[CalibrationJob], errors: Mapping[str, np.ndarray]) -> int:
    """Lines that failed, those of jobs that failed as a whole among them."""
    return sum(
        int(_failed(errors[job.name]).sum()) if job.name in errors else len(job.lines)
        for job in jobs
    )


def _failed(errors: np.ndarray) -> np.ndarray:
    """bool [lines]."""
    return np.asarray(np.isnan(errors).any(axis=(0, 1)))
