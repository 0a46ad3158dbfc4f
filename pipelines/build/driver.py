"""One run over documents in order: read them on the pool, close windows, write, commit.

Everything here can be killed at any moment. Parcels, shards and ledger parts are written
atomically and named by content or number; `commit.json` moves last. A restart finds what is
done in the journal and the parcels, and computes the same windows again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from ...engine.curate.select import ShardCandidate
from ...engine.errors import PagemillError
from ...engine.reason import Reason
from ...engine.store.corpus import ShardEntry
from ...engine.store.ledger import LedgerRow, part_path, write_rows
from ...engine.store.parcel import ParcelMeta, read_meta
from ...engine.store.place import Place
from ...engine.store.shard import ShardSummary
from ..pool import ActorPool, JobResult
from .assemble import Assembly, ShardWindow, State
from .config import BuildConfig
from .job import (
    DocumentJob,
    DocumentSummary,
    DocumentTask,
    Original,
    ShardJob,
    ShardPage,
    parcel_name,
    shard_candidates,
)
from .ledger_rows import document_row, duplicate_row, page_rows, refused_row, written_row
from .snapshot import BuildSnapshot
from .tally import Tally
from .thumbs import write_thumbs
from .worker import source_tail
from .workspace import JournalEntry, WindowCommit, Workspace

WorkerJob = DocumentJob | ShardJob
_FLUSH_S = 1.0
_WAIT_S = 0.5
_BACKLOG_A_WORKER = 4


@dataclass(slots=True)
class _Open:
    """A window whose shards are being written."""

    window: ShardWindow
    missing: set[str]
    done: dict[str, ShardEntry] = field(default_factory=dict)


class BuildRun:
    """Owns one run: what is read, what is assembled, what is committed.

    Args:
        place: the corpus.
        config: of the build.
        generation: number of this run in the corpus.
        tasks: all documents, in order.
        first: the assembly's state where nothing of this run is done yet.
        originals: content that earlier generations have → where it came from, what became of it.
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
        self._original_of: dict[int, Original] = {}
        self._open: deque[_Open] = deque()
        self._next = self._commit.state.position
        self._tally = Tally(place, tasks[self._next :])
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

    def execute(self, pool: ActorPool[WorkerJob], show: Callable[[BuildSnapshot], None]) -> None:
        """Do all of it; returns when the last window is committed."""
        self._recover()
        flushed = time.monotonic()
        try:
            while True:
                all_assembled = self._advance(pool)
                if all_assembled and not self._open:
                    break
                self._feed(pool)
                for done in pool.wait(_WAIT_S):
                    self._take(done)
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
                    self._originals.setdefault(entry.sha256, Original(source.uri, _summary(entry)))
            elif source.refusal:
                summary = DocumentSummary(sha256="", reason=source.refusal, message=source.message)
                self._learn(position, summary)
            elif entry is not None and self._is_done(entry):
                self._learn(position, DocumentSummary.from_parcel(self._meta(entry.sha256)))

    def _is_done(self, entry: JournalEntry) -> bool:
        if entry.reason == Reason.ENCRYPTED and self._passwords:
            return False
        return bool(entry.sha256) and self._place.exists(parcel_name(entry.sha256))

    # -- reading

    def _feed(self, pool: ActorPool[WorkerJob]) -> None:
        """Keep the workers supplied, a little ahead of what they do."""
        while self._next < len(self._tasks) and pool.backlog < _BACKLOG_A_WORKER * pool.size:
            position, self._next = self._next, self._next + 1
            if position in self._summaries:
                continue
            task = self._tasks[position]
            passwords = tuple(
                password
                for pattern, password in self._passwords
                if fnmatchcase(task.source.member or task.source.name, pattern)
            )
            job = DocumentJob(position, task.source, task.pages, task.sha256, passwords)
            pool.submit("read", job)

    def _take(self, done: JobResult[WorkerJob]) -> None:
        """Note what a worker has done."""
        if isinstance(done.item, ShardJob):
            self._take_shard(done.item, done.result, lost=done.lost)
            return
        position = done.item.position
        if done.lost:
            message = "three workers in a row were lost while they read it"
            summary = DocumentSummary(sha256="", reason=Reason.WORKER_LOST, message=message)
        else:
            summary = done.result
            self.pages_read += summary.rows
        source = self._tasks[position].source
        if summary.sha256:
            entry = JournalEntry(
                source.uri,
                source.member,
                source.version,
                summary.sha256,
                summary.size,
                summary.page_count,
                summary.reason,
                summary.message,
            )
            self._workspace.note(entry)
        self._learn(position, summary)

    def _learn(self, position: int, summary: DocumentSummary) -> None:
        self._summaries[position] = summary
        self._tally.add(self._tasks[position].source, summary)

    # -- assembling

    def _advance(self, pool: ActorPool[WorkerJob]) -> bool:
        """Hand documents to the assembly as far as they are read in order; True at the end."""
        while (position := self._assembly.position) in self._summaries:
            summary = self._summaries[position]
            pages = self._kept(position, summary)
            window = self._assembly.add(summary.sha256, pages, 1 + summary.rows)
            if window is not None:
                self._start(window, pool)
        if self._assembly.position < len(self._tasks):
            return False
        window = self._assembly.finish()
        if window is not None:
            self._start(window, pool)
        return True

    def _kept(self, position: int, summary: DocumentSummary) -> list[ShardCandidate]:
        """The document's pages for shards; none when another document has the same bytes."""
        if not summary.sha256:
            return []
        original = self._originals.get(summary.sha256)
        source = self._tasks[position].source
        if original is not None:
            self._original_of[position] = original
            self._tally.duplicate(summary)
            return []
        self._originals[summary.sha256] = Original(source.uri, replace(summary, kept=()))
        page = ShardPage(summary.sha256, 0, source.name, source.member)
        tail = len(source_tail(page, self._config.licence)) - 1
        return shard_candidates(position, summary, tail)

    def _start(self, window: ShardWindow, pool: ActorPool[WorkerJob]) -> None:
        """Put a window's shards before all documents that wait."""
        self._open.append(_Open(window, {name for name, _ in window.shards}))
        for name, pages in reversed(window.shards):
            listed = tuple(self._shard_page(page) for page in pages)
            pool.submit("write", ShardJob(name, listed), first=True)

    def _shard_page(self, page: ShardCandidate) -> ShardPage:
        source = self._tasks[page.document].source
        return ShardPage(page.doc_sha256, page.page_index, source.name, source.member)

    def _take_shard(self, job: ShardJob, summary: ShardSummary, *, lost: bool) -> None:
        if lost:
            raise PagemillError(
                f"three workers in a row were lost while they wrote {job.name}; the machines "
                "are short of memory or disk. Run the same command again to go on."
            )
        window = next(one for one in self._open if job.name in one.missing)
        window.missing.remove(job.name)
        window.done[job.name] = ShardEntry(
            name=job.name,
            bytes=summary.bytes,
            samples=len(job.pages),
            sha256=summary.sha256,
        )
        self._tally.shards += 1

    def _open_shards(self) -> int:
        return sum(len(one.missing) for one in self._open)

    # -- committing

    def _commit_ready(self) -> None:
        """Commit windows in order as their shards are complete."""
        while self._open and not self._open[0].missing:
            one = self._open.popleft()
            self._close(one)

    def _close(self, one: _Open) -> None:
        window = one.window
        metas: dict[str, ParcelMeta] = {}
        rows = list(self._rows(window, metas))
        write_rows(self._place, part_path(self._generation, window.number), rows)
        write_thumbs(self._place, self._generation, window.number, metas, self._config.shard.seed)
        self._workspace.flush()
        shards = (*self._commit.shards, *(one.done[name] for name, _ in window.shards))
        self._on_commit(shards)
        self._commit = WindowCommit(state=window.after, shards=shards)
        self._workspace.save(self._commit)
        self._drop_parcels(window)

    def _rows(self, window: ShardWindow, metas: dict[str, ParcelMeta]) -> Iterator[LedgerRow]:
        """The ledger's rows for a window: its documents, and the pages of its shards."""
        config_hash = self._config.hash
        for position in range(window.first, window.last):
            task, summary = self._tasks[position], self._summaries[position]
            original = self._original_of.get(position)
            if not summary.sha256:
                yield refused_row(task.source, summary.reason, summary.message, config_hash)
            elif original is not None:
                yield duplicate_row(task.source, summary, original, config_hash)
            else:
                meta = self._meta_once(summary.sha256, metas)
                yield document_row(task, meta, config_hash)
                yield from page_rows(task, meta, config_hash)
        for name, pages in window.shards:
            for page in pages:
                meta = self._meta_once(page.doc_sha256, metas)
                entry = meta.page(page.page_index)
                yield written_row(self._tasks[page.document], meta, entry, config_hash, name)

    def _drop_parcels(self, window: ShardWindow) -> None:
        """Remove the parcels of which every page is in a shard."""
        waiting = {page.doc_sha256 for pages in window.after.carry.values() for page in pages}
        before = {page.doc_sha256 for _, pages in window.shards for page in pages}
        for position in range(window.first, window.last):
            summary = self._summaries.pop(position)
            if summary.sha256 and position not in self._original_of:
                before.add(summary.sha256)
        for sha256 in before - waiting:
            self._place.remove(parcel_name(sha256))

    def _meta(self, doc_sha256: str) -> ParcelMeta:
        return read_meta(self._place, parcel_name(doc_sha256))

    def _meta_once(self, doc_sha256: str, metas: dict[str, ParcelMeta]) -> ParcelMeta:
        if doc_sha256 not in metas:
            metas[doc_sha256] = self._meta(doc_sha256)
        return metas[doc_sha256]


def _summary(entry: JournalEntry) -> DocumentSummary:
    return DocumentSummary(
        sha256=entry.sha256,
        size=entry.size,
        page_count=entry.page_count,
        reason=entry.reason,
        message=entry.message,
    )
