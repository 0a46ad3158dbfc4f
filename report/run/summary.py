"""The top of the report: what the run is, how it stands, the figures that matter."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from ..kit.numbers import NONE, compact, duration, percent, plural, significant
from ..kit.view import Tile
from .curves import trace_of
from .data import Row, RunData, mapping, number, step_of
from .evaluation import newest_light_cer

QUIET_S = 1800
"""Seconds without a line after which a run may be dead."""
RECENT = 50
"""Steps over which current rates are taken."""
STATES = {
    "done": "all steps were taken",
    "stopped": "it was told to stop, and can be resumed",
    "failed": "it ended with an error",
    "running": "no end is written yet",
    "waiting": "no step is written yet",
}


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How a run stands, in a word."""

    name: str
    css: str
    meaning: str


@dataclass(frozen=True, slots=True)
class RunWarning:
    """What the reader must know first."""

    kind: Literal["failed", "stopped", "quiet"]
    step: float
    message: str


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Steps done of those planned, and what they took."""

    share: float
    facts: tuple[tuple[str, str, str], ...]
    """(text before, value, text after)."""


@dataclass(frozen=True, slots=True)
class NamedCheckpoint:
    """Where a checkpoint lies, and how good it is."""

    name: str
    path: str
    metric: float


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The top of one run, or of one stage."""

    name: str
    state: RunStatus
    about: tuple[tuple[str, str], ...]
    """(what, name): recipe, stage, model."""
    begun: str
    warning: RunWarning | None
    started: bool
    tiles: tuple[Tile, ...]
    """Empty where no step is logged."""
    progress: RunProgress | None
    steps_text: str
    score_text: str
    """The one figure that stages are told apart by."""
    checkpoints: tuple[NamedCheckpoint, ...]
    parameters: tuple[str, str]
    """How many there are, and of each part."""
    device: str
    ranks: float
    memory_bytes: float
    versions: Mapping[str, object]


def summarize_run(data: RunData) -> RunSummary:
    """The summary of one run, or of one stage."""
    start = data.start
    begun = data.starts[0].get("time") if data.starts else None
    has_steps = bool(data.steps["step"].size)
    memory = data.steps["memory_bytes"][np.isfinite(data.steps["memory_bytes"])]
    state = data.state if data.state in STATES else "stopped"
    return RunSummary(
        name=data.name,
        state=RunStatus(data.state, state, STATES[state]),
        about=tuple(
            (name, str(start[name])) for name in ("recipe", "stage", "model") if start.get(name)
        ),
        begun=str(begun)[:16].replace("T", " ") if begun else "",
        warning=_warning(data),
        started=bool(data.starts),
        tiles=_tiles(data) if has_steps else (),
        progress=_progress(data) if has_steps else None,
        steps_text=_steps_text(data),
        score_text=_score_text(data),
        checkpoints=_named_checkpoints(data.checkpoints),
        parameters=_parameters(mapping(start.get("parameters"))),
        device=str(start.get("device") or ""),
        ranks=number(start.get("ranks")),
        memory_bytes=float(memory.max()) if memory.size else math.nan,
        versions=mapping(start.get("versions")),
    )


def _warning(data: RunData) -> RunWarning | None:
    """Why it ended before its time, or that nothing has been heard of it."""
    end = data.end or {}
    message = str(end.get("message") or "")
    if data.state == "failed":
        return RunWarning("failed", step_of(end), message or "no message was left")
    if data.state == "stopped" and message:
        return RunWarning("stopped", step_of(end), message)
    quiet_s = time.time() - data.written_s
    if data.state == "running" and quiet_s > QUIET_S:
        written = datetime.fromtimestamp(data.written_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
        text = (
            f"The log has no end and was last written {written}, {duration(quiet_s)} ago: "
            "the process may have been killed."
        )
        return RunWarning("quiet", data.last, text)
    return None


def _tiles(data: RunData) -> tuple[Tile, ...]:
    """Loss, error rate, speed, use of the device."""
    loss = trace_of(data, "loss", "answer_tokens").last
    accuracy = trace_of(data, "accuracy", "answer_tokens").last
    tiles = [Tile("loss, smoothed", significant(loss), f"accuracy {percent(accuracy)}")]
    cer, step = newest_light_cer(data)
    if not cer.missing:
        note = f"{percent(cer.low)} to {percent(cer.high)}, after step {step:,.0f}"
        tiles.append(Tile("CER, light", percent(cer.value), note))
    pages = f"{significant(_recent(data, 'pages_per_s'))} pages"
    tiles.append(Tile("tokens a second", compact(_recent(data, "tokens_per_s")), pages))
    mfu = _recent(data, "mfu")
    if math.isnan(mfu):
        tiles.append(Tile("waiting for data", percent(_recent(data, "wait")), "of the time"))
    else:
        tiles.append(Tile("MFU", percent(mfu), "of the device's peak"))
    return tuple(tiles)


def _progress(data: RunData) -> RunProgress:
    done, planned = data.last, data.planned
    about = "about " if data.sampled else ""
    facts = [
        ("", _steps_text(data), ""),
        ("", f"{about}{duration(data.total('seconds'))}", "in steps"),
        ("", f"{about}{compact(data.total('tokens'))}", "tokens"),
        ("", f"{about}{compact(data.total('pages'))}", "pages"),
    ]
    if data.state == "running" and planned > done:
        left_s = (planned - done) * _recent(data, "seconds")
        facts.append(("about", duration(left_s), "left"))
    return RunProgress(min(done / planned, 1.0) if planned > 0 else 1.0, tuple(facts))


def _named_checkpoints(rows: Sequence[Row]) -> tuple[NamedCheckpoint, ...]:
    newest = rows[-1] if rows else None
    best = next((row for row in reversed(rows) if row.get("best")), None)
    return tuple(
        NamedCheckpoint(f"{name} checkpoint", str(row.get("path", "")), number(row.get("metric")))
        for name, row in (("newest", newest), ("best", best))
        if row is not None
    )


def _parameters(sizes: Mapping[str, object]) -> tuple[str, str]:
    """How many parameters each part has, and how many of all learn."""
    counts = {name: number(value) for name, value in sizes.items()}
    counts = {name: value for name, value in counts.items() if not math.isnan(value)}
    total, trained = counts.pop("total", math.nan), counts.pop("trained", math.nan)
    if math.isnan(total) and not counts:
        return "", ""
    whole = sum(counts.values()) if math.isnan(total) else total
    learns = "" if math.isnan(trained) else f", {percent(trained / max(whole, 1))} of them trained"
    parts = ", ".join(f"{name} {compact(value)}" for name, value in counts.items() if value)
    return f"{compact(whole)}{learns}", parts


def _recent(data: RunData, column: str) -> float:
    """The median of a column over the last steps."""
    values = data.steps[column][-RECENT:]
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else math.nan


def _steps_text(data: RunData) -> str:
    if math.isnan(data.planned):
        return plural(int(data.last), "step")
    return f"{data.last:,.0f} of {data.planned:,.0f} steps"


def _score_text(data: RunData) -> str:
    cer, _ = newest_light_cer(data)
    if not cer.missing:
        return f"light CER {percent(cer.value)}"
    loss = trace_of(data, "loss", "answer_tokens").last
    return NONE if math.isnan(loss) else f"loss {significant(loss)}"
