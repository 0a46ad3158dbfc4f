"""What driver and workers hand each other, and what a document's parcel says of it.

A document becomes one parcel, named by its content; its meta is a `ParcelMeta` as JSON. Shards
are put together from parcels, so a parcel is also the unit that survives a restart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...engine.curate.select import ShardCandidate
from ...engine.source.listing import Source
from ...engine.store.shard import member_bytes

WORK = ".work"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTask:
    """One document of a run."""

    source: Source
    pages: tuple[int, ...] | None = None
    """Only these pages; None for all."""
    sha256: str = ""
    """What its content must be; empty for any."""
    attempts: Mapping[int, int] = field(default_factory=dict)
    """Attempts that its pages had before, by page index."""
    document_attempts: int = 0
    written_before: bool = False
    """Pages of it are in earlier shards."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry:
    """One page in a parcel: its fate, and where its bytes lie when it is kept."""

    page_index: int
    kept: bool = False
    failed: bool = False
    stage: str = ""
    reason: str = ""
    message: str = ""
    attempts: int = 1
    engine: str = ""
    warnings: str = ""
    offset: int = 0
    """Of the image; the JSON follows it."""
    image_bytes: int = 0
    json_bytes: int = 0
    thumbnail_bytes: int = 0
    """Of the thumbnail at `offset`, for pages that are filtered out."""
    word_share_bytes: int = 0
    """Of the word boxes behind the thumbnail."""
    facts: dict[str, Any] = field(default_factory=dict)
    timing: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelMeta:
    """A document and the fate of its pages."""

    sha256: str
    size: int
    page_count: int = 0
    engine: str = ""
    repaired: bool = False
    ms_open: float = 0.0
    reason: str = ""
    """Why it could not be opened; empty when it could."""
    message: str = ""
    pages: tuple[PageEntry, ...] = ()

    def page(self, page_index: int) -> PageEntry:
        """The entry of a page; they lie in the order of the document.

        Raises:
            KeyError: the page was not read.
        """
        at = bisect_left(self.pages, page_index, key=lambda page: page.page_index)
        if at == len(self.pages) or self.pages[at].page_index != page_index:
            raise KeyError(page_index)
        return self.pages[at]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSummary:
    """What the driver keeps in memory of a document that has been read."""

    sha256: str
    """Empty when the document could not even be fetched."""
    size: int = 0
    page_count: int = 0
    reason: str = ""
    message: str = ""
    kept: tuple[tuple[int, int, int], ...] = ()
    """(page index, image bytes, JSON bytes) of each kept page."""
    rejected: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    worker_bytes: int = 0
    """Most memory the reader process had."""

    @property
    def rows(self) -> int:
        """How many of its pages have a fate."""
        return len(self.kept) + sum(self.rejected.values()) + self.failed


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A document that came first with the same bytes."""

    uri: str
    brief: DocumentSummary


@dataclass(frozen=True, slots=True)
class ShardPage:
    """One sample of a shard to be written: a page, and the place its document came from."""

    doc_sha256: str
    page_index: int
    name: str
    member: str


@dataclass(frozen=True, slots=True)
class ShardJob:
    """Write one shard and its index."""

    name: str
    """`train-000000`."""
    pages: tuple[ShardPage, ...]


def parcel_name(doc_sha256: str) -> str:
    """Where a document's parcel lies in the corpus while it is built."""
    return f"{WORK}/parcels/{doc_sha256}.parcel"


def meta_from_dict(data: dict[str, Any]) -> ParcelMeta:
    """The meta that a parcel's JSON describes."""
    pages = tuple(PageEntry(**entry) for entry in data["pages"])
    return ParcelMeta(**{**data, "pages": pages})


def summary_of(meta: ParcelMeta) -> DocumentSummary:
    """What the driver needs of a parcel."""
    rejected: dict[str, int] = {}
    for page in meta.pages:
        if not page.kept and not page.failed:
            rejected[page.reason] = rejected.get(page.reason, 0) + 1
    return DocumentSummary(
        sha256=meta.sha256,
        size=meta.size,
        page_count=meta.page_count,
        reason=meta.reason,
        message=meta.message,
        kept=tuple((p.page_index, p.image_bytes, p.json_bytes) for p in meta.pages if p.kept),
        rejected=rejected,
        failed=sum(page.failed for page in meta.pages),
    )


def kept_pages(position: int, brief: DocumentSummary, tail_bytes: int) -> list[ShardCandidate]:
    """A document's kept pages with the bytes that each will take in a tar.

    Args:
        position: of the document in the run's order.
        brief: of the document.
        tail_bytes: length of the source record that the shard writer adds to the JSON.
    """
    return [
        ShardCandidate(
            position, brief.sha256, index, member_bytes(image) + member_bytes(json + tail_bytes)
        )
        for index, image, json in brief.kept
    ]
