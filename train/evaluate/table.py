"""Figures of several readers as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...engine.score.interval import Estimate
from .case import LEVEL_NAMES
from .summary import PAGE_NAMES, EvalSummary, Figures

REGION_PARTS = (("CER", "cer"), ("exact", "exact"), ("Jaccard", "jaccard"))
PAGE_PARTS = (("CER", "cer"), ("WER", "wer"))
GAP = 3


def table(summaries: Sequence[EvalSummary]) -> Iterator[str]:
    """Lines of a table: readers in rows, levels in columns, a block for each figure."""
    blocks = list(blocks_of(summaries))
    widths: list[int] = []
    for rows in blocks:
        for row in rows:
            widths += [0] * (len(row) - len(widths))
            widths = [
                max(width, len(row[at]) if at < len(row) else 0) for at, width in enumerate(widths)
            ]
    for number, rows in enumerate(blocks):
        if number:
            yield ""
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            yield (" " * GAP).join(cells).rstrip()


def blocks_of(summaries: Sequence[EvalSummary]) -> Iterator[list[list[str]]]:
    """Rows of every block, a heading first."""
    for title, figure in REGION_PARTS:
        yield from block(
            f"regions, {title}",
            [(one.reader["name"], one.levels, figure) for one in summaries]
            + [
                (f"{one.reader['name']}, blind", one.levels, f"blind_{figure}") for one in summaries
            ],
            LEVEL_NAMES,
        )
    for title, figure in PAGE_PARTS:
        yield from block(
            f"whole pages, {title}",
            [(one.reader["name"], one.pages, figure) for one in summaries],
            PAGE_NAMES,
        )


def block(
    title: str, rows: Sequence[tuple[str, Figures, str]], columns: Sequence[str]
) -> Iterator[list[list[str]]]:
    """One figure of all readers, columns without any left out; nothing where there is none."""
    known = [(name, parts, figure) for name, parts, figure in rows if has(parts, figure)]
    used = [
        one for one in columns if any(figure in parts.get(one, {}) for _, parts, figure in known)
    ]
    if known:
        yield [
            [title, *used],
            *(
                [name, *(cell(parts.get(one, {}).get(figure)) for one in used)]
                for name, parts, figure in known
            ),
        ]


def has(parts: Figures, figure: str) -> bool:
    """Whether a figure occurs in any column."""
    return any(figure in own for own in parts.values())


def cell(one: Estimate | None) -> str:
    """An estimate with its interval, in per cent."""
    if one is None:
        return "-"
    return f"{one.value:6.1%} ({100 * one.low:.1f}–{100 * one.high:.1f})"


def evaluation_notes(summaries: Sequence[EvalSummary]) -> Iterator[str]:
    """What the table rests on: numbers of pages, regions and documents, and what was cut off."""
    first = summaries[0]
    counts = [f"{next(iter(own.values())).n:,} {name}" for name, own in first.levels.items()]
    pages = max((next(iter(own.values())).n for own in first.pages.values()), default=0)
    parts = [f"regions: {', '.join(counts)}"] if counts else []
    parts += [f"{pages:,} whole pages"] if pages else []
    documents = f"{first.documents:,} document{'s' * (first.documents != 1)}"
    yield f"{'; '.join(parts)}; from {documents}. In brackets: 95% intervals."
    for one in summaries:
        name = one.reader["name"]
        line = f"{name}: {one.seconds:,.1f} s"
        if one.truncated:
            line += f", {one.truncated:,} of {one.cases:,} answers cut off at their limit of tokens"
        yield line
