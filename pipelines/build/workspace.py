"""What a running build keeps in `.work`: the plan, a journal of documents, the last window.

plan.json      what this run is to do; another run is refused while it lies there
journal/*.json which document has which content, in segments, each written atomically
commit.json    the assembly's state after the last finished window
parcels/       one file per document that was read and is not yet in shards for good
lock           held while a build runs, on local disks
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

import orjson

from ...engine.curate.select import ShardCandidate
from ...engine.errors import ConfigError
from ...engine.files import try_lock
from ...engine.source.listing import Source
from ...engine.store.corpus import ShardEntry
from ...engine.store.place import Place
from .assemble import State
from .job import WORK, DocumentSummary

PLAN = f"{WORK}/plan.json"
COMMIT = f"{WORK}/commit.json"
JOURNAL = f"{WORK}/journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What a run does, so that only the same run goes on with it."""

    kind: str
    """`build` or `retry`."""
    generation: int
    inputs: tuple[str, ...]
    documents: int
    digest: str
    """Of the names and members of all documents."""
    config_hash: str
    shards: dict[str, int]
    """Shards of each split that were there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCommit:
    """What is finished: the assembly's state and the shards that were written."""

    state: State
    shards: tuple[ShardEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A document that was read: where it came from, what it contains, why it does not open."""

    uri: str
    member: str
    version: str
    sha256: str
    size: int = 0
    page_count: int = 0
    reason: str = ""
    message: str = ""

    @property
    def origin(self) -> tuple[str, str]:
        return (self.uri, self.member)

    @property
    def summary(self) -> DocumentSummary:
        """The document without its pages, as duplicates of it are judged by it."""
        return DocumentSummary(
            sha256=self.sha256,
            size=self.size,
            page_count=self.page_count,
            reason=self.reason,
            message=self.message,
        )

    @classmethod
    def of(cls, source: Source, summary: DocumentSummary) -> JournalEntry:
        """The entry of a document that was read."""
        return cls(
            source.uri,
            source.member,
            source.version,
            summary.sha256,
            summary.size,
            summary.page_count,
            summary.reason,
            summary.message,
        )


def digest_of(sources: Sequence[Source]) -> str:
    """A hash of which documents a run has, wherever they lie and in whatever order."""
    digest = hashlib.blake2b(digest_size=16)
    for source in sources:
        digest.update(orjson.dumps([source.name, source.member]) + b"\n")
    return digest.hexdigest()


class Workspace:
    """Reads and writes the files of `.work`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._segment = 0
        self._pending: list[bytes] = []
        """Journal entries as JSON, so that one that cannot be written fails alone."""

    def plan(self) -> RunPlan | None:
        """The plan of an unfinished run, if there is one."""
        if not self._place.exists(PLAN):
            return None
        tree = orjson.loads(self._place.read_bytes(PLAN))
        return RunPlan(**{**tree, "inputs": tuple(tree["inputs"])})

    def begin(self, plan: RunPlan) -> None:
        """Record what is about to be done."""
        self._place.write_bytes(PLAN, orjson.dumps(asdict(plan), option=orjson.OPT_INDENT_2))

    def journal(self) -> dict[tuple[str, str], JournalEntry]:
        """The documents that were read, by origin; later entries win."""
        entries: dict[tuple[str, str], JournalEntry] = {}
        for name in self._place.list(JOURNAL):
            for values in orjson.loads(self._place.read_bytes(f"{JOURNAL}/{name}")):
                entry = JournalEntry(*values)
                entries[entry.origin] = entry
            self._segment = max(self._segment, int(name.removesuffix(".json")) + 1)
        return entries

    def note(self, entry: JournalEntry) -> None:
        """Remember a document; written with the next `flush`."""
        self._pending.append(orjson.dumps(list(astuple(entry))))

    def flush(self) -> None:
        """Write what was noted since the last flush as one segment."""
        if not self._pending:
            return
        segment = b"[" + b",".join(self._pending) + b"]"
        self._place.write_bytes(f"{JOURNAL}/{self._segment:08d}.json", segment)
        self._segment += 1
        self._pending.clear()

    def commit(self) -> WindowCommit | None:
        """The last finished window, if there is one."""
        if not self._place.exists(COMMIT):
            return None
        tree = orjson.loads(self._place.read_bytes(COMMIT))
        carry = {
            split: tuple(ShardCandidate(**page) for page in pages)
            for split, pages in tree["state"]["carry"].items()
        }
        state = State(**{**tree["state"], "carry": carry})
        return WindowCommit(
            state=state, shards=tuple(ShardEntry(**entry) for entry in tree["shards"])
        )

    def save(self, commit: WindowCommit) -> None:
        """Record a finished window: from here a restart goes on."""
        tree: dict[str, Any] = asdict(commit)
        self._place.write_bytes(COMMIT, orjson.dumps(tree))

    def clear(self) -> None:
        """Remove all of it; the run is finished."""
        self._place.remove_tree(WORK)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other builds out of the same folder; no effect on object stores.

        Raises:
            ConfigError: another build is running there.
        """
        path = self._place.local_path(f"{WORK}.lock")
        if path is None:
            yield
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with try_lock(path) as held:
            if not held:
                raise ConfigError(
                    f"another pagemill is at work in {self._place.uri}; wait for it or stop it"
                )
            yield
            path.unlink(missing_ok=True)
