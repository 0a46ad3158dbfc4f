"""What the build produced and what it cost: shards, splits, milliseconds, slow documents."""

from __future__ import annotations

import numpy as np

from .arrays import STAGES
from .facts import CorpusFacts
from .markup import count, esc, millis, size, tail
from .panel import document_name, figure, section
from .plot import Bins, histogram, sizes, span

SHARD_TOLERANCE = 0.05
SHARD_COLUMNS_LIMIT = 200
SLOWEST_SHOWN = 10
_STAGE_NOTE = "Bar: from the 10th to the 90th percentile; dot: median. Logarithmic."


def shards(facts: CorpusFacts) -> str:
    """Sizes of the shards against the target, and the splits."""
    if not facts.info.shards:
        return section("shards", "The shards", [])
    figures = [
        figure("Shard sizes", _shard_plot(facts), note=_target_note(facts)),
        figure("Splits", _split_table(facts)),
    ]
    return section("shards", "The shards", figures)


def timing(facts: CorpusFacts) -> str:
    """Milliseconds a page in each stage, and the documents that took longest."""
    figures = [
        figure("Time a page, by stage", _stage_table(facts), note=_STAGE_NOTE),
        figure("Slowest documents", _slowest(facts), wide=True),
    ]
    return section("time", "The time", figures)


def _shard_target(facts: CorpusFacts) -> float:
    found = facts.config("shard", "bytes")
    return float(found) if isinstance(found, (int, float)) else 0.0


def _target_note(facts: CorpusFacts) -> str:
    target = _shard_target(facts)
    if not target:
        return ""
    if len(facts.info.shards) > SHARD_COLUMNS_LIMIT:
        return "The first column holds all smaller shards, such as the last of a split."
    return f"Band: {size(target)} ± {SHARD_TOLERANCE:.0%}. The last shard of a split may be small."


def _shard_plot(facts: CorpusFacts) -> str:
    target = _shard_target(facts)
    entries = facts.info.shards
    if len(entries) > SHARD_COLUMNS_LIMIT:
        return _shard_histogram(np.asarray([entry.bytes for entry in entries], float), target)
    values_of = [
        (
            entry.name,
            float(entry.bytes),
            f"{entry.name}: {size(entry.bytes)}, {count(entry.samples)} pages",
        )
        for entry in entries
    ]
    return sizes(values_of, target=target, tolerance=SHARD_TOLERANCE, label="Size of each shard")


def _shard_histogram(values: np.ndarray, target: float) -> str:
    """Around the target; what lies further off is counted at the ends."""
    low, high = (0.85 * target, 1.15 * target) if target else (values.min(), values.max() + 1)
    bins = Bins(np.linspace(low, high, 49), False, int((values > high).sum()))
    ticks = [target * f for f in (0.85, 0.95, 1.05, 1.15)] if target else [low, high]
    return histogram(
        bins,
        [("neutral", bins.counts(values))],
        label="Shards by size; the first and the last column hold all beyond",
        unit="shards",
        ticks=[(value, size(value)) for value in ticks],
        marker=(target, f"target {size(target)}") if target else None,
    )


def _split_table(facts: CorpusFacts) -> str:
    rows = "".join(
        f'<tr><th scope="row">{esc(split)}</th><td class="num">{count(len(entries))}</td>'
        f'<td class="num">{count(sum(entry.samples for entry in entries))}</td>'
        f'<td class="num">{size(sum(entry.bytes for entry in entries))}</td></tr>'
        for split, entries in facts.info.splits.items()
    )
    return (
        '<table class="plain"><thead><tr><th>split</th><th class="num">shards</th>'
        f'<th class="num">pages</th><th class="num">size</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _stage_table(facts: CorpusFacts) -> str:
    found = []
    for stage in STAGES:
        values = facts.ledger.numbers(f"ms_{stage}", np.ones(len(facts.ledger), dtype=bool))
        values = values[values > 0]
        if values.size:
            found.append((stage, values.size, *np.percentile(values, (10, 50, 90))))
    if not found:
        return ""
    start = max(0.01, min(row[2] for row in found) * 0.8)
    end = max(max(row[4] for row in found) * 1.25, start * 10)
    rows = "".join(
        f'<tr><th scope="row">{stage}</th>'
        f'<td class="draw">{span(low, middle, high, start=start, end=end)}</td>'
        f'<td class="num">{millis(middle)}</td><td class="num soft">{millis(high)}</td></tr>'
        for stage, _, low, middle, high in found
    )
    return (
        '<table class="bars"><thead><tr><th>stage</th><th></th><th class="num">median</th>'
        f'<th class="num">p90</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _slowest(facts: CorpusFacts) -> str:
    ledger = facts.ledger
    if not len(ledger):
        return ""
    everything = np.ones(len(ledger), dtype=bool)
    spent = np.sum([ledger.numbers(f"ms_{stage}", everything) for stage in STAGES], axis=0)
    names, first, where = np.unique(ledger.document, return_index=True, return_inverse=True)
    total = np.bincount(where, weights=spent)
    pages_of = np.bincount(where, weights=ledger.pages)
    total[names == 0] = 0.0
    slowest = [int(i) for i in np.argsort(-total, kind="stable")[:SLOWEST_SHOWN] if total[i] > 0]
    rows = "".join(
        f'<tr><th scope="row" class="file"><bdi>{esc(tail(document_name(row), 90))}</bdi></th>'
        f'<td class="num">{count(pages_of[index])}</td><td class="num">{millis(total[index])}</td>'
        f'<td class="num soft">{millis(total[index] / max(1, pages_of[index]))}</td></tr>'
        for index, row in zip(slowest, ledger.rows([int(first[i]) for i in slowest]), strict=True)
    )
    if not rows:
        return ""
    return (
        '<table class="plain"><thead><tr><th>document</th><th class="num">pages</th>'
        '<th class="num">time</th><th class="num">a page</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
