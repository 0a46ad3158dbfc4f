"""`pagemill calibrate`: measure a severity table on Ray; a stopped run goes on where it was."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson

from ...corruption.ocr import open_ocr
from ...corruption.operator import OPERATORS
from ...corruption.severity import Table, write_table
from ...engine.errors import ConfigError, PagemillError
from ...engine.progress import Progress
from ...engine.store.place import Place
from ..cluster import actors_of, connected
from ..pool import ActorPool
from .fit import never_falling, rise, smoothed
from .sample import CalibrationLine, calibration_lines
from .worker import CalibrationJob, OcrWorker

X_HEIGHTS = (6.0, 8.0, 10.0, 13.0, 17.0)
SEVERITIES = (0.0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.36, 0.52, 0.68, 0.84, 1.0)
"""Fine up to `severity.TURN`, where `light` lies."""
_READABLE = 0.10
"""Error rate on the clean line above which a line says nothing about an engine."""
_FEWEST = 8
_LINES_A_JOB = 400


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


def calibrate(place: Place, out: Path, how: Calibration, progress: Progress) -> Table:
    """Measure on a corpus and write the table.

    Only lines that every engine reads almost without error when clean are measured on. What is
    done is kept beside the output until the table is complete.

    Raises:
        ConfigError: too few lines of some size.
        DependencyError: an engine is missing.
    """
    versions = {name: open_ocr(name).version for name in how.engines}
    pool_size = 3 * how.lines
    found = calibration_lines(place, X_HEIGHTS, pool_size)
    _check(found)
    notes = _Notes(out.with_suffix(".part.jsonl"), _identity(found, versions, how))
    with connected(how.address, how.workers) as workers:
        make = actors_of(OcrWorker, how.engines, found, how.seed)
        with closing(ActorPool[CalibrationJob](make, workers)) as pool:
            clean = _measure(pool, _clean_jobs(found), notes, progress)
            readable = _readable(clean, found)
            jobs = _operator_jobs(readable, how)
            measured = _measure(pool, jobs, notes, progress)
    table = _table(jobs, measured, clean, found, versions, how)
    write_table(out, table)
    notes.remove()
    return table


def _clean_jobs(found: Sequence[Sequence[CalibrationLine]]) -> list[CalibrationJob]:
    return [
        CalibrationJob("", n, tuple(range(len(lines))), (0.0,), trims_px=(0, 1))
        for n, lines in enumerate(found)
    ]


def _readable(
    clean: dict[str, np.ndarray], found: Sequence[Sequence[CalibrationLine]]
) -> list[list[int]]:
    """Lines of each size that every engine reads, with or without the outermost px of the crop.

    An engine may lose a whole line over one px; such lines say nothing about an operator.
    """
    chosen = []
    for size in range(len(found)):
        worst = clean[f"clean:{size}"].max(axis=(0, 1))
        good = np.flatnonzero(worst <= _READABLE).tolist()
        if len(good) < _FEWEST:
            raise ConfigError(
                f"at an x-height of {X_HEIGHTS[size]:g} px the engines read only {len(good)} of "
                f"{len(found[size])} clean lines, {_FEWEST} are needed: build a corpus with more "
                "text in Latin script, or at a higher render.dpi"
            )
        chosen.append(good)
    return chosen


def _operator_jobs(readable: Sequence[Sequence[int]], how: Calibration) -> list[CalibrationJob]:
    """Each operator gets lines of its own where there are enough."""
    jobs = []
    for number, operator in enumerate(OPERATORS):
        for size, lines in enumerate(readable):
            count = min(how.lines, len(lines))
            start = number * count
            picked = tuple(lines[(start + place) % len(lines)] for place in range(count))
            jobs.append(CalibrationJob(operator, size, picked, SEVERITIES[1:]))
    return jobs


def _measure(
    pool: ActorPool[CalibrationJob],
    jobs: Sequence[CalibrationJob],
    notes: _Notes,
    progress: Progress,
) -> dict[str, np.ndarray]:
    """Error rates by the name of the job; progress counts what an earlier run has not done."""
    results = {job.name: notes.results[job.name] for job in jobs if job.name in notes.results}
    left = [job for job in jobs if job.name not in results]
    total, done = sum(job.readings for job in left), 0
    for job in left:
        pool.submit("measure", job)
    while pool.busy:
        for one in pool.wait(1.0):
            if one.lost:
                raise PagemillError(
                    f"reading {one.item.name} killed {pool.size} workers in a row; lower --workers"
                )
            results[one.item.name] = one.result
            notes.add(one.item.name, one.result)
            done += one.item.readings
        progress(done, total)
    return results


def _table(
    jobs: Sequence[CalibrationJob],
    measured: dict[str, np.ndarray],
    clean: dict[str, np.ndarray],
    found: Sequence[Sequence[CalibrationLine]],
    versions: dict[str, str],
    how: Calibration,
) -> Table:
    shape = (len(how.engines), len(X_HEIGHTS), len(SEVERITIES))
    rises = {name: np.zeros(shape) for name in OPERATORS}
    for job in jobs:
        before = clean[f"clean:{job.size}"][:, :, list(job.lines)].mean(axis=1)
        rises[job.operator][:, job.size, 1:] = rise(measured[job.name], before)
    curves = {
        name: np.apply_along_axis(never_falling, 2, smoothed(values))
        for name, values in rises.items()
    }
    used = {(job.size, line) for job in jobs for line in job.lines}
    documents = {found[size][line].document for size, line in used}
    header = {
        "command": how.command,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "versions": versions,
        "seed": how.seed,
        "documents": len(documents),
        "lines": len(used),
        "lines_each": how.lines,
        "readings": sum(job.readings for job in jobs) * len(how.engines),
        "clean_error": {
            engine: [
                round(float(clean[f"clean:{size}"][n].mean()), 4) for size in range(len(X_HEIGHTS))
            ]
            for n, engine in enumerate(how.engines)
        },
        "meaning": "curves[operator][engine][x_height][severity]: mean character error rate above "
        "that of the clean line, white space left out; smoothed over x-heights; never falling",
    }
    return Table(
        severities=SEVERITIES,
        x_heights=X_HEIGHTS,
        engines=how.engines,
        curves=curves,
        header=header,
    )


def _check(found: Sequence[Sequence[CalibrationLine]]) -> None:
    for height, lines in zip(X_HEIGHTS, found, strict=True):
        if len(lines) < _FEWEST:
            raise ConfigError(
                f"the corpus has {len(lines)} lines of 12 to 64 characters with an x-height of "
                f"{height:g} px or more, {_FEWEST} are needed: build it from more documents, or "
                "with --set render.dpi=288"
            )


def _identity(
    found: Sequence[Sequence[CalibrationLine]], versions: dict[str, str], how: Calibration
) -> str:
    """Changes with everything that changes a measurement."""
    digest = hashlib.blake2b(digest_size=8)
    amounts = {
        name: [operator.gentle, operator.amount(1.0, 10.0), operator.amount(0.1, 10.0)]
        for name, operator in OPERATORS.items()
    }
    parts = [SEVERITIES, X_HEIGHTS, how.engines, how.lines, how.seed, versions, amounts]
    digest.update(repr(parts).encode())
    for lines in found:
        for one in lines:
            digest.update(one.page.key.encode())
            digest.update(one.image.tobytes())
    return digest.hexdigest()


class _Notes:
    """What a run has measured so far, one JSON line a job, the identity of the run first."""

    def __init__(self, path: Path, identity: str) -> None:
        self._path = path
        self.results: dict[str, np.ndarray] = {}
        lines = path.read_bytes().splitlines() if path.exists() else []
        rows = [row for row in map(_parsed, lines) if row]
        known = rows[1:] if rows and rows[0].get("identity") == identity else []
        self.results = {str(row["job"]): np.array(row["error"], np.float32) for row in known}
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [orjson.dumps(row) + b"\n" for row in ({"identity": identity}, *known)]
        path.write_bytes(b"".join(kept))

    def add(self, job: str, error: np.ndarray) -> None:
        """Append a job's result."""
        row = {"job": job, "error": np.round(error.astype(float), 4).tolist()}
        with self._path.open("ab") as stream:
            stream.write(orjson.dumps(row) + b"\n")

    def remove(self) -> None:
        """The table is written: nothing is left to go on with."""
        self._path.unlink(missing_ok=True)


def _parsed(line: bytes) -> dict[str, object]:
    """A line of the notes; empty for one that was cut when the run was stopped."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return row if isinstance(row, dict) else {}
