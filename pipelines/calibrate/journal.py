"""What a run has measured so far, one JSON line a job, the identity of the run first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson


class CalibrationJournal:
    """The measurements of an earlier run with the same identity, and those of this one.

    A line that was cut off when the run was stopped is left out.

    Args:
        path: of the file; it is begun anew where it is of a run with another identity.
        identity: changes with everything that changes a measurement.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self._path = path
        lines = path.read_bytes().splitlines() if path.exists() else []
        rows = [row for row in map(_parsed, lines) if row]
        jobs = rows[1:] if rows and rows[0].get("identity") == identity else []
        self.errors = {str(row["job"]): np.array(row["error"], np.float32) for row in jobs}
        """Job to its error rates, float32 [engines, severities and trims, lines]."""
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [orjson.dumps(row) + b"\n" for row in ({"identity": identity}, *jobs)]
        path.write_bytes(b"".join(kept))

    def add(self, job: str, errors: np.ndarray) -> None:
        """Append a job's error rates; NaN is null."""
        row = {"job": job, "error": np.round(errors.astype(float), 4).tolist()}
        with self._path.open("ab") as stream:
            stream.write(orjson.dumps(row) + b"\n")
        self.errors[job] = errors

    def remove(self) -> None:
        """The table is complete: nothing is left to go on with."""
        self._path.unlink(missing_ok=True)


def _parsed(line: bytes) -> dict[str, Any]:
    """A line of the file; empty for one that was cut off."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return row if isinstance(row, dict) else {}
