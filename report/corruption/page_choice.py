"""Which pages of a corpus are shown: one by its key, or some with text in a keyed order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ...engine.errors import ConfigError
from ...engine.key import keyed_hash
from ...engine.page import Page, VerdictName
from ...engine.store.corpus import CorpusInfo, ShardEntry
from ...engine.store.index import IndexRow, read_index
from ...engine.store.place import Place
from ...engine.store.samples import read_image, read_sample

_SHARDS = 8
"""Shards whose pages are drawn from: a large corpus is not read as a whole."""
_WORDS = (120, 900)
_CHARS_A_LINE = 38
"""Mean from which lines are running text."""
_WIDEST_PX = 2600
_LONGEST_EDGE = 1.7
"""Height over width and width over height, above which a page is a strip or a poster."""


@dataclass(frozen=True, slots=True)
class ChosenPage:
    """A page of the corpus with its pixels."""

    page: Page
    image: np.ndarray
    """uint8 `[height, width]` or `[height, width, 3]`."""
    name: str
    """Of its document, as the corpus has it; may be empty."""


def choose_page(place: Place, key: str) -> ChosenPage:
    """The page of a key.

    Raises:
        ConfigError: the corpus has no page of this key, or the page has no words.
        ShardError: the shard is damaged.
    """
    for entry in CorpusInfo.load(place).shards:
        for row in read_index(place, entry.index):
            if row.key == key:
                if not row.words:
                    raise ConfigError(f"page {key} has no words: there is nothing to corrupt on it")
                return _read(place, entry, row)
    raise ConfigError(
        f"{place.uri} has no page {key!r}: `pagemill explain {place.uri} --status written` lists "
        "the keys of its pages"
    )


def choose_pages(place: Place, seed: int) -> Iterator[ChosenPage]:
    """Pages with words in a keyed order: those with running text first, documents by turns.

    Raises:
        ConfigError: no page of the corpus has words.
        ShardError: a shard is damaged.
    """
    shards = sorted(
        CorpusInfo.load(place).shards, key=lambda entry: keyed_hash("preview", seed, entry.name)
    )
    candidates: list[tuple[ShardEntry, IndexRow]] = []
    for number, entry in enumerate(shards):
        if number >= _SHARDS and candidates:
            break
        candidates += [(entry, row) for row in read_index(place, entry.index) if row.words]
    if not candidates:
        raise ConfigError(
            f"no page of {place.uri} has words, so there is nothing to corrupt: "
            "`pagemill stats` says what became of its pages"
        )
    candidates.sort(key=lambda pair: keyed_hash("preview", seed, pair[1].key))
    turns: Counter[str] = Counter()
    order = []
    for entry, row in candidates:
        order.append((not _usual(row), turns[row.doc_sha256], entry, row))
        turns[row.doc_sha256] += 1
    for _, _, entry, row in sorted(order, key=lambda place: place[:2]):
        yield _read(place, entry, row)


def _usual(row: IndexRow) -> bool:
    """Whether a page has running text, and the shape of a page."""
    shape = max(row.height / row.width, row.width / row.height)
    return (
        _WORDS[0] <= row.words <= _WORDS[1]
        and row.chars >= _CHARS_A_LINE * row.lines
        and row.verdict == VerdictName.TRUSTED
        and row.width <= _WIDEST_PX
        and shape <= _LONGEST_EDGE
    )


def _read(place: Place, entry: ShardEntry, row: IndexRow) -> ChosenPage:
    stored = read_sample(place, entry, row)
    return ChosenPage(stored.page, read_image(place, entry, row), _file_name(stored.source))


def _file_name(source: Mapping[str, object]) -> str:
    """The end of where a document came from: its file name, inside an archive or not."""
    return str(source.get("member") or source.get("uri") or "").rstrip("/").rpartition("/")[2]
