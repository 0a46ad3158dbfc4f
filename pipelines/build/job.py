"""What driver and workers hand each other.

A document becomes one parcel, named by its content. Shards are put together from parcels, so a
parcel is also the unit that survives a restart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ...engine.curate.select import ShardCandidate
from ...engine.failure import failure_text
from ...engine.key import page_key
from ...engine.reason import Reason
from ...engine.source.listing import Source
from ...engine.store.ledger import Fate, LedgerRow
from ...engine.store.parcel import ParcelMeta
from ...engine.store.shard import member_bytes

WORK = ".work"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTask:
    """One document of a run."""

    source: Source
    pages: tuple[int, ...] | None = None
    """Only these pages; None for all."""
    attempts: Mapping[int, int] = field(default_factory=dict)
    """Attempts that its pages had before, by page index."""
    earlier: LedgerRow | None = None
    """Its row of an earlier generation, when it is read again."""

    @property
    def sha256(self) -> str:
        """What its content must be; empty for any."""
        return self.earlier.doc_sha256 if self.earlier is not None else ""

    @property
    def document_attempts(self) -> int:
        """How often it was read before."""
        return self.earlier.attempts if self.earlier is not None else 0

    @property
    def written_before(self) -> bool:
        """Pages of it are in earlier shards."""
        return self.earlier is not None and self.earlier.status == Fate.WRITTEN


@dataclass(frozen=True, slots=True)
class DocumentJob:
    """Read one document into a parcel."""

    position: int
    """In the order of the run."""
    source: Source
    pages: tuple[int, ...] | None = None
    """Only these pages; None for all."""
    sha256: str = ""
    """What its content must be; empty for any."""
    passwords: tuple[str, ...] = ()


class KeptPage(NamedTuple):
    """A page that goes into a shard, and the bytes it has in its parcel."""

    page_index: int
    image_bytes: int
    json_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSummary:
    """What the driver keeps in memory of a document that has been read."""

    sha256: str
    """Empty when there is no parcel: it could not be fetched, or an error came between."""
    size: int = 0
    page_count: int = 0
    reason: str = ""
    message: str = ""
    kept: tuple[KeptPage, ...] = ()
    rejected: dict[str, int] = field(default_factory=dict)
    """Pages that were filtered out, by reason."""
    failed: int = 0
    stage: str = "fetch"
    """Where a document without a sha256 failed."""
    worker_bytes: int = 0
    """Most memory the reader process had."""

    @property
    def rows(self) -> int:
        """How many of its pages have a fate."""
        return len(self.kept) + sum(self.rejected.values()) + self.failed

    @classmethod
    def from_parcel(cls, meta: ParcelMeta, worker_bytes: int = 0) -> DocumentSummary:
        """What the driver needs of a parcel."""
        rejected = Counter(page.reason for page in meta.pages if not (page.kept or page.failed))
        return cls(
            sha256=meta.sha256,
            size=meta.size,
            page_count=meta.page_count,
            reason=meta.reason,
            message=meta.message,
            kept=tuple(
                KeptPage(page.page_index, page.image_bytes, page.json_bytes)
                for page in meta.pages
                if page.kept
            ),
            rejected=dict(rejected),
            failed=sum(page.failed for page in meta.pages),
            worker_bytes=worker_bytes,
        )

    @classmethod
    def of_error(cls, err: Exception, stage: str) -> DocumentSummary:
        """The fate of a document in which something went wrong that nobody foresaw."""
        message = failure_text(err)
        return cls(sha256="", reason=Reason.INTERNAL_ERROR, message=message, stage=stage)


@dataclass(frozen=True, slots=True)
class Original:
    """The document that came first with some bytes; later ones are its duplicates."""

    uri: str
    summary: DocumentSummary


@dataclass(frozen=True, slots=True)
class ShardPage:
    """One sample of a shard to be written: a page, and the place its document came from."""

    doc_sha256: str
    page_index: int
    name: str
    member: str

    @property
    def key(self) -> str:
        return page_key(self.doc_sha256, self.page_index)


@dataclass(frozen=True, slots=True)
class ShardJob:
    """Write one shard and its index."""

    name: str
    """`train-000000`."""
    pages: tuple[ShardPage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardResult:
    """What became of a shard."""

    sha256: str
    bytes: int
    failures: Mapping[str, str] = field(default_factory=dict)
    """Pages that could not be written and are in neither shard nor index: key → what happened."""


def parcel_name(doc_sha256: str) -> str:
    """Where a document's parcel lies in the corpus while it is built."""
    return f"{WORK}/parcels/{doc_sha256}.parcel"


def shard_candidates(
    position: int, summary: DocumentSummary, tail_bytes: int
) -> list[ShardCandidate]:
    """A document's kept pages with the bytes that each will take in a tar.

    Args:
        position: of the document in the run's order.
        summary: of the document.
        tail_bytes: length of the source record that the shard writer adds to the JSON.
    """
    return [
        ShardCandidate(
            position,
            summary.sha256,
            page.page_index,
            member_bytes(page.image_bytes) + member_bytes(page.json_bytes + tail_bytes),
        )
        for page in summary.kept
    ]
