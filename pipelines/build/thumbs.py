"""A sample of rejected pages as small pictures, for the report: they are in no shard."""

from __future__ import annotations

import io

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ...engine.curate.select import smallest
from ...engine.image import size_of
from ...engine.key import page_key
from ...engine.store.parcel import PageEntry, ParcelMeta, read_blob
from ...engine.store.place import Place
from ..failure import stops_run
from .assemble import ShardWindow
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


class Thumbnails:
    """Writes `thumbs/*.parquet`, up to 8 pages a reason, for a generation's first windows.

    Args:
        place: the corpus.
        generation: number of the run in the corpus.
        seed: of the choice of pages.
    """

    def __init__(self, place: Place, generation: int, seed: int) -> None:
        self._place = place
        self._generation = generation
        self._seed = seed
        self._pages: dict[int, list[tuple[str, PageEntry]]] = {}
        """Pages with a thumbnail and their documents' sha256, by position in the run."""

    def add(self, position: int, window: int, meta: ParcelMeta) -> None:
        """Take the document at a position of the run, which is in this window or a later one."""
        if window < _WINDOWS:
            pages = [(meta.sha256, page) for page in meta.pages if page.thumbnail_bytes]
            self._pages[position] = pages

    def write(self, window: ShardWindow) -> dict[str, str]:
        """Write the file of a window; returns the pages without a picture: key → what happened."""
        by_reason: dict[str, dict[str, tuple[str, PageEntry]]] = {}
        for position in range(window.first, window.last):
            for sha256, page in self._pages.pop(position, ()):
                key = page_key(sha256, page.page_index)
                by_reason.setdefault(page.reason, {})[key] = (sha256, page)
        tables: list[pa.Table] = []
        problems: dict[str, str] = {}
        for reason in sorted(by_reason):
            pages = by_reason[reason]
            for key in smallest(list(pages), _A_REASON, self._seed):
                try:
                    tables.append(self._table(key, *pages[key]))
                except Exception as err:
                    if stops_run(err):
                        raise
                    problems[key] = f"no thumbnail: {type(err).__name__}: {err}"
        if tables:
            sink = io.BytesIO()
            pq.write_table(pa.concat_tables(tables).combine_chunks(), sink)
            name = f"thumbs/g{self._generation:03d}-{window.number:05d}.parquet"
            self._place.write_bytes(name, sink.getvalue())
        return problems

    def _table(self, key: str, sha256: str, page: PageEntry) -> pa.Table:
        """One row."""
        size = page.thumbnail_bytes + page.word_share_bytes
        blob = read_blob(self._place, parcel_name(sha256), page.offset, size)
        jpeg, words = blob[: page.thumbnail_bytes], blob[page.thumbnail_bytes :]
        width, height = size_of(jpeg)
        row = {
            "key": key,
            "status": "rejected",
            "reason": page.reason,
            "jpeg": jpeg,
            "width": width,
            "height": height,
            "words": orjson.loads(words),
        }
        return pa.Table.from_pylist([row], schema=THUMB_SCHEMA)
