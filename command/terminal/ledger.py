"""The ledger in words, for terminals: one fate, a list of fates, the totals.

Names of files come from strangers: what could steer a terminal or turn the direction of the
text is spelled out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from ...engine.store.explain import Explanation, evidence, milliseconds, reason_meaning, source_of
from ...engine.store.ledger import Fate, LedgerRow, LedgerSummary, RowKind
from ...engine.text import visible

_STYLES = {
    Fate.WRITTEN.value: "\x1b[32m",
    Fate.REJECTED.value: "\x1b[33m",
    Fate.FAILED.value: "\x1b[31m",
    "dim": "\x1b[2m",
    "bold": "\x1b[1m",
}
_RESET = "\x1b[0m"
_LABEL_WIDTH = 11


def wants_colour(stream: TextIO) -> bool:
    """The stream is a terminal that shows colours, and the user has not said no."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return stream.isatty()
    except ValueError:
        return False


def explanation_text(explanation: Explanation, *, colour: bool = False) -> str:
    """The fate of one page or document, with all that it rests on."""
    row = explanation.row
    ink = _Ink(colour)
    lines = [f"{row.kind} {ink('bold', visible(row.key or source_of(row)))}", "", *_fate(row, ink)]
    lines += _origin(row, ink)
    if row.kind == RowKind.PAGE:
        lines += [*_content(row, ink), *_shard(explanation, ink)]
    lines += _making(row, ink)
    for twin in explanation.twins:
        lines.append(_field("same bytes", visible(source_of(twin)), ink))
    if explanation.pages:
        lines += ["", *rows_text(explanation.pages, colour=colour)]
    return "\n".join(lines)


def rows_text(rows: Iterable[LedgerRow], *, colour: bool = False) -> Iterator[str]:
    """One aligned line a row, after a heading; for lists of any length."""
    ink = _Ink(colour)
    heading = f"{'key':<26}  {'status':<8}  {'reason':<20}  {'verdict':<16}  document"
    yield ink("dim", heading)
    for row in rows:
        verdict = f"{row.verdict:<10}  {row.score:.2f}" if row.verdict else ""
        page = f", page {row.page_index + 1}" if row.page_index >= 0 else ""
        key = row.key if row.kind == RowKind.PAGE else row.key[:20]
        yield (
            f"{visible(key):<26}  {ink(row.status, f'{visible(row.status):<8}')}  "
            f"{visible(row.reason):<20}  {visible(verdict):<16}  {visible(_name(row))}{page}"
        )


def stats_text(summary: LedgerSummary, *, colour: bool = False) -> str:
    """The totals of a corpus, with the sum that must come out."""
    ink = _Ink(colour)
    documents, pages = summary.documents, summary.pages
    lines = [
        _counted("documents", documents, ("found", "opened", "failed", "duplicates"), ink),
        _counted("pages", pages, ("found", *(status.value for status in Fate)), ink),
        _field("shards", f"{summary.shards:,}   {_size(summary.bytes)}", ink),
        "",
        _sum(summary, ink),
    ]
    whole = pages["found"] + documents["failed"]
    meanings = {name: reason_meaning(name) for name in summary.reasons}
    lines += _ranking("reasons", summary.reasons, whole, ink, meanings)
    lines += _ranking("verdicts", summary.verdicts, pages["found"], ink)
    lines += _ranking("languages", summary.languages, pages["found"], ink)
    lines += _ranking("engines", summary.engines, pages["found"], ink)
    return "\n".join(lines)


class _Ink:
    """Colours text, or leaves it."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, style: str, text: str) -> str:
        start = _STYLES.get(style) if self._colour else None
        return f"{start}{text}{_RESET}" if start else text


def _fate(row: LedgerRow, ink: _Ink) -> list[str]:
    at = f" at {row.stage}" if row.stage and row.status != Fate.WRITTEN else ""
    lines = [_field("status", ink(row.status, visible(row.status)) + at, ink)]
    if row.reason:
        lines.append(_field("reason", visible(row.reason), ink))
        if meaning := reason_meaning(row.reason):
            lines.append(_field("", meaning, ink))
    if row.message:
        lines.append(_field("message", visible(row.message), ink))
    return lines


def _origin(row: LedgerRow, ink: _Ink) -> list[str]:
    lines = [_field("source", visible(row.uri), ink)]
    if row.member:
        lines.append(_field("member", visible(row.member), ink))
    if row.page_index >= 0:
        of = f" of {row.page_count:,}" if row.page_count else ""
        lines.append(_field("page", f"{row.page_index + 1:,}{of}", ink))
    elif row.page_count:
        lines.append(_field("pages", f"{row.page_count:,}", ink))
    if row.doc_sha256 and row.kind == RowKind.PAGE:
        lines.append(_field("document", visible(row.doc_sha256), ink))
    if row.kind == RowKind.DOCUMENT and row.bytes:
        lines.append(_field("size", _size(row.bytes), ink))
    return lines


def _content(row: LedgerRow, ink: _Ink) -> list[str]:
    lines = []
    if row.verdict:
        lines.append(_field("verdict", f"{visible(row.verdict)}, score {row.score:.3f}", ink))
        found = evidence(row)
        width = max((len(visible(name)) for name in found), default=0)
        lines += [
            _field("", f"{visible(name):<{width}}  {_number(value)}", ink)
            for name, value in found.items()
        ]
    said = [f"{row.words:,} words"] if row.verdict or row.words else []
    said += [visible(row.language)] if row.language else []
    said += [f"{row.width:,} × {row.height:,} px"] if row.width else []
    if said:
        lines.append(_field("content", "   ".join(said), ink))
    return lines


def _shard(explanation: Explanation, ink: _Ink) -> list[str]:
    row, span = explanation.row, explanation.span
    if not row.shard:
        return []
    lines = [_field("shard", f"shards/{visible(row.shard)}.tar", ink)]
    if span is None:
        return [*lines, _field("", "its index cannot be read: run `pagemill verify`", ink)]
    lines.append(_field("", f"image  {span.image_bytes:,} bytes at {span.image_offset:,}", ink))
    lines.append(_field("", f"json   {span.json_bytes:,} bytes at {span.json_offset:,}", ink))
    return lines


def _making(row: LedgerRow, ink: _Ink) -> list[str]:
    lines = [_field("engine", visible(row.engine), ink)] if row.engine else []
    spent = {stage: value for stage, value in milliseconds(row).items() if value > 0}
    if spent:
        text = "   ".join(f"{stage} {value:.1f}" for stage, value in spent.items())
        lines.append(_field("time, ms", text, ink))
    if row.attempts > 1:
        lines.append(_field("attempts", str(row.attempts), ink))
    for index, warning in enumerate(text for text in row.warnings.split("; ") if text):
        lines.append(_field("warnings" if index == 0 else "", visible(warning), ink))
    return lines


def _counted(label: str, counts: Mapping[str, int], names: Iterable[str], ink: _Ink) -> str:
    shown = [
        f"{ink(name, f'{counts[name]:,}') if counts[name] else '0'} {name}"
        for name in names
        if counts[name] or name != "duplicates"
    ]
    return _field(label, "   ".join(shown), ink)


def _sum(summary: LedgerSummary, ink: _Ink) -> str:
    pages, unopened = summary.pages, summary.documents["failed"]
    left = pages["written"] + pages["rejected"] + pages["failed"]
    right = pages["found"] + unopened
    text = (
        f"{pages['written']:,} written + {pages['rejected']:,} rejected + {pages['failed']:,} "
        f"failed {'=' if left == right else '≠'} {pages['found']:,} pages found + {unopened:,} "
        f"document{'' if unopened == 1 else 's'} that could not be opened"
    )
    if left == right:
        return text
    return f"{text}\n{ink('failed', 'The ledger is incomplete: run `pagemill verify`.')}"


def _ranking(
    title: str,
    counts: Mapping[str, int],
    whole: int,
    ink: _Ink,
    meanings: Mapping[str, str] | None = None,
) -> list[str]:
    if not counts:
        return []
    name_width = max(len(visible(name)) for name in counts)
    count_width = max(len(f"{count:,}") for count in counts.values())
    lines = ["", ink("bold", title)]
    for name, count in counts.items():
        told = ink("dim", f"   {meanings[name]}") if meanings and meanings[name] else ""
        share = f"{100 * count / whole:5.1f}%" if whole else ""
        lines.append(f"  {visible(name):<{name_width}}  {count:>{count_width},}  {share}{told}")
    return lines


def _field(label: str, text: str, ink: _Ink) -> str:
    return f"  {ink('dim', f'{label:<{_LABEL_WIDTH}}')}{text}".rstrip()


def _name(row: LedgerRow) -> str:
    name = row.name or row.uri
    return f"{name} › {row.member}" if row.member and row.member not in name else name


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else visible(str(value))


def _size(amount: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if amount < 999.95 or unit == "TB":
            break
        amount /= 1000
    return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"
