"""The ledger's rows of documents whose window is not written yet.

Rows are made when a document is handed to the assembly, before any page of it can be in a shard:
a document whose rows cannot be made fails as a whole, and nothing of it is written. Afterwards
no error may change a fate: a row that cannot be stored is reduced to what is certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ...engine.curate.select import ShardCandidate
from ...engine.failure import failure_text
from ...engine.store.ledger import LedgerRow, to_table
from ...engine.store.parcel import ParcelMeta, read_meta
from ...engine.store.place import Place
from ..failure import stops_run
from .assemble import ShardWindow
from .job import DocumentTask, parcel_name
from .ledger_rows import (
    DocumentRows,
    bare_page_row,
    bare_row,
    document_rows,
    in_shard,
    left_out,
)


class PendingRows:
    """Keeps rows from the moment a document is handed on until its window is written.

    Args:
        place: the corpus.
        tasks: all documents of the run.
        config_hash: of the build.
    """

    def __init__(self, place: Place, tasks: Sequence[DocumentTask], config_hash: str) -> None:
        self._place = place
        self._tasks = tasks
        self._config_hash = config_hash
        self._documents: dict[int, DocumentRows] = {}
        self._kept: dict[str, LedgerRow] = {}
        """Of pages that wait for their shard, by key."""

    def add(self, position: int, rows: DocumentRows) -> None:
        """Take the rows of the document at a position of the run."""
        self._documents[position] = rows
        self._kept |= {row.key: row for row in rows.kept.values()}

    def of_window(
        self, window: ShardWindow, failures: Mapping[str, str], warnings: Mapping[str, str]
    ) -> list[LedgerRow]:
        """The rows of a window whose shards are written: its documents, its shards' pages.

        Args:
            window: in the order of the run; its rows are handed over and forgotten.
            failures: pages that were left out of their shard: key → what happened.
            warnings: more to be said of pages: key → text.
        """
        rows = [_warned(row, warnings) for row in self._documents_of(window)]
        rows += self._pages_of(window, failures)
        return _storable(rows)

    def _documents_of(self, window: ShardWindow) -> Iterator[LedgerRow]:
        for position in range(window.first, window.last):
            rows = self._documents.pop(position)
            yield rows.document
            yield from rows.others

    def _pages_of(self, window: ShardWindow, failures: Mapping[str, str]) -> Iterator[LedgerRow]:
        metas: dict[str, ParcelMeta] = {}
        for name, pages in window.shards:
            for page in pages:
                row = self._kept.pop(page.key, None) or self._from_parcel(page, metas)
                message = failures.get(page.key)
                yield in_shard(row, name) if message is None else left_out(row, message)

    def _from_parcel(self, page: ShardCandidate, metas: dict[str, ParcelMeta]) -> LedgerRow:
        """The row of a page that had waited for its shard when the run was interrupted."""
        task = self._tasks[page.document]
        try:
            if page.doc_sha256 not in metas:
                metas[page.doc_sha256] = read_meta(self._place, parcel_name(page.doc_sha256))
            meta = metas[page.doc_sha256]
            only = replace(meta, pages=(meta.page(page.page_index),))
            return document_rows(task, only, self._config_hash).kept[page.page_index]
        except Exception as err:
            if stops_run(err):
                raise
            text = failure_text(err)
            return bare_page_row(
                task.source, page.doc_sha256, page.page_index, text, self._config_hash
            )


def _warned(row: LedgerRow, warnings: Mapping[str, str]) -> LedgerRow:
    text = warnings.get(row.key)
    if text is None:
        return row
    return replace(row, warnings="; ".join(part for part in (row.warnings, text) if part))


def _storable(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """The rows; those with a value that its column cannot hold, without their details."""
    rows = list(rows)
    try:
        to_table(rows)
    except (ValueError, OverflowError, TypeError, AttributeError):
        return [_stored(row) for row in rows]
    return rows


def _stored(row: LedgerRow) -> LedgerRow:
    try:
        to_table([row])
    except (ValueError, OverflowError, TypeError, AttributeError) as err:
        return bare_row(row, failure_text(err))
    return row
