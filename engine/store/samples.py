"""A corpus as a sequence of pages: by number, by key, one after another; pixels when asked for.

    corpus = open_corpus("corpus")        # or s3://bucket/corpus
    page = corpus[0]                      # engine.page.Page
    pixels = corpus.image(page)           # uint8 [height, width] or [height, width, 3]

`read_sample` and `read_image` are the one way from a row of an index to a page; the stream has a
faster one of its own, for millions of rows in arrays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import google_crc32c
import numpy as np
import orjson

from ..errors import ConfigError, DataError, ShardError
from ..image import decode
from ..page import Page, page_from_dict
from .corpus import CorpusInfo, ShardEntry
from .index import IndexRow, read_index, read_index_table
from .place import Place

_INDEXES_KEPT = 8
"""Shards whose index stays in memory: a shard has some thousand rows of a few hundred bytes."""


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page as its shard has it."""

    page: Page
    source: dict[str, Any]
    """Where its document came from: `uri`, `member`, `licence`; empty where it is not known."""


def read_sample(place: Place, shard: ShardEntry, row: IndexRow) -> StoredPage:
    """The page of a row, without its pixels.

    Raises:
        ShardError: its bytes are not those that were written.
    """
    data = _checked(place, shard, row, "json", row.json_offset, row.json_bytes, row.json_crc32c)
    try:
        tree = orjson.loads(data)
        return StoredPage(page_from_dict(tree), tree.get("source") or {})
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as err:
        raise _damaged(place, shard, row, f"its json cannot be read: {err}") from err


def read_image(place: Place, shard: ShardEntry, row: IndexRow) -> np.ndarray:
    """The pixels of a row, uint8 `[height, width]` or `[height, width, 3]`.

    Raises:
        ShardError: as `read_sample`.
    """
    data = _checked(place, shard, row, "image", row.image_offset, row.image_bytes, row.image_crc32c)
    try:
        return decode(data)
    except DataError as err:
        raise _damaged(place, shard, row, str(err)) from err


class Corpus:
    """The pages of a corpus in the order of its shards.

    Args:
        place: where the corpus lies.
        split: only this split; all of them, one after another, when left out.

    Raises:
        ConfigError: there is no corpus, or it has no such split.
        ShardError: `corpus.json` is damaged.
    """

    def __init__(self, place: Place, split: str = "") -> None:
        info = CorpusInfo.load(place)
        if split and split not in info.splits:
            splits = ", ".join(info.splits) or "none yet"
            raise ConfigError(f"{place.uri} has no split {split!r}; there are: {splits}")
        self.place = place
        self.info = info
        self.shards = info.splits[split] if split else info.shards
        self._starts = [0, *accumulate(shard.samples for shard in self.shards)]
        self._indexes: OrderedDict[int, list[IndexRow]] = OrderedDict()
        self._numbers: dict[str, int] | None = None

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, which: int | str) -> Page:
        """The page of a number, negative ones from the end, or of a key.

        Raises:
            IndexError: there is no page of this number.
            KeyError: there is no page of this key.
            ShardError: its shard or index is damaged.
        """
        return self.stored(which).page

    def __iter__(self) -> Iterator[Page]:
        return (self[number] for number in range(len(self)))

    def __contains__(self, key: object) -> bool:
        return key in self._numbers_by_key()

    def keys(self) -> Iterator[str]:
        """The keys of all pages, in their order; reads no page."""
        return iter(self._numbers_by_key())

    def stored(self, which: int | str) -> StoredPage:
        """The page with what its shard says of its document; raises as `corpus[which]`."""
        return read_sample(self.place, *self._find(which))

    def row(self, which: int | str) -> IndexRow:
        """What the index says of a page: sizes, counts, verdict, language; reads no page."""
        return self._find(which)[1]

    def image(self, which: Page | int | str) -> np.ndarray:
        """The pixels of a page, uint8 `[height, width]` or `[height, width, 3]`.

        Raises:
            IndexError, KeyError, ShardError: as `corpus[which]`.
        """
        found = self._find(which.key if isinstance(which, Page) else which)
        return read_image(self.place, *found)

    def _find(self, which: int | str) -> tuple[ShardEntry, IndexRow]:
        if isinstance(which, str):
            numbers = self._numbers_by_key()
            if which not in numbers:
                raise KeyError(f"{self.place.uri} has no page {which!r}")
            which = numbers[which]
        number = which + len(self) if which < 0 else which
        if not 0 <= number < len(self):
            raise IndexError(f"{self.place.uri} has {len(self):,} pages; there is no {which}")
        at = bisect_right(self._starts, number) - 1
        return self.shards[at], self._index(at)[number - self._starts[at]]

    def _index(self, at: int) -> list[IndexRow]:
        if at not in self._indexes:
            shard = self.shards[at]
            rows = read_index(self.place, shard.index)
            self._check_count(shard, len(rows))
            self._indexes[at] = rows
        self._indexes.move_to_end(at)
        if len(self._indexes) > _INDEXES_KEPT:
            self._indexes.popitem(last=False)
        return self._indexes[at]

    def _numbers_by_key(self) -> dict[str, int]:
        if self._numbers is None:
            keys: list[str] = []
            for shard in self.shards:
                column = read_index_table(self.place, shard.index)["key"].to_pylist()
                self._check_count(shard, len(column))
                keys += column
            self._numbers = {key: number for number, key in enumerate(keys)}
        return self._numbers

    def _check_count(self, shard: ShardEntry, count: int) -> None:
        if count != shard.samples:
            raise ShardError(
                f"{shard.index} in {self.place.uri} has {count} samples, corpus.json says "
                f"{shard.samples}: see `pagemill verify`",
                key=shard.name,
            )


def open_corpus(path: str, *, split: str = "") -> Corpus:
    """The pages of a corpus.

    Args:
        path: folder or URI.
        split: only this split; all of them, one after another, when left out.

    Raises:
        ConfigError: there is no corpus, or it has no such split.
        ShardError: `corpus.json` is damaged.
    """
    return Corpus(Place.at(path), split)


def _checked(
    place: Place, shard: ShardEntry, row: IndexRow, what: str, offset: int, size: int, crc32c: int
) -> bytes:
    """The bytes of one member of a sample, as they were written."""
    try:
        data = place.read_range(shard.tar, offset, size)
    except FileNotFoundError as err:
        raise _damaged(place, shard, row, "the shard is not there") from err
    if len(data) != size:
        raise _damaged(place, shard, row, f"its {what} is cut off after {len(data)} bytes")
    if google_crc32c.value(data) != crc32c:
        raise _damaged(place, shard, row, f"its {what} has another checksum than written")
    return data


def _damaged(place: Place, shard: ShardEntry, row: IndexRow, what: str) -> ShardError:
    return ShardError(
        f"{place.uri}/{shard.tar} is damaged at page {row.key}: {what}; `pagemill verify` names "
        "all faults",
        key=row.key,
        reason="broken",
    )
