"""One run over documents in order: read them on the pool, close windows, write, commit.

Everything here can be killed at any moment. Parcels, shards and ledger parts are written
atomically and named by content or number; `commit.json` moves last. A restart finds what is
done in the journal and the parcels, and computes the same windows again.

Whatever goes wrong with one document is its row in the ledger, and the run goes on: `Worker`
returns it, here `_take_document` and `_rows_of` note it. Only documents that fail one after
another stop the run, and errors of the machine.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from ...engine.curate.select import ShardCandidate
from ...engine.errors import PagemillError
from ...engine.reason import Reason
from ...engine.source.listing import Source
from ...engine.store.corpus import ShardEntry
from ...engine.store.ledger import part_path, write_rows
from ...engine.store.parcel import read_meta
from ...engine.store.place import Place
from ..failure import FailureStreak, stops_run
from ..pool import JobPool, JobResult
from .assemble import Assembly, ShardWindow, State
from .config import BuildConfig
from .job import (
    DocumentJob,
    DocumentSummary,
    DocumentTask,
    Original,
    ShardJob,
    ShardPage,
    ShardResult,
    parcel_name,
    shard_candidates,
)
from .ledger_rows import DocumentRows, document_rows, duplicate_rows, failed_rows
from .pending import PendingRows
from .snapshot import BuildSnapshot
from .tally import Tally
from .thumbs import Thumbnails
from .worker import source_tail
from .workspace import JournalEntry, WindowCommit, Workspace

WorkerJob = DocumentJob | ShardJob
_log = logging.getLogger(__name__)
_FLUSH_S = 1.0
_WAIT_S = 0.5
_BACKLOG_A_WORKER = 4


@dataclass(slots=True)
class _OpenWindow:
    """A window whose shards are being written."""

    window: ShardWindow
    missing: set[str]
    entries: dict[str, ShardEntry] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    """Pages left out of their shards: key → what happened."""


class BuildRun:
    """Owns one run: what is read, what is assembled, what is committed.

    Args:
        place: the corpus.
        config: of the build.
        generation: number of this run in the corpus.
        tasks: all documents, in order.
        first: the assembly's state where nothing of this run is done yet.
        originals: content that earlier generations have → the document that had it first.
        passwords: (pattern of names, password) pairs.
        on_commit: called with all shards of this run after each window.
    """

    def __init__(
        self,
        place: Place,
        config: BuildConfig,
        generation: int,
        tasks: Sequence[DocumentTask],
        *,
        first: State,
        originals: Mapping[str, Original],
        passwords: Sequence[tuple[str, str]] = (),
        on_commit: Callable[[tuple[ShardEntry, ...]], None],
    ) -> None:
        self._place = place
        self._config = config
        self._generation = generation
        self._tasks = tasks
        self._passwords = passwords
        self._on_commit = on_commit
        self._workspace = Workspace(place)
        self._commit = self._workspace.commit() or WindowCommit(state=first)
        self._assembly = Assembly(self._commit.state, config.shard, config.split)
        self._originals = dict(originals)
        self._summaries: dict[int, DocumentSummary] = {}
        """Of documents that are read and not yet handed to the assembly."""
        self._parcels: dict[int, str] = {}
        """Content of documents in windows that are not committed, by position."""
        self._rows = PendingRows(place, tasks, config.hash)
        self._thumbnails = Thumbnails(place, generation, config.shard.seed)
        self._open: deque[_OpenWindow] = deque()
        self._next = self._commit.state.position
        self._tally = Tally(place, tasks[self._next :])
        self._reading = FailureStreak()
        self._recording = FailureStreak()
        self._writing = FailureStreak()
        self.pages_read = 0
        """Pages that this start of the run has read, whatever became of them."""

    @property
    def shards(self) -> tuple[ShardEntry, ...]:
        """Those of all committed windows."""
        return self._commit.shards

    @property
    def done(self) -> bool:
        """Whether all that was to be done is committed."""
        left = any(self._commit.state.carry.values())
        return self._commit.state.position >= len(self._tasks) and not left

    def execute(self, pool: JobPool[WorkerJob], show: Callable[[BuildSnapshot], None]) -> None:
        """Do all of it; returns when the last window is committed.

        Raises:
            PagemillError: too many documents failed one after another, or workers were lost
                while they wrote a shard.
        """
        self._recover()
        flushed = time.monotonic()
        try:
            while True:
                all_assembled = self._advance(pool)
                if all_assembled and not self._open:
                    break
                self._feed(pool)
                for result in pool.wait(_WAIT_S):
                    self._take(result)
                self._commit_ready()
                if time.monotonic() - flushed > _FLUSH_S:
                    self._workspace.flush()
                    flushed = time.monotonic()
                show(self._tally.snapshot(pool.alive, self._open_shards()))
        finally:
            self._workspace.flush()

    # -- what an earlier, interrupted start of this run has done

    def _recover(self) -> None:
        journal = self._workspace.journal()
        for position, task in enumerate(self._tasks):
            source = task.source
            entry = journal.get((source.uri, source.member))
            if position < self._next:
                if entry is not None and entry.sha256:
                    original = Original(source.uri, entry.summary)
                    self._originals.setdefault(entry.sha256, original)
            elif source.refusal:
                summary = DocumentSummary(sha256="", reason=source.refusal, message=source.message)
                self._note_summary(position, summary)
            elif entry is not None and (read := self._read_before(entry)) is not None:
                self._note_summary(position, read)

    def _read_before(self, entry: JournalEntry) -> DocumentSummary | None:
        """What is in a document's parcel; None where it is to be read again."""
        if entry.reason == Reason.ENCRYPTED and self._passwords:
            return None
        if not entry.sha256 or not self._place.exists(parcel_name(entry.sha256)):
            return None
        try:
            return DocumentSummary.from_parcel(read_meta(self._place, parcel_name(entry.sha256)))
        except Exception as err:
            if stops_run(err):
                raise
            _log.warning("%s is read again: %s", entry.uri, err)
            return None

    # -- reading

    def _feed(self, pool: JobPool[WorkerJob]) -> None:
        """Keep the workers supplied, a little ahead of what they do."""
        while self._next < len(self._tasks) and pool.backlog < _BACKLOG_A_WORKER * pool.size:
            position, self._next = self._next, self._next + 1
            if position < self._assembly.position or position in self._summaries:
                continue
            task = self._tasks[position]
            passwords = tuple(
                password
                for pattern, password in self._passwords
                if fnmatchcase(task.source.member or task.source.name, pattern)
            )
            job = DocumentJob(position, task.source, task.pages, task.sha256, passwords)
            pool.submit("read", job)

    def _take(self, result: JobResult[WorkerJob]) -> None:
        """Note what a worker has done."""
        if isinstance(result.item, ShardJob):
            self._take_shard(result.item, result.result, lost=result.lost)
        elif result.lost:
            message = "three workers in a row were lost while they read it"
            summary = DocumentSummary(sha256="", reason=Reason.WORKER_LOST, message=message)
            self._take_document(result.item.position, summary)
        else:
            self._take_document(result.item.position, result.result)

    def _take_document(self, position: int, summary: DocumentSummary) -> None:
        source = self._tasks[position].source
        try:
            if summary.sha256:
                self._workspace.note(JournalEntry.of(source, summary))
            self._note_summary(position, summary)
            self.pages_read += summary.rows
        except Exception as err:
            if stops_run(err):
                raise
            summary = DocumentSummary.of_error(err, "read")
            self._summaries[position] = summary
            self._tally.add_failed(source)
        if summary.reason == Reason.INTERNAL_ERROR:
            self._reading.fail(_name(source), summary.message)
        else:
            self._reading.succeed()

    def _note_summary(self, position: int, summary: DocumentSummary) -> None:
        self._tally.add(self._tasks[position].source, summary)
        self._summaries[position] = summary

    # -- assembling

    def _advance(self, pool: JobPool[WorkerJob]) -> bool:
        """Hand documents to the assembly as far as they are read in order; True at the end."""
        while (position := self._assembly.position) in self._summaries:
            summary, pages = self._hand_on(position)
            window = self._assembly.add(summary.sha256, pages, 1 + summary.rows)
            if window is not None:
                self._start(window, pool)
        if self._assembly.position < len(self._tasks):
            return False
        window = self._assembly.finish()
        if window is not None:
            self._start(window, pool)
        return True

    def _hand_on(self, position: int) -> tuple[DocumentSummary, list[ShardCandidate]]:
        """A document's fate and its pages for shards; from here on its rows are certain."""
        task, summary = self._tasks[position], self._summaries.pop(position)
        try:
            rows, pages = self._rows_of(position, summary)
        except Exception as err:
            if stops_run(err):
                raise
            self._tally.withdraw(summary)
            summary = DocumentSummary.of_error(err, "write")
            rows, pages = failed_rows(task, summary, self._config.hash), []
            self._rows.add(position, rows)
            self._recording.fail(_name(task.source), summary.message)
        else:
            self._rows.add(position, rows)
            if summary.sha256:
                self._recording.succeed()
        return summary, pages

    def _rows_of(
        self, position: int, summary: DocumentSummary
    ) -> tuple[DocumentRows, list[ShardCandidate]]:
        """Ledger rows and pages; no pages when an earlier document has the same bytes."""
        task, config_hash = self._tasks[position], self._config.hash
        if not summary.sha256:
            return failed_rows(task, summary, config_hash), []
        original = self._originals.get(summary.sha256)
        if original is not None:
            rows = duplicate_rows(task.source, summary, original, config_hash)
            self._tally.duplicate(summary)
            return rows, []
        meta = read_meta(self._place, parcel_name(summary.sha256))
        rows = document_rows(task, meta, config_hash)
        page = ShardPage(summary.sha256, 0, task.source.name, task.source.member)
        tail_bytes = len(source_tail(page, self._config.licence)) - 1
        pages = shard_candidates(position, summary, tail_bytes)
        self._thumbnails.add(position, self._assembly.window, meta)
        self._originals[summary.sha256] = Original(task.source.uri, replace(summary, kept=()))
        self._parcels[position] = summary.sha256
        return rows, pages

    def _start(self, window: ShardWindow, pool: JobPool[WorkerJob]) -> None:
        """Put a window's shards before all documents that wait."""
        self._open.append(_OpenWindow(window, {name for name, _ in window.shards}))
        for name, pages in reversed(window.shards):
            listed = tuple(self._shard_page(page) for page in pages)
            pool.submit("write", ShardJob(name, listed), first=True)

    def _shard_page(self, page: ShardCandidate) -> ShardPage:
        source = self._tasks[page.document].source
        return ShardPage(page.doc_sha256, page.page_index, source.name, source.member)

    def _take_shard(self, job: ShardJob, result: ShardResult, *, lost: bool) -> None:
        if lost:
            raise PagemillError(
                f"three workers in a row were lost while they wrote {job.name}; the machines "
                "are short of memory or disk. Run the same command again to go on."
            )
        for page in job.pages:
            if page.key in result.failures:
                self._writing.fail(page.member or page.name, result.failures[page.key])
            else:
                self._writing.succeed()
        opened = next(opened for opened in self._open if job.name in opened.missing)
        opened.missing.remove(job.name)
        opened.failures |= result.failures
        opened.entries[job.name] = ShardEntry(
            name=job.name,
            bytes=result.bytes,
            samples=len(job.pages) - len(result.failures),
            sha256=result.sha256,
        )
        self._tally.add_shard(len(result.failures))

    def _open_shards(self) -> int:
        return sum(len(opened.missing) for opened in self._open)

    # -- committing

    def _commit_ready(self) -> None:
        """Commit windows in order as their shards are complete."""
        while self._open and not self._open[0].missing:
            self._close(self._open.popleft())

    def _close(self, opened: _OpenWindow) -> None:
        window = opened.window
        warnings = self._thumbnails.write(window)
        rows = self._rows.of_window(window, opened.failures, warnings)
        write_rows(self._place, part_path(self._generation, window.number), rows)
        self._workspace.flush()
        shards = (*self._commit.shards, *(opened.entries[name] for name, _ in window.shards))
        self._on_commit(shards)
        self._commit = WindowCommit(state=window.after, shards=shards)
        self._workspace.save(self._commit)
        self._drop_parcels(window)

    def _drop_parcels(self, window: ShardWindow) -> None:
        """Remove the parcels of which every page is in a shard."""
        waiting = {page.doc_sha256 for pages in window.after.carry.values() for page in pages}
        finished = {page.doc_sha256 for _, pages in window.shards for page in pages}
        for position in range(window.first, window.last):
            if position in self._parcels:
                finished.add(self._parcels.pop(position))
        for sha256 in finished - waiting:
            self._place.remove(parcel_name(sha256))


def _name(source: Source) -> str:
    return f"{source.uri} {source.member}".strip()
