"""Counts for the display while a run goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ...engine.reason import Reason
from ...engine.source.listing import Source
from ...engine.store.ledger import read_rows, summarize
from ...engine.store.place import Place
from .job import DocumentSummary, DocumentTask
from .snapshot import BuildSnapshot

_COLUMNS = ("kind", "status", "reason", "verdict", "language", "engine", "shard", "bytes")


class Tally:
    """Totals since the corpus began: what its ledger says, plus what this run has read since.

    Args:
        place: the corpus.
        tasks: documents of this run that are in no ledger part yet.
    """

    def __init__(self, place: Place, tasks: Sequence[DocumentTask]) -> None:
        before = summarize(read_rows(place, columns=_COLUMNS))
        self._documents = before.documents["found"]
        self._documents_total = self._documents + len(tasks)
        self._pages = before.pages["found"]
        self._written = before.pages["written"]
        self._failed = before.pages["failed"]
        self._reasons = Counter(
            {name: n for name, n in before.reasons.items() if _is_rejection(name)}
        )
        self._bytes = 0
        self._bytes_total = sum(max(task.source.size, 0) for task in tasks)
        self._worker_bytes = 0
        self.shards = before.shards

    def add(self, source: Source, summary: DocumentSummary) -> None:
        """Count a document that has been read."""
        self._count(summary, 1)
        self._documents += 1
        self._bytes += max(source.size, 0)
        self._failed += bool(summary.reason)
        self._worker_bytes = max(self._worker_bytes, summary.worker_bytes)

    def add_failed(self, source: Source) -> None:
        """Count a document that could not be counted, or noted, as what it is."""
        self._documents += 1
        self._bytes += max(source.size, 0)
        self._failed += 1

    def add_shard(self, failed_pages: int) -> None:
        """Count a finished shard, and the pages that were left out of it."""
        self.shards += 1
        self._written -= failed_pages
        self._failed += failed_pages

    def withdraw(self, summary: DocumentSummary) -> None:
        """Take back the pages of a document that failed after it was read."""
        self._count(summary, -1)
        self._failed += not summary.reason

    def duplicate(self, summary: DocumentSummary) -> None:
        """Take back the pages of a document that turned out to be another's duplicate."""
        self._count(summary, -1)
        if not summary.reason:
            self._reasons[Reason.DUPLICATE_DOCUMENT] += 1

    def snapshot(self, workers: int, open_shards: int) -> BuildSnapshot:
        """The state to show."""
        reading = self._documents < self._documents_total
        return BuildSnapshot(
            stage="read" if reading else "write",
            documents=self._documents,
            documents_total=self._documents_total,
            bytes=self._bytes,
            bytes_total=self._bytes_total,
            pages=self._pages,
            written=self._written,
            rejected=sum(self._reasons.values()) - self._reasons[Reason.DUPLICATE_DOCUMENT],
            failed=self._failed,
            reasons=+self._reasons,
            shards=self.shards,
            shards_total=self.shards + open_shards,
            workers=workers,
            worker_bytes=self._worker_bytes,
        )

    def _count(self, summary: DocumentSummary, sign: int) -> None:
        self._pages += sign * summary.rows
        self._written += sign * len(summary.kept)
        self._failed += sign * summary.failed
        for reason, count in summary.rejected.items():
            self._reasons[reason] += sign * count


def _is_rejection(reason: str) -> bool:
    return reason.startswith("text_") or reason in {
        Reason.BLANK,
        Reason.PAGE_SIZE,
        Reason.LANGUAGE,
        Reason.TOO_FEW_WORDS,
        Reason.TOO_MANY_WORDS,
        Reason.TOO_MANY_PIXELS,
        Reason.DOCUMENT_PAGES,
        Reason.DUPLICATE_DOCUMENT,
    }
