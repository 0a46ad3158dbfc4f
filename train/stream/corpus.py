"""A corpus as the stream sees it: where every sample lies, in arrays, and how one is read.

The index of a million pages is about 80 MB of arrays. Reads are ranged and checked: a sample whose
bytes are not those that were written is refused, with shard and key.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
import numpy as np
import orjson

from ...engine.errors import ConfigError, DataError, ShardError
from ...engine.failure import message_of, reason_of
from ...engine.image import decode
from ...engine.key import keyed_hash
from ...engine.page import Page, page_from_dict
from ...engine.store.corpus import CorpusInfo, ShardEntry
from ...engine.store.index import read_index_table
from ...engine.store.place import Place
from .shard_cache import ShardCache

log = logging.getLogger(__name__)

HEADER_BYTES, NAME_BYTES = 512, 100
"""Of a tar member: its header, and the name in it."""
COLUMNS = (
    "image_offset", "image_bytes", "image_crc32c", "json_offset", "json_bytes", "json_crc32c",
    "width", "height", "chars",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class PageSource:
    """The samples of a corpus."""

    name: str
    place: Place
    tars: tuple[str, ...]
    """Path of every shard in the corpus."""
    keys: np.ndarray
    """Page key of every sample."""
    documents: np.ndarray
    """A number for each sample's document, int64."""
    shards: np.ndarray
    """Shard number of every sample, int32."""
    columns: dict[str, np.ndarray]
    """`COLUMNS`, int64 each."""
    fingerprint: str
    """Of the shards' content."""
    shard_bytes: tuple[int, ...] = ()
    """Size of every shard by the manifest."""
    cache: ShardCache | None = None
    """Where whole shards are kept; None reads ranges."""
    image_ext: str = "png"
    sizes_checked: set[int] = field(default_factory=set)
    """Shards whose size was looked at."""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def sizes(self) -> np.ndarray:
        """(width, height) of every page in px, int64 [samples, 2]."""
        return np.stack([self.columns["width"], self.columns["height"]], axis=1)

    def place_of(self, row: int) -> str:
        """How messages name the place of a sample."""
        return self.tars[int(self.shards[row])]

    def page(self, row: int) -> Page:
        """The words of a sample.

        Raises:
            ShardError: they are not what was written.
        """
        return page_from_dict(orjson.loads(self.part(row, "json")))

    def image(self, row: int) -> np.ndarray:
        """The pixels of a sample, uint8 [height, width] or [height, width, 3].

        Raises:
            ShardError: they are not what was written.
        """
        return decode(self.part(row, "image"))

    def part(self, row: int, name: str) -> bytes:
        """The bytes of one member.

        Raises:
            ShardError: the shard is missing or cut off, another member stands there, or the bytes
                differ.
        """
        key, shard = str(self.keys[row]), int(self.shards[row])
        tar = self.tars[shard]
        start = int(self.columns[f"{name}_offset"][row]) - HEADER_BYTES
        size = int(self.columns[f"{name}_bytes"][row])
        try:
            whole = self.ranged(shard, start, size + HEADER_BYTES)
        except OSError as err:
            raise ShardError(f"{tar}: {key}: cannot be read: {err}", key=key) from err
        data = whole[HEADER_BYTES:]
        if len(data) != size:
            raise ShardError(f"{tar}: {key}: cut off after {len(data)} of {size} bytes", key=key)
        member = f"{key}.{self.image_ext if name == 'image' else name}"
        name_there = whole[:NAME_BYTES].rstrip(b"\0").decode("ascii", "replace")
        if name_there != member:
            raise ShardError(f"{tar}: {key}: {name_there!r} stands where {member} was", key=key)
        if google_crc32c.value(data) != int(self.columns[f"{name}_crc32c"][row]):
            raise ShardError(f"{tar}: {key}: its {name} has another checksum than written", key=key)
        return data

    def ranged(self, shard: int, start: int, size: int) -> bytes:
        """Bytes of a shard; says once if the shard has another size than it was given.

        Raises:
            OSError: they cannot be read.
        """
        tar, expected = self.tars[shard], self.shard_bytes[shard]
        if self.cache is not None:
            return self.cache.read_range(self.place, tar, expected, start, size)
        if shard not in self.sizes_checked:
            self.sizes_checked.add(shard)
            if (size_there := self.place.size(tar)) != expected:
                log.warning(
                    "%s has %d bytes, the manifest says %d: its samples are checked one by one; "
                    "`pagemill verify` tells more", tar, size_there, expected,
                )  # fmt: skip
        return self.place.read_range(tar, start, size)


def open_page_source(
    corpus: str,
    *,
    name: str = "",
    split: str = "train",
    verdicts: Sequence[str] = ("trusted",),
    cache: ShardCache | None = None,
    pages: int = 0,
    seed: int = 0,
) -> PageSource:
    """The samples of a corpus that carry text that can be believed.

    Args:
        corpus: folder or URI.
        name: of the source; the corpus itself when left out. Part of the order's randomness.
        split: which of the corpus's splits.
        verdicts: of the pages that are taken.
        cache: keeps whole shards on the local disk; None reads ranges.
        pages: at most so many, chosen by `chosen_pages`; 0 for all.
        seed: of that choice.

    Raises:
        ConfigError: the corpus has no such split, or no page with text in it.
        ShardError: the corpus or an index is missing or damaged.
    """
    place = Place.at(corpus)
    info = CorpusInfo.load(place)
    if split not in info.splits:
        raise ConfigError(f"{corpus} has no split {split!r}; there are: {', '.join(info.splits)}")
    entries = info.splits[split]
    shards = [believed_samples(place, entry, verdicts) for entry in entries]
    if not any(len(shard["keys"]) for shard in shards):
        raise ConfigError(
            f"{corpus} has no page with text and one of the verdicts {', '.join(verdicts)}"
        )
    columns = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}
    columns["shards"] = np.repeat(
        np.arange(len(shards), dtype=np.int32), [len(shard["keys"]) for shard in shards]
    )
    identity = [part for entry in entries for part in (entry.name, entry.sha256)]
    if pages:
        chosen = choose_pages(columns["keys"].tolist(), pages, seed)
        keep = np.isin(columns["keys"], chosen)
        columns = {name: column[keep] for name, column in columns.items()}
        identity += sorted(chosen)
    return PageSource(
        name=name or corpus,
        place=place,
        tars=tuple(entry.tar for entry in entries),
        keys=columns["keys"],
        documents=columns["documents"],
        shards=columns["shards"],
        columns={column: columns[column] for column in COLUMNS},
        fingerprint=f"{keyed_hash('source', *sorted(verdicts), *identity):016x}",
        shard_bytes=tuple(entry.bytes for entry in entries),
        cache=cache,
        image_ext=info.image_ext,
    )


def believed_samples(
    place: Place, entry: ShardEntry, verdicts: Sequence[str]
) -> dict[str, np.ndarray]:
    """The columns of a shard's samples with text and one of the verdicts: `COLUMNS`, `keys`
    and `documents`.

    Raises:
        ShardError: the index is missing, damaged, or of another number of samples.
    """
    table = read_index_table(place, entry.index)
    if len(table) != entry.samples:
        raise ShardError(
            f"{entry.index} in {place.uri} has {len(table)} samples, corpus.json says "
            f"{entry.samples}: see `pagemill verify`",
            key=entry.name,
        )
    keep = np.isin(table["verdict"].to_numpy(zero_copy_only=False), list(verdicts))
    keep &= table["chars"].to_numpy() > 0
    documents = [keyed_hash(sha256) >> 1 for sha256 in table["doc_sha256"].to_pylist()]
    return {
        **{name: table[name].to_numpy()[keep].astype(np.int64) for name in COLUMNS},
        "keys": np.asarray(table["key"].to_pylist(), dtype="U32")[keep],
        "documents": np.asarray(documents, dtype=np.int64)[keep],
    }


def choose_pages(keys: Sequence[str], pages: int, seed: int) -> list[str]:
    """So many of the keys, drawn by their names; their order in the corpus does not matter."""
    return sorted(keys, key=lambda key: (keyed_hash("pages.chosen", seed, key), key))[:pages]


def sample_error(err: Exception, source: Any, row: int) -> DataError:
    """Any fault of one sample as a DataError that names shard, key and reason."""
    key = str(source.keys[row])
    if isinstance(err, DataError) and err.key:
        return err
    message = f"{source.place_of(row)}: {key}: {message_of(err)}"
    return DataError(message, key=key, reason=reason_of(err))
