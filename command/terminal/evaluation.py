"""Figures of several readers as a table, and what the table rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...engine.score.interval import Estimate
from ...train.evaluate.region import LEVEL_NAMES
from ...train.evaluate.summary import PAGE_NAMES, EvalSummary, Figures

REGION_PARTS = (("CER", "cer"), ("exact", "exact"), ("Jaccard", "jaccard"))
PAGE_PARTS = (("CER", "cer"), ("WER", "wer"))
GAP = "   "
NAMED_FAILURES = 10
"""Failures that are named; of the rest the number."""

Series = tuple[str, Figures, str]
"""Name of a reader, its figures, and the metric of them."""


def evaluation_table(summaries: Sequence[EvalSummary]) -> Iterator[str]:
    """Lines of a table: readers in rows, levels in columns, a block for each metric."""
    blocks = list(blocks_of(summaries))
    rows = [row for block in blocks for row in block]
    columns = max(map(len, rows), default=0)
    widths = [max(len(row[n]) for row in rows if n < len(row)) for n in range(columns)]
    for number, block in enumerate(blocks):
        if number:
            yield ""
        for row in block:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            yield GAP.join(cells).rstrip()


def blocks_of(summaries: Sequence[EvalSummary]) -> Iterator[list[list[str]]]:
    """Rows of every block, a heading first."""
    names = [summary.reader["name"] for summary in summaries]
    for title, metric in REGION_PARTS:
        seen = [
            (name, summary.levels, metric) for name, summary in zip(names, summaries, strict=True)
        ]
        blind = [(f"{name}, blind", levels, f"blind_{metric}") for name, levels, metric in seen]
        yield from block_of(f"regions, {title}", [*seen, *blind], LEVEL_NAMES)
    for title, metric in PAGE_PARTS:
        pages = [
            (name, summary.pages, metric) for name, summary in zip(names, summaries, strict=True)
        ]
        yield from block_of(f"whole pages, {title}", pages, PAGE_NAMES)


def block_of(
    title: str, series: Sequence[Series], columns: Sequence[str]
) -> Iterator[list[list[str]]]:
    """One metric of all readers, columns without any left out; nothing where there is none."""
    filled = [
        (name, {column: by_metric[metric] for column, by_metric in figures.items()
                if metric in by_metric})
        for name, figures, metric in series
    ]  # fmt: skip
    filled = [(name, figures) for name, figures in filled if figures]
    used = [column for column in columns if any(column in figures for _, figures in filled)]
    if filled:
        yield [
            [title, *used],
            *([name, *(cell(figures.get(column)) for column in used)] for name, figures in filled),
        ]


def cell(figure: Estimate | None) -> str:
    """An estimate with its interval, in per cent."""
    if figure is None:
        return "-"
    return f"{figure.value:6.1%} ({100 * figure.low:.1f}–{100 * figure.high:.1f})"


def evaluation_notes(summaries: Sequence[EvalSummary]) -> Iterator[str]:
    """Numbers of pages, regions and documents, and per reader what was cut off or went wrong."""
    first = summaries[0]
    counts = [f"{next(iter(row.values())).n:,} {level}" for level, row in first.levels.items()]
    pages = max((next(iter(row.values())).n for row in first.pages.values()), default=0)
    parts = [f"regions: {', '.join(counts)}"] if counts else []
    parts += [f"{pages:,} whole pages"] if pages else []
    documents = f"{first.documents:,} document{'s' * (first.documents != 1)}"
    yield f"{'; '.join(parts) or 'nothing was read'}; from {documents}. In brackets: 95% intervals."
    for summary in summaries:
        name = summary.reader["name"]
        line = f"{name}: {summary.seconds:,.1f} s"
        if summary.truncated:
            line += (
                f", {summary.truncated:,} of {summary.cases:,} answers cut off at their limit of "
                "tokens"
            )
        yield line
        yield from failure_lines(summary)


def failure_lines(summary: EvalSummary) -> Iterator[str]:
    """The pages that went wrong, with the reason of each."""
    count = len(summary.failures)
    if count:
        pages = "page went wrong and is" if count == 1 else "pages went wrong and are"
        yield f"  {count:,} {pages} in no figure:"
    for failure in summary.failures[:NAMED_FAILURES]:
        yield f"  {failure.name}: {failure.reason}: {failure.message}"
    if count > NAMED_FAILURES:
        yield f"  and {count - NAMED_FAILURES:,} more; --json names them all"
