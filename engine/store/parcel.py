"""One document's pages while a build runs: blobs one after another, then what they are.

Layout: the blobs; a `ParcelMeta` as JSON; 24 bytes of tail: crc32c of the meta, zero, length of
the meta (little-endian), magic. A file without a valid tail was never finished. Parcels live no
longer than a build; one that another version wrote, with fields that are not known here, cannot
be used and its document is read again.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c
import orjson

from ..errors import ShardError
from ..record import PageFacts, PageRecord, PageTiming
from .place import Place

_MAGIC = b"PMPARCL1"
_TAIL = struct.Struct("<IIQ8s")
_FIRST_READ_BYTES = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry(PageRecord):
    """The record of a page in a parcel, and where its bytes lie."""

    offset: int = 0
    """Of the image, which the JSON follows; or of the thumbnail, which the word boxes follow."""
    image_bytes: int = 0
    json_bytes: int = 0
    thumbnail_bytes: int = 0
    """Of the thumbnail, for pages that are filtered out."""
    word_share_bytes: int = 0
    """Of the word boxes behind the thumbnail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelMeta:
    """A document and the records of its pages."""

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


class ParcelWriter:
    """Writes a parcel; memory does not grow with the number of blobs.

    Write to a path in `Place.scratch_dir()`, close, then `Place.put`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: BinaryIO = path.open("wb")
        self._offset = 0

    def add(self, data: bytes) -> tuple[int, int]:
        """Append a blob; returns its offset and size in bytes."""
        self._stream.write(data)
        start, self._offset = self._offset, self._offset + len(data)
        return start, len(data)

    def close(self, meta: ParcelMeta) -> None:
        """Append the meta and the tail, and wait until all of it is on the disk."""
        footer = orjson.dumps(meta)
        self._stream.write(footer)
        self._stream.write(_TAIL.pack(google_crc32c.value(footer), 0, len(footer), _MAGIC))
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def abort(self) -> None:
        """Delete the file."""
        self._stream.close()
        self._path.unlink(missing_ok=True)


def read_meta(place: Place, rel: str) -> ParcelMeta:
    """The meta of a parcel, from its end alone: one or two range reads.

    Raises:
        ShardError: the parcel is not there, unfinished, damaged or of another version.
    """
    try:
        total = place.size(rel)
        first = min(total, _FIRST_READ_BYTES)
        tail = place.read_range(rel, total - first, first)
        if len(tail) < _TAIL.size:
            raise _damaged(place, rel, "it is shorter than its own tail")
        crc, zero, length, magic = _TAIL.unpack(tail[-_TAIL.size :])
        if magic != _MAGIC or zero or length + _TAIL.size > total:
            raise _damaged(place, rel, "it was not finished")
        if length + _TAIL.size > len(tail):
            tail = place.read_range(rel, total - _TAIL.size - length, length + _TAIL.size)
    except FileNotFoundError as err:
        raise _damaged(place, rel, "it is not there") from err
    footer = tail[-_TAIL.size - length : -_TAIL.size]
    if google_crc32c.value(footer) != crc:
        raise _damaged(place, rel, "its footer does not match its checksum")
    try:
        return _meta_from(orjson.loads(footer))
    except (KeyError, TypeError) as err:
        raise _damaged(place, rel, f"another version of Pagemill wrote it ({err})") from err


def read_blob(place: Place, rel: str, offset: int, size: int) -> bytes:
    """One blob of a parcel.

    Raises:
        ShardError: the parcel is not there, or ends before the blob does.
    """
    try:
        data = place.read_range(rel, offset, size)
    except FileNotFoundError as err:
        raise _damaged(place, rel, "it is not there") from err
    if len(data) != size:
        raise _damaged(place, rel, f"it ends inside the blob at {offset}")
    return data


def _meta_from(tree: Mapping[str, Any]) -> ParcelMeta:
    pages = tuple(_entry_from(entry) for entry in tree["pages"])
    return ParcelMeta(**{**tree, "pages": pages})


def _entry_from(tree: Mapping[str, Any]) -> PageEntry:
    facts = {**tree["facts"]}
    facts["region_chars"] = tuple(facts.get("region_chars", ()))
    return PageEntry(
        **{**tree, "facts": PageFacts(**facts), "timing": PageTiming(**tree["timing"])}
    )


def _damaged(place: Place, rel: str, what: str) -> ShardError:
    message = f"the parcel {place.uri}/{rel} cannot be used: {what}; its document is to be redone"
    return ShardError(message, key=rel, reason="broken")
