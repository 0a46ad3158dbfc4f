"""The ledger in words and tables: one fate, a list of fates, the totals.

Names of files come from strangers: what could steer a terminal or turn the direction of the
text is spelled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from ...engine.reason import Reason
from ...engine.store.explain import Explanation, evidence, milliseconds, reason_meaning, source_of
from ...engine.store.ledger import Fate, LedgerRow, LedgerSummary, RowKind
from ...engine.text import visible
from .number import file_size
from .table import Cell, fields, table

STYLES = {Fate.WRITTEN.value: "green", Fate.REJECTED.value: "yellow", Fate.FAILED.value: "red"}
"""Of a fate, wherever it stands."""
Field = tuple[str, Cell]
"""A label and what stands behind it."""


def explanation_view(explanation: Explanation) -> Iterator[RenderableType]:
    """The fate of one page or document, with all that it rests on."""
    row = explanation.row
    yield Text.assemble(f"{row.kind} ", (visible(row.key or source_of(row)), "bold"))
    yield ""
    rows = [*fate_fields(row), *origin_fields(row)]
    if row.kind == RowKind.PAGE:
        rows += [*content_fields(row), *shard_fields(explanation)]
    rows += making_fields(row)
    rows += [("same bytes", visible(source_of(twin))) for twin in explanation.twins]
    yield fields(rows)
    if explanation.pages:
        yield ""
        yield from rows_view(explanation.pages)


def rows_view(rows: Iterable[LedgerRow]) -> Iterator[Text]:
    """One aligned line a row, after a heading; columns of fixed width, for lists of any length."""
    yield Text(
        f"{'key':<26}  {'status':<8}  {'reason':<20}  {'verdict':<16}  document", style="dim"
    )
    for row in rows:
        key = row.key if row.kind == RowKind.PAGE else row.key[:20]
        verdict = f"{row.verdict:<10}  {row.score:.2f}" if row.verdict else ""
        page = f", page {row.page_index + 1}" if row.page_index >= 0 else ""
        yield Text.assemble(
            f"{visible(key):<26}  ",
            (f"{visible(row.status):<8}", STYLES.get(row.status, "")),
            f"  {visible(row.reason):<20}  {visible(verdict):<16}  {visible(name_of(row))}{page}",
        )


def stats_view(summary: LedgerSummary) -> Iterator[RenderableType]:
    """The totals of a corpus, with the sum that must come out."""
    documents, pages = summary.documents, summary.pages
    yield fields(
        [
            ("documents", counts_text(documents, ("found", "opened", "failed", "duplicates"))),
            ("pages", counts_text(pages, ("found", *(fate.value for fate in Fate)))),
            ("shards", f"{summary.shards:,}   {file_size(summary.bytes)}"),
        ]
    )
    yield ""
    yield from sum_view(summary)
    if internal := summary.reasons.get(Reason.INTERNAL_ERROR.value, 0):
        yield Text(
            f"{internal:,} failed inside Pagemill: please report what "
            f"`pagemill explain CORPUS --reason {Reason.INTERNAL_ERROR.value}` says.",
            style="bold red",
        )
    meanings = {name: reason_meaning(name) for name in summary.reasons}
    yield from ranking("reasons", summary.reasons, pages["found"] + documents["failed"], meanings)
    yield from ranking("verdicts", summary.verdicts, pages["found"])
    yield from ranking("languages", summary.languages, pages["found"])
    yield from ranking("engines", summary.engines, pages["found"])


def fate_fields(row: LedgerRow) -> Iterator[Field]:
    """What became of it, and why."""
    at = f" at {row.stage}" if row.stage and row.status != Fate.WRITTEN else ""
    yield "status", Text.assemble((visible(row.status), STYLES.get(row.status, "")), at)
    if row.reason:
        yield "reason", visible(row.reason)
        if meaning := reason_meaning(row.reason):
            yield "", meaning
    if row.message:
        yield "message", visible(row.message)


def origin_fields(row: LedgerRow) -> Iterator[Field]:
    """Where it came from."""
    yield "source", visible(row.uri)
    if row.member:
        yield "member", visible(row.member)
    if row.page_index >= 0:
        of = f" of {row.page_count:,}" if row.page_count else ""
        yield "page", f"{row.page_index + 1:,}{of}"
    elif row.page_count:
        yield "pages", f"{row.page_count:,}"
    if row.doc_sha256 and row.kind == RowKind.PAGE:
        yield "document", visible(row.doc_sha256)
    if row.kind == RowKind.DOCUMENT and row.bytes:
        yield "size", file_size(row.bytes)


def content_fields(row: LedgerRow) -> Iterator[Field]:
    """What was found on the page, and the evidence of its verdict."""
    if row.verdict:
        yield "verdict", f"{visible(row.verdict)}, score {row.score:.3f}"
        measures = evidence(row)
        width = max((len(visible(name)) for name in measures), default=0)
        for name, value in measures.items():
            yield "", f"{visible(name):<{width}}  {measure_text(value)}"
    parts = [f"{row.words:,} words"] if row.verdict or row.words else []
    parts += [visible(row.language)] if row.language else []
    parts += [f"{row.width:,} × {row.height:,} px"] if row.width else []
    if parts:
        yield "content", "   ".join(parts)


def shard_fields(explanation: Explanation) -> Iterator[Field]:
    """Where its bytes lie."""
    row, span = explanation.row, explanation.span
    if not row.shard:
        return
    yield "shard", f"shards/{visible(row.shard)}.tar"
    if span is None:
        yield "", "its index cannot be read: run `pagemill verify`"
        return
    yield "", f"image  {span.image_bytes:,} bytes at {span.image_offset:,}"
    yield "", f"json   {span.json_bytes:,} bytes at {span.json_offset:,}"


def making_fields(row: LedgerRow) -> Iterator[Field]:
    """With what it was read, in what time, after how many attempts, with which warnings."""
    if row.engine:
        yield "engine", visible(row.engine)
    times = {stage: value for stage, value in milliseconds(row).items() if value > 0}
    if times:
        yield "time, ms", "   ".join(f"{stage} {value:.1f}" for stage, value in times.items())
    if row.attempts > 1:
        yield "attempts", str(row.attempts)
    for index, warning in enumerate(text for text in row.warnings.split("; ") if text):
        yield "warnings" if index == 0 else "", visible(warning)


def counts_text(counts: Mapping[str, int], names: Sequence[str]) -> Text:
    """`4 found   3 opened   1 failed`; duplicates where there are any."""
    parts = [name for name in names if counts[name] or name != "duplicates"]
    return Text("   ").join(
        Text.assemble(
            (f"{counts[name]:,}", STYLES.get(name, "") if counts[name] else ""), f" {name}"
        )
        for name in parts
    )


def sum_view(summary: LedgerSummary) -> Iterator[Text]:
    """Written, rejected and failed pages against those that were found; they must be as many."""
    pages, unopened = summary.pages, summary.documents["failed"]
    balanced = pages["written"] + pages["rejected"] + pages["failed"] == pages["found"] + unopened
    yield Text(
        f"{pages['written']:,} written + {pages['rejected']:,} rejected + {pages['failed']:,} "
        f"failed {'=' if balanced else '≠'} {pages['found']:,} pages found + {unopened:,} "
        f"document{'' if unopened == 1 else 's'} that could not be opened"
    )
    if not balanced:
        yield Text("The ledger is incomplete: run `pagemill verify`.", style="red")


def ranking(
    title: str, counts: Mapping[str, int], whole: int, meanings: Mapping[str, str] | None = None
) -> Iterator[RenderableType]:
    """Counts with their shares and what they mean; nothing where there are none."""
    if not counts:
        return
    yield ""
    yield Text(title, style="bold")
    yield ranking_table(counts, whole, meanings or {})


def ranking_table(counts: Mapping[str, int], whole: int, meanings: Mapping[str, str]) -> Padding:
    """Name, count, share of the whole, meaning."""
    rows: list[Sequence[Cell]] = []
    for name, count in counts.items():
        share = f"{100 * count / whole:.1f}%" if whole else ""
        meaning = [Text(meanings[name], style="dim")] if meanings.get(name) else [Text()]
        rows.append([visible(name), f"{count:,}", share, *(meaning if meanings else [])])
    return table(rows, justify="lrrl" if meanings else "lrr", indent=2)


def name_of(row: LedgerRow) -> str:
    """The document's name, and the member's where it lies in an archive."""
    name = row.name or row.uri
    return f"{name} › {row.member}" if row.member and row.member not in name else name


def measure_text(value: object) -> str:
    """A number of the evidence."""
    return f"{value:.4g}" if isinstance(value, float) else visible(str(value))
