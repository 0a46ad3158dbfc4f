"""Small pictures of pages: from the shards, and those that a build keeps of other pages.

Written pages come from the shards by the offsets of the index; rejected ones from
`thumbs/*.parquet`. A picture that cannot be read is left out: `pagemill verify` names the damage.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ...engine.errors import DataError
from ...engine.image import decode, size_of, thumbnail
from ...engine.store.place import Place
from ..kit.picture import data_uri

WIDTH_PX = 460
_INDEX_COLUMNS = ("key", "image_offset", "image_bytes", "json_offset", "json_bytes")


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small JPEG of a page and the boxes of its words."""

    data: bytes
    width: int
    height: int
    boxes: np.ndarray
    """float64 [words, 4]: fractions of the page."""

    @property
    def uri(self) -> str:
        """The image as a data URI."""
        return data_uri(self.data)


def read_thumbs(place: Place, keys: Collection[str] | None = None) -> dict[str, Thumbnail]:
    """The pictures that a build kept of pages that are in no shard; all, or those of some keys."""
    pictures: dict[str, Thumbnail] = {}
    if keys is not None and not keys:
        return pictures
    for name in _thumb_files(place):
        table = pq.read_table(io.BytesIO(place.read_bytes(name)))
        for row in (table if keys is None else _with_keys(table, keys)).to_pylist():
            boxes = np.asarray(row["words"] or [], dtype=np.float64)
            boxes = boxes[: len(boxes) // 4 * 4].reshape(-1, 4)
            pictures[row["key"]] = Thumbnail(row["jpeg"], row["width"], row["height"], boxes)
    return pictures


def thumb_keys(place: Place) -> list[str]:
    """Keys of the pages that a build kept pictures of."""
    keys: list[str] = []
    for name in _thumb_files(place):
        table = pq.read_table(io.BytesIO(place.read_bytes(name)), columns=["key"])
        keys += table["key"].to_pylist()
    return keys


def shard_thumbs(place: Place, shard: str, keys: Collection[str]) -> dict[str, Thumbnail]:
    """Pictures of some pages of a shard, made from its images."""
    pictures: dict[str, Thumbnail] = {}
    try:
        data = place.read_bytes(f"index/{shard}.parquet")
        table = pq.read_table(io.BytesIO(data), columns=list(_INDEX_COLUMNS))
    except (OSError, pa.ArrowException):
        return pictures
    for entry in _with_keys(table, keys).to_pylist():
        try:
            pictures[entry["key"]] = _read_sample(place, f"shards/{shard}.tar", entry)
        except (OSError, DataError, ValueError, KeyError, TypeError):
            continue
    return pictures


def _thumb_files(place: Place) -> list[str]:
    return [f"thumbs/{name}" for name in place.list("thumbs") if name.endswith(".parquet")]


def _with_keys(table: pa.Table, keys: Collection[str]) -> pa.Table:
    mask = [key in keys for key in table["key"].to_pylist()]
    return table.filter(pa.array(mask, type=pa.bool_()))


def _read_sample(place: Place, tar: str, entry: dict[str, Any]) -> Thumbnail:
    image = place.read_range(tar, entry["image_offset"], entry["image_bytes"])
    page = orjson.loads(place.read_range(tar, entry["json_offset"], entry["json_bytes"]))
    boxes = np.asarray(page["words"]["bbox"], dtype=np.float64).reshape(-1, 4)
    boxes /= np.tile([max(1, page["width"]), max(1, page["height"])], 2)
    small = thumbnail(decode(image), WIDTH_PX)
    width, height = size_of(small)
    return Thumbnail(small, width, height, boxes)
