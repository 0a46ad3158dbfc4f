"""What the build produced and what it cost: shards, splits, milliseconds, slow documents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ..kit.chart import Bins, column_chart, histogram_chart, range_chart
from ..kit.environment import render
from ..kit.numbers import count, size
from ..kit.view import FigurePanel, FigureSection
from .data import CorpusData
from .ledger_columns import STAGES
from .page_name import document_name

SHARD_TOLERANCE = 0.05
SHARD_COLUMNS_LIMIT = 200
SLOWEST_SHOWN = 10
_STAGE_NOTE = "Bar: from the 10th to the 90th percentile; dot: median. Logarithmic."


@dataclass(frozen=True, slots=True)
class StageTime:
    """Milliseconds a page in one stage of the build."""

    stage: str
    chart: Markup
    median_ms: float
    p90_ms: float


@dataclass(frozen=True, slots=True)
class DocumentTime:
    """Milliseconds that a document took."""

    name: str
    pages: int
    total_ms: float


def shards(data: CorpusData) -> FigureSection:
    """Sizes of the shards against the target, and the splits."""
    if not data.info.shards:
        return FigureSection.of("shards", "The shards")
    splits = render("corpus/split_table.html.jinja", splits=data.info.splits)
    return FigureSection.of(
        "shards",
        "The shards",
        FigurePanel("Shard sizes", _shard_chart(data), note=_target_note(data)),
        FigurePanel("Splits", splits),
    )


def timing(data: CorpusData) -> FigureSection:
    """Milliseconds a page in each stage, and the documents that took longest."""
    stages, documents = _stage_times(data), _slowest(data)
    return FigureSection.of(
        "time",
        "The time",
        FigurePanel(
            "Time a page, by stage",
            render("corpus/stage_table.html.jinja", stages=stages) if stages else Markup(""),
            note=_STAGE_NOTE,
        ),
        FigurePanel(
            "Slowest documents",
            render("corpus/slowest_table.html.jinja", documents=documents)
            if documents
            else Markup(""),
            wide=True,
        ),
    )


def _shard_target(data: CorpusData) -> float:
    target = data.config("shard", "bytes")
    return float(target) if isinstance(target, (int, float)) else 0.0


def _target_note(data: CorpusData) -> str:
    target = _shard_target(data)
    if not target:
        return ""
    if len(data.info.shards) > SHARD_COLUMNS_LIMIT:
        return "The first column holds all smaller shards, such as the last of a split."
    return f"Band: {size(target)} ± {SHARD_TOLERANCE:.0%}. The last shard of a split may be small."


def _shard_chart(data: CorpusData) -> Markup:
    target = _shard_target(data)
    entries = data.info.shards
    if len(entries) > SHARD_COLUMNS_LIMIT:
        return _shard_histogram(np.asarray([entry.bytes for entry in entries], float), target)
    columns = [
        (
            entry.name,
            float(entry.bytes),
            f"{entry.name}: {size(entry.bytes)}, {count(entry.samples)} pages",
        )
        for entry in entries
    ]
    return column_chart(
        columns, target=target, tolerance=SHARD_TOLERANCE, label="Size of each shard"
    )


def _shard_histogram(values: np.ndarray, target: float) -> Markup:
    """Around the target; what lies further off is counted at the ends."""
    low, high = (0.85 * target, 1.15 * target) if target else (values.min(), values.max() + 1)
    bins = Bins(np.linspace(low, high, 49), False, int((values > high).sum()))
    ticks = [target * f for f in (0.85, 0.95, 1.05, 1.15)] if target else [low, high]
    return histogram_chart(
        bins,
        [("neutral", bins.counts(values))],
        label="Shards by size; the first and the last column hold all beyond",
        unit="shard",
        ticks=[(value, size(value)) for value in ticks],
        marker=(target, f"target {size(target)}") if target else None,
    )


def _stage_times(data: CorpusData) -> list[StageTime]:
    percentiles = {}
    for stage in STAGES:
        values = data.ledger.numbers(f"ms_{stage}", data.ledger.everything)
        values = values[values > 0]
        if values.size:
            percentiles[stage] = np.percentile(values, (10, 50, 90)).tolist()
    if not percentiles:
        return []
    start = max(0.01, min(low for low, _, _ in percentiles.values()) * 0.8)
    end = max(max(high for _, _, high in percentiles.values()) * 1.25, start * 10)
    return [
        StageTime(stage, range_chart(low, middle, high, start=start, end=end), middle, high)
        for stage, (low, middle, high) in percentiles.items()
    ]


def _slowest(data: CorpusData) -> list[DocumentTime]:
    ledger = data.ledger
    if not len(ledger):
        return []
    row_ms = np.sum([ledger.numbers(f"ms_{stage}", ledger.everything) for stage in STAGES], axis=0)
    documents, first, where = np.unique(ledger.document, return_index=True, return_inverse=True)
    total_ms = np.bincount(where, weights=row_ms)
    pages = np.bincount(where, weights=ledger.pages)
    total_ms[documents == 0] = 0.0
    order = np.argsort(-total_ms, kind="stable")[:SLOWEST_SHOWN]
    slowest = [int(index) for index in order if total_ms[index] > 0]
    rows = ledger.rows([int(first[index]) for index in slowest])
    return [
        DocumentTime(document_name(row), int(pages[index]), float(total_ms[index]))
        for index, row in zip(slowest, rows, strict=True)
    ]
