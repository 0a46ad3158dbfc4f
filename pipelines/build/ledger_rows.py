"""Rows of the ledger from what the workers report: every document and every page gets one."""

from __future__ import annotations

from typing import Any

from ...engine.key import page_key
from ...engine.reason import Reason
from ...engine.source.listing import Source
from ...engine.store.ledger import Fate, LedgerRow, RowKind
from ...engine.store.parcel import PageEntry, ParcelMeta
from .job import DocumentSummary, DocumentTask, Original


def refused_row(source: Source, reason: str, message: str, config_hash: str) -> LedgerRow:
    """The row of a document that was found but could not be fetched."""
    stage = "find" if source.refusal else "fetch"
    return _document(
        source,
        sha256="",
        status=Fate.FAILED,
        stage=stage,
        reason=reason,
        message=message,
        config_hash=config_hash,
    )


def document_row(task: DocumentTask, meta: ParcelMeta, config_hash: str) -> LedgerRow:
    """The row of a document that was read, or that no engine could open."""
    kept = task.written_before or any(page.kept for page in meta.pages)
    status = Fate.FAILED if meta.reason else Fate.WRITTEN if kept else Fate.REJECTED
    reason, message = meta.reason, meta.message
    if status is Fate.REJECTED and meta.pages:
        reason, message = meta.pages[0].reason, "none of its pages was kept"
    return _document(
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


def duplicate_row(
    source: Source, summary: DocumentSummary, original: Original, config_hash: str
) -> LedgerRow:
    """The row of a document whose bytes another document has: it shares that one's fate."""
    failed = bool(original.summary.reason)
    return _document(
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


def page_rows(task: DocumentTask, meta: ParcelMeta, config_hash: str) -> list[LedgerRow]:
    """Rows of all pages that are in no shard."""
    return [_page(task, meta, page, config_hash, shard="") for page in meta.pages if not page.kept]


def written_row(
    task: DocumentTask, meta: ParcelMeta, page: PageEntry, config_hash: str, shard: str
) -> LedgerRow:
    """The row of a page that is in a shard."""
    return _page(task, meta, page, config_hash, shard=shard)


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


def _page(
    task: DocumentTask, meta: ParcelMeta, page: PageEntry, config_hash: str, *, shard: str
) -> LedgerRow:
    if page.kept:
        status, stage = Fate.WRITTEN, "write"
    else:
        status, stage = (Fate.FAILED if page.failed else Fate.REJECTED), page.stage
    source, facts, timing = task.source, page.facts, page.timing
    return LedgerRow(
        kind=RowKind.PAGE,
        key=page_key(meta.sha256, page.page_index),
        doc_sha256=meta.sha256,
        uri=source.uri,
        member=source.member,
        name=source.name,
        page_index=page.page_index,
        status=status,
        stage=stage,
        reason=page.reason,
        message=page.message,
        attempts=page.attempts + task.attempts.get(page.page_index, 0),
        verdict=facts.verdict,
        engine=page.engine or meta.engine,
        shard=shard,
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
