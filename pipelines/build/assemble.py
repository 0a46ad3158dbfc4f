"""Documents in order become windows, windows become shards: pure bookkeeping, no I/O.

The state after a window is small and is all that a restart needs; see `State`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...engine.curate.select import (
    SPLITS,
    ShardCandidate,
    ShardConfig,
    SplitConfig,
    cut,
    interleave,
    split_of,
)

MOST_ROWS = 50_000
"""A window ends here even if few of its pages are kept, so that its rows fit in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where assembly stands after a window."""

    position: int = 0
    """The next document in the run's order."""
    window: int = 0
    """Windows closed so far."""
    shards: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    """Next shard number of each split."""
    carry: dict[str, tuple[ShardCandidate, ...]] = field(
        default_factory=lambda: dict.fromkeys(SPLITS, ())
    )
    """Pages of closed windows that wait for more to fill a shard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardWindow:
    """A run of documents and the shards that it fills."""

    number: int
    first: int
    """Position of its first document."""
    last: int
    """One past the position of its last document."""
    shards: tuple[tuple[str, tuple[ShardCandidate, ...]], ...]
    """Name and pages of each shard to write."""
    after: State


class Assembly:
    """Takes documents in order and hands out windows as they fill."""

    def __init__(
        self, state: State, shard: ShardConfig, split: SplitConfig, most_rows: int = MOST_ROWS
    ) -> None:
        self._state = state
        self._shard = shard
        self._split = split
        self._most_rows = most_rows
        self._position = state.position
        self._pages: dict[str, list[ShardCandidate]] = {name: [] for name in SPLITS}
        self._bytes = self._rows = 0

    @property
    def position(self) -> int:
        """The next document wanted."""
        return self._position

    @property
    def window(self) -> int:
        """The number of the window that the next document goes into."""
        return self._state.window

    def add(self, doc_sha256: str, pages: list[ShardCandidate], rows: int) -> ShardWindow | None:
        """Take the next document; returns the window that it fills, if it does.

        Args:
            doc_sha256: of the document; empty when it could not be fetched.
            pages: those that are kept.
            rows: how many rows the ledger will have of it.
        """
        if pages:
            self._pages[split_of(doc_sha256, self._split)] += pages
        self._bytes += sum(page.tar_bytes for page in pages)
        self._rows += rows
        self._position += 1
        if self._bytes >= self._shard.window * self._shard.bytes or self._rows >= self._most_rows:
            return self._close(last=False)
        return None

    def finish(self) -> ShardWindow | None:
        """The last window, with all that is left; None when nothing is."""
        pending = any(self._pages.values()) or any(self._state.carry.values())
        if self._position == self._state.position and not pending:
            return None
        return self._close(last=True)

    def _close(self, *, last: bool) -> ShardWindow:
        before = self._state
        numbers = dict(before.shards)
        carry: dict[str, tuple[ShardCandidate, ...]] = {}
        named: list[tuple[str, tuple[ShardCandidate, ...]]] = []
        for split in SPLITS:
            pages = interleave([*before.carry[split], *self._pages[split]], self._shard.seed)
            shards, left = cut(pages, self._shard.bytes, last=last)
            carry[split] = tuple(left)
            for shard in shards:
                named.append((f"{split}-{numbers[split]:06d}", tuple(shard)))
                numbers[split] += 1
        self._state = State(
            position=self._position, window=before.window + 1, shards=numbers, carry=carry
        )
        self._pages = {name: [] for name in SPLITS}
        self._bytes = self._rows = 0
        return ShardWindow(
            number=before.window,
            first=before.position,
            last=self._position,
            shards=tuple(named),
            after=self._state,
        )
