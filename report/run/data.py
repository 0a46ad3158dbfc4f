"""What a run's folder says, read once and held in columns."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ...corruption.level import LEVELS
from ...engine.errors import ConfigError
from ...train.log.journal import LOG, lines

RECIPE = "recipe.toml"
SCALARS = (
    "step", "seconds", "loss", "accuracy", "grad_norm", "lr", "tokens", "answer_tokens", "pages",
    "padding", "wait", "tokens_per_s", "pages_per_s", "mfu", "memory_bytes",
)  # fmt: skip
MOST_LOST = 60
"""Messages of lost samples that are kept; the others are counted."""
Row = Mapping[str, Any]


@dataclass(slots=True)
class Columns:
    """Numbers of the steps by name; what a step does not say is NaN there."""

    rows: int = 0
    columns: dict[str, array[float]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """One more step."""
        for name in SCALARS:
            self.put(name, row.get(name))
        for group in ("levels", "tasks"):
            for name, figures in mapping(row.get(group)).items():
                for figure in ("loss", "accuracy", "tokens"):
                    self.put(f"{group}.{name}.{figure}", mapping(figures).get(figure))
        for name, share in shares_of(row.get("shares")).items():
            self.put(f"shares.{name}", share)
        self.rows += 1

    def put(self, name: str, value: Any) -> None:
        """A number of the step that is being added."""
        column = self.columns.setdefault(name, array("d"))
        column.extend([math.nan] * (self.rows - len(column)))
        column.append(number(value))

    def arrays(self) -> dict[str, np.ndarray]:
        """The columns in the order of the steps, each step once as it was logged last."""
        for column in self.columns.values():
            column.extend([math.nan] * (self.rows - len(column)))
        whole = {name: np.array(column) for name, column in self.columns.items()}
        steps = whole.get("step", np.empty(0))
        _, last = np.unique(steps[::-1], return_index=True)
        keep = self.rows - 1 - last
        keep = keep[np.isfinite(steps[keep])]
        return {name: column[keep] for name, column in whole.items()}


@dataclass(frozen=True, slots=True)
class EvaluatedSamples:
    """What an evaluation kept of some of its cases."""

    step: float
    file: str
    """Below the run's folder."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunData:
    """One run, or one stage of one."""

    folder: Path
    name: str
    starts: tuple[Row, ...]
    ends: tuple[Row | None, ...]
    """The end of each start; None where none was written."""
    steps: Mapping[str, np.ndarray]
    """Column to numbers, float64 [steps logged], ascending by `step`."""
    evals: tuple[Row, ...]
    checkpoints: tuple[Row, ...]
    adaptations: tuple[Row, ...]
    skipped: tuple[Row, ...]
    lost: tuple[tuple[int, str], ...]
    """(step, message) of the newest lost samples."""
    lost_count: int
    samples: EvaluatedSamples | None
    """Of the newest evaluation whose file can be read."""
    recipe: str
    written_s: float
    """When the log was last written, seconds since 1970; NaN without one."""

    @property
    def start(self) -> Row:
        """The newest start; empty where there is none."""
        return self.starts[-1] if self.starts else {}

    @property
    def end(self) -> Row | None:
        """How it ended; None while it runs."""
        return self.ends[-1] if self.ends else None

    @property
    def state(self) -> str:
        """done, stopped, failed, running, or waiting where nothing has begun."""
        if not self.starts and not self.steps["step"].size:
            return "waiting"
        return str(self.end.get("reason", "stopped")) if self.end else "running"

    @property
    def resumes(self) -> tuple[float, ...]:
        """Steps at which it was taken up again."""
        again = [row for at, row in enumerate(self.starts) if at or row.get("resumed")]
        return tuple(step_of(row) for row in again)

    @property
    def first(self) -> float:
        """The step it began after."""
        return step_of(self.starts[0]) if self.starts else 0.0

    @property
    def last(self) -> float:
        """The newest step in the log."""
        steps = self.steps["step"]
        return float(steps[-1]) if steps.size else self.first

    @property
    def planned(self) -> float:
        """Steps it is to have; NaN where unknown."""
        return number(self.start.get("steps"))

    def total(self, name: str) -> float:
        """The sum of a column over all steps, those that no line was written for included."""
        values = self.steps[name][np.isfinite(self.steps[name])]
        if not values.size:
            return math.nan
        logged = self.steps["step"].size
        return float(values.sum()) * max(1.0, (self.last - self.first) / logged)

    @property
    def sampled(self) -> bool:
        """Whether the log has lines of some steps only, so that totals are estimates."""
        return self.steps["step"].size < 0.98 * (self.last - self.first)


def read_stages(run: Path) -> tuple[RunData, ...]:
    """The run in a folder, or its stages in order.

    Raises:
        ConfigError: it is no folder of a run.
        DataError: the log is broken before its last line.
    """
    if not run.is_dir():
        raise ConfigError(f"{run} is not a folder. Name the folder of a run, which holds {LOG}")
    if not (run / LOG).is_file():
        folders = sorted(filter(is_run, run.iterdir()), key=natural)
        if folders:
            return tuple(map(read_run, folders))
        if not is_run(run):
            raise ConfigError(
                f"{run} is not the folder of a run: it has no {LOG}, no {RECIPE} and no stage that "
                "has one. Name the folder that the run was told to write to"
            )
    return (read_run(run),)


def holds_run(folder: Path) -> bool:
    """Whether there is a run in a folder, or stages of one."""
    return folder.is_dir() and (is_run(folder) or any(map(is_run, folder.iterdir())))


def is_run(folder: Path) -> bool:
    """Whether a run, or a stage of one, wrote here or is going to."""
    return folder.is_dir() and any((folder / name).is_file() for name in (LOG, RECIPE))


def natural(folder: Path) -> list[tuple[int, str]]:
    """A key that puts `2-read` before `10-all`."""
    parts = re.findall(r"\d+|\D+", folder.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def read_run(folder: Path) -> RunData:
    """Read one run."""
    log, columns = folder / LOG, Columns()
    kinds: dict[str, list[Row]] = {kind: [] for kind in ("start", "checkpoint", "adapt")}
    ends: list[Row | None] = []
    evals: dict[float, Row] = {}
    skipped: list[Row] = []
    lost: list[tuple[int, str]] = []
    for row in lines(log) if log.is_file() else ():
        kind = row["kind"]
        if kind == "step":
            columns.add(row)
            lost += [(int(step_of(row)), str(text)) for text in row.get("failures") or ()]
            if row.get("skipped"):
                skipped.append(row)
        elif kind == "eval":
            evals[step_of(row)] = row
        elif kind == "end" and ends:
            ends[-1] = row
        elif kind in kinds:
            kinds[kind].append(row)
            ends += [None] if kind == "start" else []
    evaluated = sorted(evals)
    return RunData(
        folder=folder,
        name=folder.resolve().name,
        starts=tuple(kinds["start"]),
        ends=tuple(ends),
        steps={**{name: np.empty(0) for name in SCALARS}, **columns.arrays()},
        evals=tuple(evals[step] for step in evaluated),
        checkpoints=tuple(kinds["checkpoint"]),
        adaptations=tuple(kinds["adapt"]),
        skipped=tuple(skipped),
        lost=tuple(lost[-MOST_LOST:]),
        lost_count=len(lost),
        samples=newest_samples(folder, [evals[step] for step in reversed(evaluated)]),
        recipe=text_of(folder / RECIPE),
        written_s=log.stat().st_mtime if log.is_file() else math.nan,
    )


def newest_samples(folder: Path, evals: list[Row]) -> EvaluatedSamples | None:
    """The samples of the newest evaluation that has a readable file."""
    for row in evals:
        if not row.get("file"):
            continue
        try:
            tree = orjson.loads((folder / str(row["file"])).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            continue
        if isinstance(tree, dict) and isinstance(tree.get("samples"), list):
            rows = tuple(sample for sample in tree["samples"] if isinstance(sample, dict))
            return EvaluatedSamples(step_of(row), str(row["file"]), rows)
    return None


def text_of(path: Path) -> str:
    """A small text; empty where there is none."""
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def number(value: Any) -> float:
    """The value as a float; NaN where it is none, null or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return math.nan
    return float(value)


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def shares_of(value: Any) -> dict[str, float]:
    """Shares by level, whether they are listed or named."""
    named = value if isinstance(value, dict) else dict(zip(LEVELS, value or (), strict=False))
    return {str(level): number(named[level]) for level in LEVELS if level in named}


def step_of(row: Row) -> float:
    """The step of a line; 0 where it says none."""
    step = number(row.get("step"))
    return 0.0 if math.isnan(step) else step
