"""One worker: fetches a document, reads it in a guarded child, writes its parcel; writes shards.

Plain Python, without Ray: `pipelines.pool` runs many of them. Whatever goes wrong with one
document or page is in what is returned; only errors of the machine are raised.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import orjson

from ...engine.curate.filter import document_reason
from ...engine.errors import DataError, ShardError
from ...engine.read.guard import GuardedReader
from ...engine.read.message import Open, Opened, Refused
from ...engine.read.reader import PageFate
from ...engine.reason import Reason
from ...engine.record import PageRecord
from ...engine.source.fetch import Fetched, fetch
from ...engine.store.index import IndexMeta, write_index
from ...engine.store.parcel import PageEntry, ParcelMeta, ParcelWriter, read_blob, read_meta
from ...engine.store.place import Place
from ..failure import stops_run
from .config import BuildConfig
from .draft import PageSample, draft_shard
from .job import (
    DocumentJob,
    DocumentSummary,
    ShardJob,
    ShardPage,
    ShardResult,
    parcel_name,
)

_PAGES_HELD = 8000
_log = logging.getLogger(__name__)


class Worker:
    """Does jobs one after another. Owns the reader processes of one core."""

    def __init__(self, out: str, config: BuildConfig) -> None:
        self._place = Place.at(out)
        self._config = config
        self._reader = GuardedReader(config.read, config.limits)
        self._metas: dict[str, ParcelMeta] = {}
        """Those last used, the oldest first, of at most `_PAGES_HELD` pages."""

    def ping(self) -> int:
        """The process id: the worker is up."""
        return os.getpid()

    def read(self, job: DocumentJob) -> DocumentSummary:
        """Make a document's parcel, unless one with its content is there already."""
        try:
            with fetch(job.source, scratch=self._scratch(), limits=self._config.limits) as fetched:
                return self._read_fetched(job, fetched)
        except DataError as err:
            return DocumentSummary(sha256="", reason=err.reason or Reason.MISSING, message=str(err))
        except Exception as err:
            if stops_run(err):
                raise
            self._reader.close()
            return DocumentSummary.of_error(err, "read")

    def write(self, job: ShardJob) -> ShardResult:
        """Write a shard and its index; a page that cannot be written is left out of both."""
        path = self._scratch() / f"shard-{uuid.uuid4().hex}"
        draft = draft_shard(path, job.pages, self._sample)
        summary = draft.summary
        meta = IndexMeta(
            shard=job.name,
            sha256=summary.sha256,
            bytes=summary.bytes,
            samples=len(summary.samples),
        )
        self._place.put(path, f"shards/{job.name}.tar")
        write_index(self._place, f"index/{job.name}.parquet", draft.rows, meta)
        return ShardResult(sha256=summary.sha256, bytes=summary.bytes, failures=draft.failures)

    def close(self) -> None:
        """Kill the reader processes."""
        self._reader.close()

    def _scratch(self) -> Path:
        return self._place.scratch_dir()

    def _read_fetched(self, job: DocumentJob, fetched: Fetched) -> DocumentSummary:
        if job.sha256 and fetched.sha256 != job.sha256:
            message = f"its content has changed since the corpus was built: {fetched.sha256}"
            return DocumentSummary(sha256="", reason=Reason.MISSING, message=message)
        earlier = self._earlier(fetched.sha256)
        if earlier is not None and (earlier.reason != Reason.ENCRYPTED or not job.passwords):
            return DocumentSummary.from_parcel(earlier)
        path = self._scratch() / f"parcel-{uuid.uuid4().hex}"
        writer = ParcelWriter(path)
        try:
            meta = self._fill(writer, job, fetched)
            writer.close(meta)
        except BaseException:
            writer.abort()
            raise
        self._place.put(path, parcel_name(fetched.sha256))
        return DocumentSummary.from_parcel(meta, self._reader.peak_rss_bytes)

    def _earlier(self, doc_sha256: str) -> ParcelMeta | None:
        """What an interrupted run made of a document; None where that cannot be used."""
        if not self._place.exists(parcel_name(doc_sha256)):
            return None
        try:
            return self._read_meta(doc_sha256)
        except ShardError as err:
            _log.warning("%s", err)
            return None

    def _fill(self, writer: ParcelWriter, job: DocumentJob, fetched: Fetched) -> ParcelMeta:
        """Read the document's pages into the parcel."""
        document = Open(str(fetched.path), fetched.sha256, job.passwords)
        opened = self._reader.open(document)
        if isinstance(opened, Refused):
            return ParcelMeta(
                sha256=fetched.sha256,
                size=fetched.size,
                reason=opened.reason,
                message=opened.message,
            )
        pages = tuple(self._entries(writer, job, document, opened))
        return ParcelMeta(
            sha256=fetched.sha256,
            size=fetched.size,
            page_count=opened.page_count,
            engine=opened.engine,
            repaired=opened.repaired,
            ms_open=opened.ms,
            pages=pages,
        )

    def _entries(
        self, writer: ParcelWriter, job: DocumentJob, document: Open, opened: Opened
    ) -> Iterator[PageEntry]:
        wanted = range(opened.page_count) if job.pages is None else job.pages
        reason = document_reason(opened.page_count, self._config.filter)
        if reason is not None:
            message = f"the document has {opened.page_count} pages"
            for page_index in wanted:
                yield PageEntry(
                    page_index=page_index, stage="filter", reason=reason, message=message
                )
            return
        for fate in self._reader.pages(document, opened, wanted):
            yield _entry(writer, fate)

    def _sample(self, page: ShardPage) -> PageSample:
        entry = self._meta(page.doc_sha256).page(page.page_index)
        size = entry.image_bytes + entry.json_bytes
        data = read_blob(self._place, parcel_name(page.doc_sha256), entry.offset, size)
        image, json = data[: entry.image_bytes], data[entry.image_bytes :]
        json = json[:-1] + source_tail(page, self._config.licence)
        return PageSample([(self._config.image.extension, image), ("json", json)], entry.facts)

    def _meta(self, doc_sha256: str) -> ParcelMeta:
        meta = self._metas.pop(doc_sha256, None) or self._read_meta(doc_sha256)
        self._metas[doc_sha256] = meta
        while (
            len(self._metas) > 1 and sum(len(m.pages) for m in self._metas.values()) > _PAGES_HELD
        ):
            del self._metas[next(iter(self._metas))]
        return meta

    def _read_meta(self, doc_sha256: str) -> ParcelMeta:
        return read_meta(self._place, parcel_name(doc_sha256))


def source_tail(page: ShardPage, licence: str) -> bytes:
    """What replaces the closing brace of a page's JSON: its source, and the brace."""
    source = {"uri": page.name, "member": page.member, "licence": licence}
    return b',"source":' + orjson.dumps(source) + b"}"


def _entry(writer: ParcelWriter, fate: PageFate) -> PageEntry:
    """Store a page's bytes; what it was for is in the entry."""
    offset = 0
    if fate.kept:
        offset, _ = writer.add(fate.image)
        writer.add(fate.json)
    elif fate.thumbnail:
        offset, _ = writer.add(fate.thumbnail)
        writer.add(fate.word_shares)
    record = {item.name: getattr(fate, item.name) for item in fields(PageRecord)}
    return PageEntry(
        **record,
        offset=offset,
        image_bytes=len(fate.image),
        json_bytes=len(fate.json),
        thumbnail_bytes=len(fate.thumbnail),
        word_share_bytes=len(fate.word_shares),
    )
