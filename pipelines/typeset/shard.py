"""One shard: its tar, its part of the ledger, and last its index, by which it counts as done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ...engine.errors import ShardError
from ...engine.reason import Reason
from ...engine.store.corpus import CorpusInfo, ShardEntry
from ...engine.store.index import IndexMeta, read_index_meta, row_from_facts, write_index
from ...engine.store.ledger import Fate, LedgerRow, RowKind, part_path, write_rows
from ...engine.store.place import Place
from ...engine.store.shard import ShardSummary, write_shard
from ...engine.typeset.compose import ENGINE
from .request import ShardPlan
from .worker import EncodedPage, FailedPage


def finished_entry(place: Place, plan: ShardPlan) -> ShardEntry | None:
    """The entry of a shard that an earlier run finished."""
    entry = ShardEntry(name=plan.name, bytes=0, samples=0, sha256="")
    if not (place.exists(entry.index) and place.exists(entry.tar)):
        return None
    try:
        meta = read_index_meta(place, entry.index)
    except ShardError:
        return None  # it is made again
    if meta.bytes != place.size(entry.tar) or not place.exists(part_path(0, plan.number)):
        return None
    return replace(entry, bytes=meta.bytes, samples=meta.samples, sha256=meta.sha256)


def write_pages(
    place: Place, plan: ShardPlan, pages: Iterable[EncodedPage | FailedPage], info: CorpusInfo
) -> ShardEntry:
    """Write a shard, its part of the ledger, and its index; pages that failed are in the ledger."""
    written: list[EncodedPage] = []
    failed: list[FailedPage] = []

    def samples() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
        for page in pages:
            if isinstance(page, FailedPage):
                failed.append(page)
                continue
            written.append(replace(page, image=b"", text=b""))
            yield page.key, [(info.image_ext, page.image), ("json", page.text)]

    path = place.scratch_dir() / f"{plan.name}.tar"
    summary = write_shard(path, samples())
    entry = ShardEntry(
        name=plan.name, bytes=summary.bytes, samples=len(written), sha256=summary.sha256
    )
    place.put(path, entry.tar)
    rows = [*_written_rows(plan, written, summary, info), *_failed_rows(failed, info)]
    write_rows(place, part_path(0, plan.number), rows)
    index = [
        row_from_facts(span, page.doc_sha256, 0, page.facts)
        for span, page in zip(summary.samples, written, strict=True)
    ]
    meta = IndexMeta(
        shard=plan.name, sha256=summary.sha256, bytes=summary.bytes, samples=len(written)
    )
    write_index(place, entry.index, index, meta)
    return entry


def _written_rows(
    plan: ShardPlan, pages: Sequence[EncodedPage], summary: ShardSummary, info: CorpusInfo
) -> Iterator[LedgerRow]:
    for page, span in zip(pages, summary.samples, strict=True):
        document = _document_row(page, Fate.WRITTEN, info)
        yield document
        yield replace(
            _page_row(page, document),
            verdict=page.facts.verdict,
            shard=plan.name,
            language=page.facts.language,
            words=page.facts.words,
            width=page.facts.width,
            height=page.facts.height,
            bytes=sum(part.size for part in span.parts),
            score=page.facts.score,
        )


def _failed_rows(pages: Sequence[FailedPage], info: CorpusInfo) -> Iterator[LedgerRow]:
    for page in pages:
        document = _document_row(page, Fate.REJECTED, info)
        yield document
        yield replace(
            _page_row(page, document),
            status=Fate.FAILED.value,
            stage="render",
            reason=Reason.INTERNAL_ERROR.value,
            message=page.message,
        )


def _page_row(page: EncodedPage | FailedPage, document: LedgerRow) -> LedgerRow:
    return replace(document, kind=RowKind.PAGE.value, key=page.key, page_index=0)


def _document_row(page: EncodedPage | FailedPage, fate: Fate, info: CorpusInfo) -> LedgerRow:
    return LedgerRow(
        kind=RowKind.DOCUMENT.value,
        key=page.doc_sha256,
        doc_sha256=page.doc_sha256,
        uri=f"typeset:{page.name}",
        name=page.name,
        status=fate.value,
        engine=ENGINE,
        config_hash=info.config_hash,
        page_count=1,
    )
