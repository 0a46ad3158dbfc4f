"""What the text layers and the pages are like."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...engine.store.ledger import Fate
from .facts import CorpusFacts
from .markup import compact, plural, size
from .panel import bar_row, figure, section, stacked
from .paper import paper_names
from .plot import Bins, bubbles, histogram, linear_bins, log_bins, round_ticks

VERDICTS = {
    "trusted": "the text is what the pixels show",
    "garbled": "the text says other characters than the page shows",
    "misaligned": "the words do not lie on the page's ink",
    "hidden": "an invisible OCR layer over a scan",
    "partial": "text on the page that the layer lacks, or the reverse",
    "none": "no text layer",
}
LANGUAGES_SHOWN = 14
BUBBLES_SHOWN = 150


def text_layers(facts: CorpusFacts) -> str:
    """Verdicts, their scores, languages, engines."""
    ledger = facts.ledger
    judged = ledger.pages & (ledger.codes["verdict"] != _code_of_empty(facts, "verdict"))
    figures = [
        figure("Verdicts", _fate_bars(facts, "verdict", VERDICTS)),
        figure("Languages", _fate_bars(facts, "language", {}, limit=LANGUAGES_SHOWN)),
        stacked(
            figure("Score of the verdict", _scores(facts, judged)),
            figure("Engines", _fate_bars(facts, "engine", {})),
        ),
    ]
    return section("text", "The text layers", figures)


def pages(facts: CorpusFacts) -> str:
    """Page sizes, words, letter heights, bytes."""
    figures = [
        figure("Page sizes", _size_bars(facts)),
        figure("Width and height, inches", _size_plot(facts), note=_dpi_note(facts)),
        stacked(
            figure("Words a page", _words(facts)),
            figure("Height of a lower-case x, px", _x_heights(facts)),
            figure("Bytes a written page, image and JSON", _page_bytes(facts)),
        ),
    ]
    return section("pages", "The pages", figures)


def _code_of_empty(facts: CorpusFacts, column: str) -> int:
    names = facts.ledger.names[column]
    return names.index("") if "" in names else -1


def _fate_bars(
    facts: CorpusFacts, column: str, meanings: Mapping[str, str], *, limit: int = 12
) -> str:
    """One bar for each value of a column, over all pages, split by what became of them."""
    ledger = facts.ledger
    found = ledger.counts(column, ledger.pages)
    if not found:
        return ""
    by_fate = {
        status.value: ledger.counts(column, ledger.pages & ledger.where(status=status))
        for status in Fate
    }
    most, whole = max(found.values()), sum(found.values())
    shown = list(found.items())[:limit]
    rows = [
        bar_row(
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
        rows.append(bar_row(f"{len(rest)} more", "", parts, amount, max(most, amount), whole))
    css = "bars told" if meanings else "bars"
    return f'<table class="{css}"><tbody>{"".join(rows)}</tbody></table>'


def _by_fate(
    facts: CorpusFacts, bins: Bins, column: str, mask: np.ndarray
) -> list[tuple[str, np.ndarray]]:
    ledger = facts.ledger
    return [
        (status.value, bins.counts(ledger.numbers(column, mask & ledger.where(status=status))))
        for status in Fate
    ]


def _scores(facts: CorpusFacts, judged: np.ndarray) -> str:
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


def _words(facts: CorpusFacts) -> str:
    read = facts.ledger.pages & ~facts.ledger.where(status=Fate.FAILED)
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


def _x_heights(facts: CorpusFacts) -> str:
    values = facts.x_heights[facts.x_heights > 0]
    if not values.size:
        return ""
    bins = linear_bins(values)
    return histogram(
        bins,
        [(Fate.WRITTEN.value, bins.counts(values))],
        label="Written pages by the height of their lower-case x in pixels",
        unit="pages",
        ticks=[(value, compact(value)) for value in round_ticks(bins)],
        marker=_median(values, digits=1),
    )


def _page_bytes(facts: CorpusFacts) -> str:
    written = facts.ledger.pages & facts.ledger.where(status=Fate.WRITTEN)
    values = facts.ledger.numbers("bytes", written)
    if not (values > 0).any():
        return ""
    bins = log_bins(values)
    middle = float(np.median(values[values > 0]))
    return histogram(
        bins,
        [(Fate.WRITTEN.value, bins.counts(values))],
        label="Written pages by bytes",
        unit="pages",
        ticks=[(value, size(value).replace(".0 ", " ")) for value in round_ticks(bins)],
        marker=(middle, f"median {size(middle)}"),
    )


def _median(values: np.ndarray, digits: int = 0) -> tuple[float, str]:
    middle = float(np.median(values))
    return middle, f"median {middle:,.{digits}f}"


def _dpi(facts: CorpusFacts) -> float:
    found = facts.config("render", "dpi")
    return float(found) if isinstance(found, (int, float)) and found > 0 else 144.0


def _dpi_note(facts: CorpusFacts) -> str:
    return f"At {_dpi(facts):g} pixels an inch; the area of a dot is the number of pages."


def _shapes(facts: CorpusFacts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths and heights in inches, each pair once, and how many pages have it."""
    ledger = facts.ledger
    sized = ledger.pages & (ledger.numbers("width", np.ones(len(ledger), dtype=bool)) > 0)
    widths, heights = ledger.numbers("width", sized), ledger.numbers("height", sized)
    pairs, amounts = np.unique(
        widths.astype(np.int64) << 32 | heights.astype(np.int64), return_counts=True
    )
    dpi = _dpi(facts)
    return (pairs >> 32) / dpi, (pairs & 0xFFFFFFFF) / dpi, amounts


def _size_bars(facts: CorpusFacts) -> str:
    widths, heights, amounts = _shapes(facts)
    if not amounts.size:
        return ""
    found: dict[str, int] = {}
    for name, amount in zip(paper_names(widths, heights), amounts.tolist(), strict=True):
        found[name] = found.get(name, 0) + amount
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    most, whole = ranked[0][1], int(amounts.sum())
    rows = [bar_row(name, "", [("neutral", n)], n, most, whole) for name, n in ranked]
    return f'<table class="bars"><tbody>{"".join(rows)}</tbody></table>'


def _size_plot(facts: CorpusFacts) -> str:
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
