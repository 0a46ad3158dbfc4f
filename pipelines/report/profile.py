"""The middle of the report: what the text layers, pages and shards are like, and the time taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...engine.store.ledger import Status
from .arrays import STAGES
from .facts import Facts
from .markup import compact, count, esc, millis, plural, share, size, tail
from .paper import paper_names
from .plot import Bins, bar, bubbles, histogram, linear_bins, log_bins, round_ticks, sizes, span

VERDICTS = {
    "trusted": "the text is what the pixels show",
    "garbled": "the text says other characters than the page shows",
    "misaligned": "the words do not lie on the page's ink",
    "hidden": "an invisible OCR layer over a scan",
    "partial": "text on the page that the layer lacks, or the reverse",
    "none": "no text layer",
}
SHARD_TOLERANCE = 0.05
SHARD_COLUMNS_LIMIT = 200
LANGUAGES_SHOWN = 14
SLOWEST_SHOWN = 10
BUBBLES_SHOWN = 150


def text_layers(facts: Facts) -> str:
    """Verdicts, their scores, languages, engines."""
    ledger = facts.ledger
    judged = ledger.pages & (ledger.codes["verdict"] != _code_of_empty(facts, "verdict"))
    figures = [
        _figure("Verdicts", _fate_bars(facts, "verdict", VERDICTS)),
        _figure("Languages", _fate_bars(facts, "language", {}, limit=LANGUAGES_SHOWN)),
        _column(
            _figure("Score of the verdict", _scores(facts, judged)),
            _figure("Engines", _fate_bars(facts, "engine", {})),
        ),
    ]
    return _section("text", "The text layers", figures)


def pages(facts: Facts) -> str:
    """Page sizes, words, letter heights, bytes."""
    figures = [
        _figure("Page sizes", _size_bars(facts)),
        _figure("Width and height, inches", _size_plot(facts), note=_dpi_note(facts)),
        _column(
            _figure("Words a page", _words(facts)),
            _figure("Height of a lower-case x, px", _x_heights(facts)),
            _figure("Bytes a written page, image and JSON", _page_bytes(facts)),
        ),
    ]
    return _section("pages", "The pages", figures)


def shards(facts: Facts) -> str:
    """Sizes of the shards against the target, and the splits."""
    if not facts.info.shards:
        return _section("shards", "The shards", [])
    figures = [
        _figure("Shard sizes", _shard_plot(facts), note=_target_note(facts)),
        _figure("Splits", _split_table(facts)),
    ]
    return _section("shards", "The shards", figures)


def timing(facts: Facts) -> str:
    """Milliseconds a page in each stage, and the documents that took longest."""
    figures = [
        _figure("Time a page, by stage", _stage_table(facts), note=_STAGE_NOTE),
        _figure("Slowest documents", _slowest(facts), wide=True),
    ]
    return _section("time", "The time", figures)


_STAGE_NOTE = "Bar: from the 10th to the 90th percentile; dot: median. Logarithmic."


def _section(name: str, title: str, figures: Sequence[str]) -> str:
    inner = "".join(figures)
    if not inner:
        return ""
    return f'<section id="{name}"><h2>{esc(title)}</h2><div class="figures">{inner}</div></section>'


def _figure(title: str, inner: str, *, note: str = "", wide: bool = False) -> str:
    if not inner:
        return ""
    below = f'<p class="note">{esc(note)}</p>' if note else ""
    css = "panel wide" if wide else "panel"
    return f'<figure class="{css}"><h3>{esc(title)}</h3>{inner}{below}</figure>'


def _column(*figures: str) -> str:
    """Figures one below the other, in the place of one."""
    inner = "".join(figures)
    return f'<div class="column">{inner}</div>' if inner else ""


def _code_of_empty(facts: Facts, column: str) -> int:
    names = facts.ledger.names[column]
    return names.index("") if "" in names else -1


def _fate_bars(facts: Facts, column: str, meanings: Mapping[str, str], *, limit: int = 12) -> str:
    """One bar for each value of a column, over all pages, split by what became of them."""
    ledger = facts.ledger
    found = ledger.counts(column, ledger.pages)
    if not found:
        return ""
    by_fate = {
        status.value: ledger.counts(column, ledger.pages & ledger.where(status=status))
        for status in Status
    }
    most, whole = max(found.values()), sum(found.values())
    shown = list(found.items())[:limit]
    rows = [
        _bar_row(
            name,
            meanings.get(name, ""),
            [(fate, counts.get(name, 0)) for fate, counts in by_fate.items()],
            amount,
            most,
            whole,
        )
        for name, amount in shown
    ]
    rest = list(found.items())[limit:]
    if rest:
        amount = sum(n for _, n in rest)
        parts = [(f, sum(c.get(n, 0) for n, _ in rest)) for f, c in by_fate.items()]
        rows.append(_bar_row(f"{len(rest)} more", "", parts, amount, max(most, amount), whole))
    css = "bars told" if meanings else "bars"
    return f'<table class="{css}"><tbody>{"".join(rows)}</tbody></table>'


def _bar_row(
    name: str, meaning: str, parts: Sequence[tuple[str, float]], amount: int, most: int, whole: int
) -> str:
    told = f'<span class="meaning">{esc(meaning)}</span>' if meaning else ""
    return (
        f'<tr><th scope="row">{esc(name)}{told}</th><td class="draw">{bar(parts, most)}</td>'
        f'<td class="num">{count(amount)}</td><td class="num soft">{share(amount, whole)}</td></tr>'
    )


def _by_fate(
    facts: Facts, bins: Bins, column: str, mask: np.ndarray
) -> list[tuple[str, np.ndarray]]:
    ledger = facts.ledger
    return [
        (status.value, bins.counts(ledger.numbers(column, mask & ledger.where(status=status))))
        for status in Status
    ]


def _scores(facts: Facts, judged: np.ndarray) -> str:
    if not judged.any():
        return ""
    bins = Bins(np.linspace(0.0, 1.0, 26), False, 0)
    return histogram(
        bins,
        _by_fate(facts, bins, "score", judged),
        label="Pages by the score of their verdict, 0 to 1",
        unit="pages",
        ticks=[(value, f"{value:g}") for value in (0.0, 0.25, 0.5, 0.75, 1.0)],
    )


def _words(facts: Facts) -> str:
    read = facts.ledger.pages & ~facts.ledger.where(status=Status.FAILED)
    values = facts.ledger.numbers("words", read)
    if not values.size:
        return ""
    bins = linear_bins(values, whole=True)
    return histogram(
        bins,
        _by_fate(facts, bins, "words", read),
        label="Pages by number of words",
        unit="pages",
        ticks=[(value, compact(value)) for value in round_ticks(bins)],
        marker=_median(values),
    )


def _x_heights(facts: Facts) -> str:
    values = facts.x_heights[facts.x_heights > 0]
    if not values.size:
        return ""
    bins = linear_bins(values)
    return histogram(
        bins,
        [(Status.WRITTEN.value, bins.counts(values))],
        label="Written pages by the height of their lower-case x in pixels",
        unit="pages",
        ticks=[(value, compact(value)) for value in round_ticks(bins)],
        marker=_median(values, digits=1),
    )


def _page_bytes(facts: Facts) -> str:
    written = facts.ledger.pages & facts.ledger.where(status=Status.WRITTEN)
    values = facts.ledger.numbers("bytes", written)
    if not (values > 0).any():
        return ""
    bins = log_bins(values)
    middle = float(np.median(values[values > 0]))
    return histogram(
        bins,
        [(Status.WRITTEN.value, bins.counts(values))],
        label="Written pages by bytes",
        unit="pages",
        ticks=[(value, size(value).replace(".0 ", " ")) for value in round_ticks(bins)],
        marker=(middle, f"median {size(middle)}"),
    )


def _median(values: np.ndarray, digits: int = 0) -> tuple[float, str]:
    middle = float(np.median(values))
    return middle, f"median {middle:,.{digits}f}"


def _dpi(facts: Facts) -> float:
    found = facts.config("render", "dpi")
    return float(found) if isinstance(found, (int, float)) and found > 0 else 144.0


def _dpi_note(facts: Facts) -> str:
    return f"At {_dpi(facts):g} pixels an inch; the area of a dot is the number of pages."


def _shapes(facts: Facts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths and heights in inches, each pair once, and how many pages have it."""
    ledger = facts.ledger
    sized = ledger.pages & (ledger.numbers("width", np.ones(len(ledger), dtype=bool)) > 0)
    widths, heights = ledger.numbers("width", sized), ledger.numbers("height", sized)
    pairs, amounts = np.unique(
        widths.astype(np.int64) << 32 | heights.astype(np.int64), return_counts=True
    )
    dpi = _dpi(facts)
    return (pairs >> 32) / dpi, (pairs & 0xFFFFFFFF) / dpi, amounts


def _size_bars(facts: Facts) -> str:
    widths, heights, amounts = _shapes(facts)
    if not amounts.size:
        return ""
    found: dict[str, int] = {}
    for name, amount in zip(paper_names(widths, heights), amounts.tolist(), strict=True):
        found[name] = found.get(name, 0) + amount
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    most, whole = ranked[0][1], int(amounts.sum())
    rows = [_bar_row(name, "", [("neutral", n)], n, most, whole) for name, n in ranked]
    return f'<table class="bars"><tbody>{"".join(rows)}</tbody></table>'


def _size_plot(facts: Facts) -> str:
    widths, heights, amounts = _shapes(facts)
    if not amounts.size:
        return ""
    # Sizes that differ by less than a sixth of an inch share a dot; the largest hundredth of
    # the pages would squeeze all others into a corner.
    reach = max(14.0, _weighted(np.maximum(widths, heights), amounts, 0.99))
    near = np.maximum(widths, heights) <= reach
    cells = np.round(np.stack([widths[near], heights[near]], axis=1) * 6) / 6
    places, where = np.unique(cells, axis=0, return_inverse=True)
    weights = np.bincount(where.ravel(), weights=amounts[near]).astype(np.int64)
    top = np.argsort(-weights, kind="stable")[:BUBBLES_SHOWN]
    points = [
        (float(x), float(y), int(n), f"about {x:.1f} × {y:.1f} in: {plural(n, 'page')}")
        for (x, y), n in zip(places[top], weights[top], strict=True)
    ]
    frames = [(8.27, 11.69, "A4"), (8.5, 11.0, "Letter")]
    beyond = int(amounts[~near].sum())
    more = f'<p class="note">{plural(beyond, "page")} beyond the frame.</p>' if beyond else ""
    return bubbles(points, frames=frames, label="Pages by width and height") + more


def _weighted(values: np.ndarray, weights: np.ndarray, quantile: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    index = int(np.searchsorted(reached, quantile * reached[-1]))
    return float(values[order][min(index, len(values) - 1)])


def _shard_target(facts: Facts) -> float:
    found = facts.config("shard", "bytes")
    return float(found) if isinstance(found, (int, float)) else 0.0


def _target_note(facts: Facts) -> str:
    target = _shard_target(facts)
    if not target:
        return ""
    if len(facts.info.shards) > SHARD_COLUMNS_LIMIT:
        return "The first column holds all smaller shards, such as the last of a split."
    return f"Band: {size(target)} ± {SHARD_TOLERANCE:.0%}. The last shard of a split may be small."


def _shard_plot(facts: Facts) -> str:
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


def _split_table(facts: Facts) -> str:
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


def _stage_table(facts: Facts) -> str:
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


def _slowest(facts: Facts) -> str:
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


def document_name(row: Mapping[str, object]) -> str:
    """What people call a document: its name below the input, and the member of an archive."""
    name = str(row.get("name") or row.get("uri") or row.get("doc_sha256") or "(unnamed)")
    member = str(row.get("member") or "")
    return f"{name} › {member}" if member and member not in name else name
