"""What the text layers and the pages are like."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from ...engine.store.ledger import Fate
from ..kit.chart import Bins, bin_ticks, bubble_chart, histogram_chart, linear_bins, log_bins
from ..kit.numbers import compact, plural, size
from ..kit.view import FigurePanel, FigureSection
from .bar_table import BarRow, bar_table
from .data import CorpusData
from .page_size import page_size_names

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


def text_layers(data: CorpusData) -> FigureSection:
    """Verdicts, their scores, languages, engines."""
    ledger = data.ledger
    judged = ledger.pages & (ledger.codes["verdict"] != _code_of_empty(data, "verdict"))
    return FigureSection.of(
        "text",
        "The text layers",
        FigurePanel("Verdicts", _fate_bars(data, "verdict", VERDICTS)),
        FigurePanel("Languages", _fate_bars(data, "language", {}, limit=LANGUAGES_SHOWN)),
        [
            FigurePanel("Score of the verdict", _scores(data, judged)),
            FigurePanel("PDF libraries", _fate_bars(data, "engine", {})),
        ],
    )


def pages(data: CorpusData) -> FigureSection:
    """Page sizes, words, letter heights, bytes."""
    return FigureSection.of(
        "pages",
        "The pages",
        FigurePanel("Page sizes", _size_bars(data)),
        FigurePanel("Width and height, inches", _size_chart(data), note=_size_note(data)),
        [
            FigurePanel("Words a page", _words(data)),
            FigurePanel("Height of a lower-case x, px", _x_heights(data)),
            FigurePanel("Bytes a written page, image and JSON", _page_bytes(data)),
        ],
    )


def _code_of_empty(data: CorpusData, column: str) -> int:
    names = data.ledger.names[column]
    return names.index("") if "" in names else -1


def _fate_bars(
    data: CorpusData, column: str, meanings: Mapping[str, str], *, limit: int = 12
) -> Markup:
    """One bar for each value of a column, over all pages, split by what became of them."""
    ledger = data.ledger
    totals = ledger.counts(column, ledger.pages)
    if not totals:
        return Markup("")
    by_fate = {
        fate.value: ledger.counts(column, ledger.pages & ledger.where(status=fate)) for fate in Fate
    }
    names = list(totals)
    rows = [
        BarRow(
            name,
            [(fate, counts.get(name, 0)) for fate, counts in by_fate.items()],
            totals[name],
            meanings.get(name, ""),
        )
        for name in names[:limit]
    ]
    rest = names[limit:]
    if rest:
        parts = [(fate, sum(counts.get(n, 0) for n in rest)) for fate, counts in by_fate.items()]
        rows.append(BarRow(f"{len(rest)} more", parts, sum(totals[name] for name in rest)))
    return bar_table(rows)


def _by_fate(
    data: CorpusData, bins: Bins, column: str, mask: np.ndarray
) -> list[tuple[str, np.ndarray]]:
    ledger = data.ledger
    return [
        (fate.value, bins.counts(ledger.numbers(column, mask & ledger.where(status=fate))))
        for fate in Fate
    ]


def _scores(data: CorpusData, judged: np.ndarray) -> Markup:
    if not judged.any():
        return Markup("")
    bins = Bins(np.linspace(0.0, 1.0, 26), False, 0)
    return histogram_chart(
        bins,
        _by_fate(data, bins, "score", judged),
        label="Pages by the score of their verdict, 0 to 1",
        unit="page",
        ticks=[(value, f"{value:g}") for value in (0.0, 0.25, 0.5, 0.75, 1.0)],
    )


def _words(data: CorpusData) -> Markup:
    read = data.ledger.pages & ~data.ledger.where(status=Fate.FAILED)
    values = data.ledger.numbers("words", read)
    if not values.size:
        return Markup("")
    bins = linear_bins(values, whole=True)
    return histogram_chart(
        bins,
        _by_fate(data, bins, "words", read),
        label="Pages by number of words",
        unit="page",
        ticks=[(value, compact(value)) for value in bin_ticks(bins)],
        marker=_median(values),
    )


def _x_heights(data: CorpusData) -> Markup:
    values = data.x_heights[data.x_heights > 0]
    if not values.size:
        return Markup("")
    bins = linear_bins(values)
    return histogram_chart(
        bins,
        [(Fate.WRITTEN.value, bins.counts(values))],
        label="Written pages by the height of their lower-case x in pixels",
        unit="page",
        ticks=[(value, compact(value)) for value in bin_ticks(bins)],
        marker=_median(values, digits=1),
    )


def _page_bytes(data: CorpusData) -> Markup:
    written = data.ledger.pages & data.ledger.where(status=Fate.WRITTEN)
    values = data.ledger.numbers("bytes", written)
    if not (values > 0).any():
        return Markup("")
    bins = log_bins(values)
    middle = float(np.median(values[values > 0]))
    return histogram_chart(
        bins,
        [(Fate.WRITTEN.value, bins.counts(values))],
        label="Written pages by bytes",
        unit="page",
        ticks=[(value, size(value)) for value in bin_ticks(bins)],
        marker=(middle, f"median {size(middle)}"),
    )


def _median(values: np.ndarray, digits: int = 0) -> tuple[float, str]:
    middle = float(np.median(values))
    return middle, f"median {middle:,.{digits}f}"


def _dpi(data: CorpusData) -> float:
    dpi = data.config("render", "dpi")
    return float(dpi) if isinstance(dpi, (int, float)) and dpi > 0 else 144.0


def _size_note(data: CorpusData) -> str:
    widths, heights, amounts = _shapes(data)
    note = f"At {_dpi(data):g} pixels an inch; the area of a dot is the number of pages."
    beyond = int(amounts[np.maximum(widths, heights) > _reach(widths, heights, amounts)].sum())
    return f"{note} {plural(beyond, 'page')} beyond the frame." if beyond else note


def _reach(widths: np.ndarray, heights: np.ndarray, amounts: np.ndarray) -> float:
    """Inches of an axis: the largest hundredth of the pages would squeeze all others."""
    if not amounts.size:
        return 14.0
    return max(14.0, _weighted_quantile(np.maximum(widths, heights), amounts, 0.99))


def _shapes(data: CorpusData) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths and heights in inches, each pair once, and how many pages have it."""
    ledger = data.ledger
    sized = ledger.pages & (ledger.numbers("width", ledger.everything) > 0)
    widths, heights = ledger.numbers("width", sized), ledger.numbers("height", sized)
    pairs, amounts = np.unique(
        widths.astype(np.int64) << 32 | heights.astype(np.int64), return_counts=True
    )
    dpi = _dpi(data)
    return (pairs >> 32) / dpi, (pairs & 0xFFFFFFFF) / dpi, amounts


def _size_bars(data: CorpusData) -> Markup:
    widths, heights, amounts = _shapes(data)
    if not amounts.size:
        return Markup("")
    totals: dict[str, int] = {}
    for name, amount in zip(page_size_names(widths, heights), amounts.tolist(), strict=True):
        totals[name] = totals.get(name, 0) + amount
    ranked = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    return bar_table([BarRow(name, [("neutral", amount)], amount) for name, amount in ranked])


def _size_chart(data: CorpusData) -> Markup:
    widths, heights, amounts = _shapes(data)
    if not amounts.size:
        return Markup("")
    # Sizes that differ by less than a sixth of an inch share a dot.
    near = np.maximum(widths, heights) <= _reach(widths, heights, amounts)
    cells = np.round(np.stack([widths[near], heights[near]], axis=1) * 6) / 6
    places, where = np.unique(cells, axis=0, return_inverse=True)
    weights = np.bincount(where.ravel(), weights=amounts[near]).astype(np.int64)
    top = np.argsort(-weights, kind="stable")[:BUBBLES_SHOWN]
    points = [
        (float(x), float(y), int(n), f"about {x:.1f} × {y:.1f} in: {plural(n, 'page')}")
        for (x, y), n in zip(places[top], weights[top], strict=True)
    ]
    frames = [(8.27, 11.69, "A4"), (8.5, 11.0, "Letter")]
    return bubble_chart(
        points, frames=frames, names=("width", "height"), label="Pages by width and height"
    )


def _weighted_quantile(values: np.ndarray, weights: np.ndarray, quantile: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    index = int(np.searchsorted(reached, quantile * reached[-1]))
    return float(values[order][min(index, len(values) - 1)])
