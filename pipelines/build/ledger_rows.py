"""Rows of the ledger from what the workers report: every document and every page gets one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ...engine.key import page_key
from ...engine.reason import Reason
from ...engine.source.listing import Source
from ...engine.store.ledger import Fate, LedgerRow, RowKind
from ...engine.store.parcel import PageEntry, ParcelMeta
from .job import DocumentSummary, DocumentTask, Original

_NONE_KEPT = "none of its pages was kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRows:
    """All rows of a document; those of kept pages lack their shard until it is written."""

    document: LedgerRow
    others: tuple[LedgerRow, ...] = ()
    """Of the pages that go into no shard."""
    kept: dict[int, LedgerRow] = field(default_factory=dict)
    """Of the pages that go into a shard, by page index."""


def failed_rows(task: DocumentTask, summary: DocumentSummary, config_hash: str) -> DocumentRows:
    """The rows of a document that has no parcel: not fetched, or an error came between.

    Where pages of it were read before and only some are read again, these fail once more and
    the document keeps the fate that it had.
    """
    source, earlier = task.source, task.earlier
    stage = "find" if source.refusal else summary.stage
    if earlier is None or task.pages is None:
        document = _document(
            source,
            sha256="",
            status=Fate.FAILED,
            stage=stage,
            reason=summary.reason,
            message=summary.message,
            config_hash=config_hash,
            attempts=task.document_attempts + 1,
        )
        return DocumentRows(document=document)
    document = replace(earlier, attempts=earlier.attempts + 1)
    pages = tuple(
        _page(
            source,
            earlier.doc_sha256,
            page_index,
            status=Fate.FAILED,
            stage=stage,
            reason=summary.reason,
            message=summary.message,
            attempts=task.attempts.get(page_index, 0) + 1,
            config_hash=config_hash,
            page_count=earlier.page_count,
        )
        for page_index in task.pages
    )
    return DocumentRows(document=document, others=pages)


def document_rows(task: DocumentTask, meta: ParcelMeta, config_hash: str) -> DocumentRows:
    """The rows of a document that was read, or that no engine could open."""
    kept = task.written_before or any(page.kept for page in meta.pages)
    status = Fate.FAILED if meta.reason else Fate.WRITTEN if kept else Fate.REJECTED
    reason, message = meta.reason, meta.message
    if status is Fate.REJECTED and meta.pages:
        reason, message = meta.pages[0].reason, _NONE_KEPT
    document = _document(
        task.source,
        sha256=meta.sha256,
        status=status,
        stage="open" if meta.reason else "write" if kept else meta.pages[0].stage,
        reason=reason,
        message=message,
        config_hash=config_hash,
        engine=meta.engine,
        ms_open=meta.ms_open,
        warnings="the file was damaged and its structure was rebuilt" if meta.repaired else "",
        page_count=meta.page_count,
        attempts=task.document_attempts + 1,
        bytes=meta.size,
    )
    pages = [(page, _page_row(task, meta, page, config_hash)) for page in meta.pages]
    return DocumentRows(
        document=document,
        others=tuple(row for page, row in pages if not page.kept),
        kept={page.page_index: row for page, row in pages if page.kept},
    )


def duplicate_rows(
    source: Source, summary: DocumentSummary, original: Original, config_hash: str
) -> DocumentRows:
    """The row of a document whose bytes another document has: it shares that one's fate."""
    failed = bool(original.summary.reason)
    document = _document(
        source,
        sha256=summary.sha256,
        status=Fate.FAILED if failed else Fate.REJECTED,
        stage="open" if failed else "find",
        reason=original.summary.reason or Reason.DUPLICATE_DOCUMENT,
        message=f"the same bytes as {original.uri}"
        + (f": {original.summary.message}" if failed else ""),
        config_hash=config_hash,
        page_count=summary.page_count,
        bytes=summary.size,
    )
    return DocumentRows(document=document)


def in_shard(row: LedgerRow, shard: str) -> LedgerRow:
    """The row of a kept page, now that it is in a shard."""
    return replace(row, shard=shard)


def left_out(row: LedgerRow, message: str) -> LedgerRow:
    """The row of a kept page that could not be written into its shard."""
    return replace(
        row,
        status=Fate.FAILED,
        stage="write",
        reason=Reason.INTERNAL_ERROR,
        message=message,
        bytes=0,
    )


def bare_row(row: LedgerRow, message: str) -> LedgerRow:
    """A row reduced to which page it is and what became of it, for one that cannot be stored."""
    return LedgerRow(
        kind=row.kind,
        key=row.key,
        doc_sha256=row.doc_sha256,
        uri=row.uri,
        member=row.member,
        name=row.name,
        version=row.version,
        page_index=row.page_index,
        page_count=row.page_count,
        status=row.status,
        stage=row.stage,
        reason=row.reason,
        message=message,
        shard=row.shard,
        config_hash=row.config_hash,
    )


def bare_page_row(
    source: Source, doc_sha256: str, page_index: int, message: str, config_hash: str
) -> LedgerRow:
    """The row of a page that is in a shard, and of which no more is known than that."""
    return _page(
        source,
        doc_sha256,
        page_index,
        status=Fate.WRITTEN,
        stage="write",
        message=message,
        config_hash=config_hash,
    )


def _document(source: Source, *, sha256: str, **columns: Any) -> LedgerRow:
    return LedgerRow(
        kind=RowKind.DOCUMENT,
        key=sha256,
        doc_sha256=sha256,
        uri=source.uri,
        member=source.member,
        name=source.name,
        version=source.version,
        **columns,
    )


def _page(source: Source, doc_sha256: str, page_index: int, **columns: Any) -> LedgerRow:
    return LedgerRow(
        kind=RowKind.PAGE,
        key=page_key(doc_sha256, page_index),
        doc_sha256=doc_sha256,
        uri=source.uri,
        member=source.member,
        name=source.name,
        page_index=page_index,
        **columns,
    )


def _page_row(task: DocumentTask, meta: ParcelMeta, page: PageEntry, config_hash: str) -> LedgerRow:
    if page.kept:
        status, stage = Fate.WRITTEN, "write"
    else:
        status, stage = (Fate.FAILED if page.failed else Fate.REJECTED), page.stage
    facts, timing = page.facts, page.timing
    return _page(
        task.source,
        meta.sha256,
        page.page_index,
        status=status,
        stage=stage,
        reason=page.reason,
        message=page.message,
        attempts=page.attempts + task.attempts.get(page.page_index, 0),
        verdict=facts.verdict,
        engine=page.engine or meta.engine,
        ms_open=timing.open,
        ms_render=timing.render,
        ms_text=timing.text,
        ms_judge=timing.judge,
        ms_encode=timing.encode,
        warnings=page.warnings,
        config_hash=config_hash,
        language=facts.language,
        words=facts.words,
        width=facts.width,
        height=facts.height,
        bytes=page.image_bytes + page.json_bytes,
        page_count=meta.page_count,
        score=facts.score,
        evidence=facts.evidence,
    )
