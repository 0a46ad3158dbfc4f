"""A sample of rejected pages as small pictures, for the report: they are in no shard."""

from __future__ import annotations

import io
from collections.abc import Mapping

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ...engine.curate.select import smallest
from ...engine.image import size_of
from ...engine.key import page_key
from ...engine.store.parcel import PageEntry, ParcelMeta, read_blob
from ...engine.store.place import Place
from .job import parcel_name

_A_REASON = 8
_WINDOWS = 4

THUMB_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("jpeg", pa.binary()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("words", pa.list_(pa.float32())),
    ]
)
"""`thumbs/*.parquet`: a JPEG of a page, its size in px, and word boxes as fractions of the
page, four numbers each."""


def write_thumbs(
    place: Place, generation: int, window: int, metas: Mapping[str, ParcelMeta], seed: int
) -> None:
    """Write `thumbs/*.parquet` with up to 8 pages a reason, for a generation's first windows."""
    if window >= _WINDOWS:
        return
    by_reason: dict[str, dict[str, tuple[str, PageEntry]]] = {}
    for sha256, meta in metas.items():
        for page in meta.pages:
            if page.thumbnail_bytes:
                key = page_key(sha256, page.page_index)
                by_reason.setdefault(page.reason, {})[key] = (sha256, page)
    rows = []
    for reason in sorted(by_reason):
        pages = by_reason[reason]
        for key in smallest(list(pages), _A_REASON, seed):
            sha256, page = pages[key]
            size = page.thumbnail_bytes + page.word_share_bytes
            blob = read_blob(place, parcel_name(sha256), page.offset, size)
            jpeg, words = blob[: page.thumbnail_bytes], blob[page.thumbnail_bytes :]
            width, height = size_of(jpeg)
            rows.append(
                {
                    "key": key,
                    "status": "rejected",
                    "reason": reason,
                    "jpeg": jpeg,
                    "width": width,
                    "height": height,
                    "words": orjson.loads(words),
                }
            )
    if rows:
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, schema=THUMB_SCHEMA), sink)
        place.write_bytes(f"thumbs/g{generation:03d}-{window:05d}.parquet", sink.getvalue())
