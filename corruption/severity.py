"""What a severity does to reading: measured curves, and a band of error rate inverted to them.

A severity runs from 0 to 1. Up to `TURN` the whole region gets the operator, up to its gentle
strength. From there on a share of the characters gets its full strength, up to all of them.
"""

from __future__ import annotations

import bisect
import functools
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ..engine.errors import ConfigError
from .level import BANDS, Level

SCHEMA = "pagemill.severity.1"
FILE = "severity.json"
TURN = 0.2


def strength_of(severity: float) -> float:
    """Share of the operator's gentle strength that the whole region gets, 0 to 1."""
    return min(1.0, severity / TURN)


def share_of(severity: float) -> float:
    """Share of the characters that get the full strength, 0 to 1."""
    return max(0.0, (severity - TURN) / (1 - TURN))


@dataclass(frozen=True, slots=True)
class SeverityTable:
    """Error rates as measured, by operator, engine, x-height and severity."""

    severities: tuple[float, ...]
    x_heights: tuple[float, ...]
    """px, rising."""
    engines: tuple[str, ...]
    curves: Mapping[str, np.ndarray]
    """Operator to float64 [engines, x_heights, severities]: mean error rate above that of the
    clean region, never falling along severities."""
    header: Mapping[str, Any] = field(default_factory=dict)
    """Command, date, machine, counts."""
    digest: str = ""
    """16 hex digits of the file."""

    def __post_init__(self) -> None:
        shape = (len(self.engines), len(self.x_heights), len(self.severities))
        for name, curve in self.curves.items():
            if curve.shape != shape:
                raise ConfigError(
                    f"the severity table has {curve.shape} numbers for {name} instead of {shape}: "
                    "make it again with `pagemill calibrate`"
                )

    def limits(self, operator: str, level: Level) -> np.ndarray:
        """Lowest and highest severity for a level, float64 [x_heights, 2].

        `light` holds for the engine that suffers most, `moderate` for the mean of all engines.
        """
        band = BANDS[level]
        curves = self.curves[operator]
        if level is Level.LIGHT:
            until = self._inverse(curves.max(axis=0)[:, : self._turn() + 1], band.high)
            return np.stack((until / 2, until), axis=1)
        mean = curves.mean(axis=0)
        return np.stack((self._inverse(mean, band.low), self._inverse(mean, band.high)), axis=1)

    def _turn(self) -> int:
        return int(np.searchsorted(self.severities, TURN))

    def _inverse(self, curves: np.ndarray, error: float) -> np.ndarray:
        """Where each curve reaches an error rate; its last severity where it never does."""
        severities = np.array(self.severities[: curves.shape[1]])
        reached = np.empty(len(curves))
        for row, curve in enumerate(curves):
            rising = curve + np.arange(len(curve)) * 1e-9
            reached[row] = np.interp(error, rising, severities)
        return reached


class SeverityLookup:
    """The severities of a table for one set of operators, ready for many lookups."""

    def __init__(self, table: SeverityTable, operators: Sequence[str]) -> None:
        missing = [name for name in operators if name not in table.curves]
        if missing:
            raise ConfigError(
                f"the severity table does not know {', '.join(missing)}: run `pagemill calibrate`, "
                "or leave the operator away"
            )
        self._logs = [math.log(height) for height in table.x_heights]
        self._severities = list(table.severities)
        self._limits = {
            (name, level): table.limits(name, level).T.tolist()
            for name in operators
            for level in (Level.LIGHT, Level.MODERATE)
        }
        self._means = {name: table.curves[name].mean(axis=0).tolist() for name in operators}

    def severity(self, operator: str, level: Level, x_height: float, part: float) -> float:
        """The severity at a part, 0 to 1, of the level's band; interpolated between x-heights."""
        place = _place(math.log(max(x_height, 1.0)), self._logs)
        lows, highs = self._limits[operator, level]
        low, high = _between(lows, place), _between(highs, place)
        return round(low + (high - low) * part, 4)

    def error(self, operator: str, severity: float, x_height: float) -> float:
        """Mean error rate over the engines, 0 to 1."""
        row, part = _place(math.log(max(x_height, 1.0)), self._logs)
        column = _place(severity, self._severities)
        means = self._means[operator]
        first = _between(means[row], column)
        if part:
            first += (_between(means[row + 1], column) - first) * part
        return round(first, 4)


def _place(value: float, rising: list[float]) -> tuple[int, float]:
    """The last step at or below a value, and how far it lies on the way to the next; clamped."""
    if value <= rising[0]:
        return 0, 0.0
    if value >= rising[-1]:
        return len(rising) - 1, 0.0
    low = bisect.bisect_right(rising, value) - 1
    return low, (value - rising[low]) / (rising[low + 1] - rising[low])


def _between(values: list[float], place: tuple[int, float]) -> float:
    low, part = place
    return values[low] + (values[low + 1] - values[low]) * part if part else values[low]


def load_table(path: Path | None = None) -> SeverityTable:
    """The table that ships, or another one.

    Raises:
        ConfigError: there is no such file, or it is no severity table of this version.
    """
    return _shipped() if path is None else _parse(_read(path), str(path))


def write_table(path: Path, table: SeverityTable) -> None:
    """Write a table; `load_table` gives it back."""
    tree = {
        "schema": SCHEMA,
        **table.header,
        "engines": list(table.engines),
        "x_heights": list(table.x_heights),
        "severities": list(table.severities),
        "curves": {name: np.round(curve, 4).tolist() for name, curve in table.curves.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_folded(orjson.dumps(tree, option=orjson.OPT_INDENT_2)) + b"\n")


@functools.cache
def _shipped() -> SeverityTable:
    return _parse(files(__package__).joinpath(FILE).read_bytes(), FILE)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise ConfigError(f"cannot read the severity table {path}: {err.strerror}") from err


def _parse(data: bytes, name: str) -> SeverityTable:
    try:
        tree = orjson.loads(data)
        schema = tree.pop("schema")
        if schema != SCHEMA:
            raise ConfigError(f"{name} has the schema {schema!r}; this version reads {SCHEMA!r}")
        return SeverityTable(
            engines=tuple(tree.pop("engines")),
            x_heights=tuple(tree.pop("x_heights")),
            severities=tuple(tree.pop("severities")),
            curves={key: np.array(value) for key, value in tree.pop("curves").items()},
            header=tree,
            digest=hashlib.blake2b(data, digest_size=8).hexdigest(),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as err:
        raise ConfigError(f"{name} is not a severity table: {err!r}") from err


def _folded(data: bytes) -> bytes:
    """Indented JSON with each row of numbers on one line."""
    return re.sub(
        rb"\[\s+([-\d.,\s]+?)\s+\]",
        lambda match: b"[" + b", ".join(re.split(rb",\s+", match[1])) + b"]",
        data,
    )
