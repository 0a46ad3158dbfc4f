"""Sidecars of shards: where each sample lies, what it holds; and exports for other loaders.

`index/NAME.parquet` has one row a sample, in the order of the shard. `write_dali` adds
`index/NAME.idx` for NVIDIA DALI's webdataset reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

from ..page import Page
from ..record import PageFacts
from . import parquet
from .place import Place
from .shard import SampleSpan

SCHEMA = "pagemill.index.1"
_NAME = pa.dictionary(pa.int32(), pa.string())
_ARROW = pa.schema(
    [
        ("key", pa.string()),
        ("doc_sha256", _NAME),
        ("page_index", pa.int32()),
        ("offset", pa.int64()),
        ("bytes", pa.int64()),
        ("image_ext", _NAME),
        ("image_offset", pa.int64()),
        ("image_bytes", pa.int64()),
        ("image_crc32c", pa.uint32()),
        ("json_offset", pa.int64()),
        ("json_bytes", pa.int64()),
        ("json_crc32c", pa.uint32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("words", pa.int32()),
        ("lines", pa.int32()),
        ("blocks", pa.int32()),
        ("figures", pa.int32()),
        ("chars", pa.int32()),
        ("region_chars", pa.list_(pa.int32())),
        ("x_height", pa.float64()),
        ("language", _NAME),
        ("verdict", _NAME),
        ("score", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """One sample of a shard; offsets and sizes in bytes, lengths in px."""

    key: str
    doc_sha256: str
    page_index: int
    offset: int
    """Of the sample's first header; `bytes` runs over all its members."""
    bytes: int
    image_ext: str
    image_offset: int
    """Of the image's data: a range read of `image_bytes` gives the file."""
    image_bytes: int
    image_crc32c: int
    json_offset: int
    json_bytes: int
    json_crc32c: int
    width: int
    height: int
    words: int
    lines: int
    blocks: int
    figures: int
    chars: int
    """Characters of all lines together."""
    region_chars: tuple[int, ...]
    """Characters of each line."""
    x_height: float
    language: str
    verdict: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexMeta:
    """The shard that an index describes."""

    shard: str
    """`train-000000`, without ending."""
    sha256: str
    bytes: int
    samples: int


def index_row(span: SampleSpan, page: Page) -> IndexRow:
    """The row of a sample, from where it was written and from its page."""
    return row_from_facts(span, page.doc_sha256, page.page_index, PageFacts.from_page(page))


def row_from_facts(
    span: SampleSpan, doc_sha256: str, page_index: int, facts: PageFacts
) -> IndexRow:
    """The row of a sample, from where it was written and from what is known of its page.

    Args:
        span: of a sample with two parts, the image first, then `json`.
        doc_sha256: of the page's document.
        page_index: of the page in it.
        facts: of the page.
    """
    image, text = span.parts
    return IndexRow(
        key=span.key,
        doc_sha256=doc_sha256,
        page_index=page_index,
        offset=span.offset,
        bytes=span.bytes,
        image_ext=image.ext,
        image_offset=image.offset,
        image_bytes=image.size,
        image_crc32c=image.crc32c,
        json_offset=text.offset,
        json_bytes=text.size,
        json_crc32c=text.crc32c,
        width=facts.width,
        height=facts.height,
        words=facts.words,
        lines=facts.lines,
        blocks=facts.blocks,
        figures=facts.figures,
        chars=facts.chars,
        region_chars=facts.region_chars,
        x_height=facts.x_height,
        language=facts.language,
        verdict=facts.verdict,
        score=facts.score,
    )


def index_table(rows: Sequence[IndexRow]) -> pa.Table:
    """The rows as Arrow columns.

    Raises:
        ValueError, OverflowError, TypeError: a value that its column cannot hold.
    """
    columns = {name: [getattr(row, name) for row in rows] for name in _ARROW.names}
    return pa.table(columns, schema=_ARROW)


def write_index(place: Place, rel: str, rows: Sequence[IndexRow], meta: IndexMeta) -> None:
    """Write `index/NAME.parquet`: rows in the order of the shard, and the shard's identity."""
    about = {item.name: str(getattr(meta, item.name)) for item in fields(meta)}
    parquet.write(place, rel, index_table(rows), schema=SCHEMA, about=about)


def read_index(place: Place, rel: str) -> list[IndexRow]:
    """The rows of an index, in the order of the shard.

    Raises:
        ShardError: the index is missing, damaged or of another schema.
    """
    table = read_index_table(place, rel)
    columns: dict[str, list[Any]] = {name: table[name].to_pylist() for name in _ARROW.names}
    columns["region_chars"] = [tuple(counts) for counts in columns["region_chars"]]
    names = list(columns)
    return [
        IndexRow(**dict(zip(names, values, strict=True)))
        for values in zip(*columns.values(), strict=True)
    ]


def read_index_table(place: Place, rel: str) -> pa.Table:
    """The index as an Arrow table, for loaders that hold millions of rows.

    Raises:
        ShardError: as `read_index`.
    """
    return parquet.read(place, rel, schema=SCHEMA)[0]


def read_index_meta(place: Place, rel: str) -> IndexMeta:
    """The shard that an index describes, as it was when the index was written.

    Raises:
        ShardError: as `read_index`.
    """
    _, about = parquet.read(place, rel, schema=SCHEMA, columns=["key"])
    return IndexMeta(
        shard=about["shard"],
        sha256=about["sha256"],
        bytes=int(about["bytes"]),
        samples=int(about["samples"]),
    )


def write_dali(place: Place, rel: str, rows: Iterable[IndexRow]) -> None:
    """Write `index/NAME.idx` for `nvidia.dali.fn.readers.webdataset(index_paths=...)`.

    Source: DALI `tools/wds2idx.py`, index format v1.2: a line with version and count, then a
    line a sample of `ext data_offset size name` for each member.
    """
    lines = [
        f"{row.image_ext} {row.image_offset} {row.image_bytes} {row.key}.{row.image_ext}"
        f" json {row.json_offset} {row.json_bytes} {row.key}.json"
        for row in rows
    ]
    text = "\n".join([f"v1.2 {len(lines)}", *lines, ""])
    place.write_bytes(rel, text.encode("ascii"))
