"""Splits, order and shards: pure functions of content, so that any run makes the same tars.

Documents come in a seeded order of their names. A *window* is a run of documents whose kept
pages reach a number of bytes; the pages of a window are spread so that a document's pages lie
evenly apart, then cut into shards close to the target size. What is left of a window, less
than a shard a split, moves to the next.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ConfigError
from ..key import keyed_hash, keyed_unit, page_key
from ..store.shard import TRAILER_BYTES

SPLITS = ("train", "val", "test")
_LOOKAHEAD = 32


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """Which documents are held out. The choice depends on a document's bytes alone."""

    val: float = 0.0
    "Share of documents in the validation split."
    test: float = 0.0
    "Share of documents in the test split."

    def __post_init__(self) -> None:
        if min(self.val, self.test) < 0 or self.val + self.test >= 1:
            raise ConfigError(
                f"split.val + split.test is {self.val + self.test}; both are shares, "
                "and some documents must be left for training"
            )


@dataclass(frozen=True, kw_only=True)
class ShardConfig:
    """How pages are laid into shards."""

    bytes: int = 256_000_000
    "Target size of a shard, bytes; all but the last of a split are within 5%."
    window: int = 8
    "Documents are interleaved over about this many shards; their pages wait on disk meanwhile."
    seed: int = 0
    "Seed of the order of documents and pages."

    def __post_init__(self) -> None:
        if self.bytes < 100_000:
            raise ConfigError(f"shard.bytes is {self.bytes}; a page alone may need 100000")
        if self.window < 1:
            raise ConfigError(f"shard.window is {self.window}; it is at least 1")


@dataclass(frozen=True, slots=True)
class ShardCandidate:
    """A page that goes into a shard: where it lies, and how large its sample is in a tar."""

    document: int
    """Position of its document in the run's order."""
    doc_sha256: str
    page_index: int
    tar_bytes: int

    @property
    def key(self) -> str:
        return page_key(self.doc_sha256, self.page_index)


def document_order(name: str, member: str, seed: int) -> int:
    """The sort key of a document: seeded, the same wherever the dump lies."""
    return keyed_hash("document", seed, name, member)


def split_of(doc_sha256: str, config: SplitConfig) -> str:
    """`train`, `val` or `test`; a document never changes its split when others are added."""
    draw = keyed_unit("split", doc_sha256)
    if draw < config.val:
        return "val"
    return "test" if draw < config.val + config.test else "train"


def interleave(pages: Sequence[ShardCandidate], seed: int) -> list[ShardCandidate]:
    """The pages of a window, those of one document as far apart as its page count allows.

    A document with n pages puts one into each nth of the window, evenly spaced from a seeded
    start, in a seeded order.
    """
    of_document: dict[str, list[ShardCandidate]] = {}
    for page in pages:
        of_document.setdefault(page.doc_sha256, []).append(page)
    placed: list[tuple[float, int, ShardCandidate]] = []
    for doc_sha256, siblings in of_document.items():
        siblings.sort(key=lambda page: keyed_hash("page", seed, page.key))
        start = keyed_unit("start", seed, doc_sha256)
        for rank, page in enumerate(siblings):
            tie = keyed_hash("tie", seed, page.key)
            placed.append(((rank + start) / len(siblings), tie, page))
    placed.sort(key=lambda entry: entry[:2])
    return [page for _, _, page in placed]


def cut(
    pages: Sequence[ShardCandidate], target_bytes: int, *, last: bool
) -> tuple[list[list[ShardCandidate]], list[ShardCandidate]]:
    """Shards of about `target_bytes`, in order, and the pages that are left.

    A shard is filled in order and closed with whichever of the next 32 pages brings it nearest
    to the target, or without one where that is nearer.

    Args:
        pages: one split's pages in interleaved order.
        target_bytes: wanted size of a tar.
        last: make a shard of what is left, too.
    """
    shards: list[list[ShardCandidate]] = []
    left = list(pages)
    while left:
        shard, rest = _fill(left, target_bytes - TRAILER_BYTES)
        if not rest and not last:
            break
        shards.append(shard)
        left = rest
    return shards, left


def _fill(
    pages: list[ShardCandidate], room: int
) -> tuple[list[ShardCandidate], list[ShardCandidate]]:
    """One shard's pages and the rest, both in order."""
    total = 0
    for index, page in enumerate(pages):
        if total + page.tar_bytes > room:
            return _top_up(pages, index, room - total)
        total += page.tar_bytes
    return pages, []


def _top_up(
    pages: list[ShardCandidate], index: int, gap: int
) -> tuple[list[ShardCandidate], list[ShardCandidate]]:
    """Close a shard of the first `index` pages with the page that leaves it nearest to full."""
    ahead = range(index, min(index + _LOOKAHEAD, len(pages)))
    best = min(ahead, key=lambda i: (abs(gap - pages[i].tar_bytes), i))
    if index and abs(gap - pages[best].tar_bytes) >= gap:
        return pages[:index], pages[index:]
    return [*pages[:index], pages[best]], [*pages[index:best], *pages[best + 1 :]]


def smallest(keys: Sequence[str], count: int, seed: int) -> list[str]:
    """A seeded sample of keys that does not depend on their order."""
    return heapq.nsmallest(count, keys, key=lambda key: keyed_hash("sample", seed, key))
