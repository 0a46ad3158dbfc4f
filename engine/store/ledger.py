"""The ledger: one row for every input document and every page, with its fate.

Rows come in parts, `ledger/g{generation:03d}-{window:05d}.parquet`. A retry writes a part of a
later generation; what it says of a document or page replaces what was said before.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..reason import Reason
from . import parquet
from .place import Place

SCHEMA = "pagemill.ledger.1"
FOLDER = "ledger"
_PART = re.compile(r"g([0-9]{3,})-([0-9]{5,})\.parquet")
_IDENTITY = ("kind", "key", "uri", "member")


class RowKind(StrEnum):
    DOCUMENT = "document"
    PAGE = "page"


class Fate(StrEnum):
    WRITTEN = "written"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """The fate of a document or of one of its pages; the columns of `ledger/*.parquet`.

    A document is `written` when one of its pages is, `failed` when it could not be opened,
    else `rejected`.
    """

    kind: str
    key: str
    """Page key, or the document's sha256 (empty where it could not be fetched)."""
    doc_sha256: str
    uri: str
    """Where the document came from: absolute path or URI of the file or archive."""
    member: str = ""
    """Name inside the archive."""
    name: str = ""
    """Where it lay below the input, the same for copies of a dump; what samples carry as uri."""
    version: str = ""
    """Documents: size and change token as listed, by which a changed input is noticed."""
    page_index: int = -1
    status: str
    stage: str = ""
    """`find`, `open`, `render`, `text`, `judge`, `filter`, `write`: where the fate was decided."""
    reason: str = ""
    """One word of `engine.reason.Reason`; empty for written."""
    message: str = ""
    attempts: int = 1
    verdict: str = ""
    engine: str = ""
    shard: str = ""
    """`train-000000`, for written pages."""
    ms_open: float = 0.0
    ms_render: float = 0.0
    ms_text: float = 0.0
    ms_judge: float = 0.0
    ms_encode: float = 0.0
    warnings: str = ""
    """What the backend complained about, `; ` between; at most 500 characters."""
    config_hash: str = ""
    language: str = ""
    words: int = 0
    width: int = 0
    height: int = 0
    bytes: int = 0
    """Documents: file size. Written pages: size of image and JSON."""
    page_count: int = 0
    score: float = 0.0
    evidence: str = ""
    """The verdict's evidence as JSON."""


@dataclass(frozen=True, slots=True)
class LedgerSummary:
    """The totals of a ledger, as `pagemill stats --json` prints them.

    Two identities hold: documents found = opened + failed; pages written + rejected + failed =
    pages found + documents failed, since a document that could not be opened is one lost unit
    of unknown length and is counted in `pages.failed` beside the failed page rows.
    """

    documents: dict[str, int]
    """`found`, `opened`, `failed`, `duplicates`. A duplicate counts as opened where its original
    was, and is `failed` itself where that failed; `duplicates` counts the former."""
    pages: dict[str, int]
    """`found` (page rows), `written`, `rejected`, `failed`."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Of pages not written, documents not opened and duplicates: each lost unit once."""
    verdicts: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)
    """Of all pages whose language is known."""
    engines: dict[str, int] = field(default_factory=dict)
    shards: int = 0
    bytes: int = 0
    """Of the images and JSON of written pages, without tar headers."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def part_path(generation: int, window: int) -> str:
    """Where the rows of one window of one generation lie."""
    return f"{FOLDER}/g{generation:03d}-{window:05d}.parquet"


def to_table(rows: Iterable[LedgerRow]) -> pa.Table:
    """The rows as Arrow columns, strings dictionary-encoded.

    Names that are not UTF-8 (file systems allow them) are kept with `\\udcff` escapes.
    """
    rows = list(rows)
    columns = [_column([getattr(row, item.name) for row in rows], item) for item in _ARROW]
    return pa.Table.from_arrays(columns, schema=_ARROW)


def write_rows(place: Place, rel: str, rows: Iterable[LedgerRow]) -> None:
    """Write one part of the ledger, atomically; the same rows give the same bytes."""
    parquet.write(place, rel, to_table(rows), schema=SCHEMA)


def read_rows(
    place: Place, *, columns: Sequence[str] | None = None, before: int | None = None
) -> pa.Table:
    """All parts of the ledger as one table, later generations in place of earlier ones.

    Args:
        place: the corpus.
        columns: names of those wanted; all by default.
        before: only generations below this number; all by default.

    Raises:
        ShardError: a part is damaged or of another schema.
    """
    wanted = list(_ARROW.names if columns is None else columns)
    generations = {
        name: number for name, number in _parts(place).items() if before is None or number < before
    }
    needed = wanted
    if len(set(generations.values())) > 1:
        needed = wanted + [name for name in _IDENTITY if name not in wanted]
    tables, ages = [], []
    for name, generation in generations.items():
        tables.append(_read_part(place, name, needed))
        ages.append(np.full(tables[-1].num_rows, generation, np.int32))
    if not tables:
        return pa.Table.from_arrays(
            [pa.array([], item.type) for item in _ARROW], schema=_ARROW
        ).select(wanted)
    table = pa.concat_tables(tables).unify_dictionaries()
    if needed != wanted or len(set(generations.values())) > 1:
        table = supersede(table, np.concatenate(ages))
    return table.select(wanted)


def drop_superseded(place: Place) -> None:
    """Rewrite older parts without the rows that a later generation replaces.

    Afterwards the parts together have one row for every document and page. May be repeated, and
    may be interrupted: readers leave replaced rows out in any case.
    """
    parts = _parts(place)
    if len(set(parts.values())) < 2:
        return
    tables = [_read_part(place, name, _ARROW.names) for name in parts]
    sizes = [table.num_rows for table in tables]
    ages = np.repeat(np.array(list(parts.values()), np.int32), sizes)
    rows = pa.concat_tables(tables).unify_dictionaries()
    rows = rows.append_column("part", pa.array(np.repeat(np.arange(len(sizes)), sizes)))
    kept = supersede(rows, ages)
    for number, (name, size) in enumerate(zip(parts, sizes, strict=True)):
        remaining = kept.filter(pc.equal(kept["part"], number)).drop_columns("part")
        if remaining.num_rows < size:
            write_rows(place, f"{FOLDER}/{name}", to_rows(remaining))


def settle_documents(place: Place) -> None:
    """Documents that are called written, though none of their pages is, become rejected.

    A document's row is written before the last of its pages are in their shards, and a page may
    fail there. May be repeated, and may be interrupted.
    """
    table = read_rows(place, columns=("kind", "doc_sha256", "status"))
    written = table.filter(pc.equal(_strings(table, "status"), Fate.WRITTEN.value))
    is_page = pc.equal(_strings(written, "kind"), RowKind.PAGE.value)
    documents = _strings(written.filter(pc.invert(is_page)), "doc_sha256")
    pages = _strings(written.filter(is_page), "doc_sha256")
    hollow = documents.filter(pc.invert(pc.is_in(documents, value_set=pages.combine_chunks())))
    if not len(hollow):
        return
    digests = frozenset(hollow.to_pylist())
    for name in _parts(place):
        rows = list(to_rows(_read_part(place, name, _ARROW.names)))
        settled = [_settled(row, digests) for row in rows]
        if settled != rows:
            write_rows(place, f"{FOLDER}/{name}", settled)


def _settled(row: LedgerRow, hollow: frozenset[str]) -> LedgerRow:
    is_document = row.kind == RowKind.DOCUMENT and row.status == Fate.WRITTEN
    if not is_document or row.doc_sha256 not in hollow:
        return row
    reason, message = Reason.INTERNAL_ERROR.value, "none of its pages could be written"
    return replace(row, status=Fate.REJECTED.value, reason=reason, message=message)


def supersede(table: pa.Table, generations: np.ndarray) -> pa.Table:
    """The rows that no later generation replaces, in their order.

    A page is known by its key, a document by where it came from: (uri, member).

    Args:
        table: rows with at least `kind`, `key`, `uri` and `member`.
        generations: int `[rows]`, the generation of each row.
    """
    kind, key, uri, member = (_strings(table, name) for name in _IDENTITY)
    place = pc.binary_join_element_wise("d", uri, member, "\n")
    page = pc.binary_join_element_wise("p", key, "\n")
    identity = pc.if_else(pc.equal(kind, RowKind.DOCUMENT.value), place, page)
    codes = pc.dictionary_encode(identity).combine_chunks().indices.to_numpy(zero_copy_only=False)
    latest = np.zeros(int(codes.max(initial=-1)) + 1, generations.dtype)
    np.maximum.at(latest, codes, generations)
    return table.filter(pa.array(generations == latest[codes]))


def to_rows(table: pa.Table) -> Iterator[LedgerRow]:
    """The table's rows one by one; columns that it lacks take their defaults."""
    for batch in table.to_batches(max_chunksize=4096):
        for values in batch.to_pylist():
            yield LedgerRow(**values)


def summarize(rows: pa.Table | Iterable[LedgerRow]) -> LedgerSummary:
    """The totals of a ledger; seconds for millions of rows.

    Args:
        rows: as `read_rows` returns them, or `LedgerRow`s.
    """
    table = rows if isinstance(rows, pa.Table) else to_table(rows)
    is_page = pc.equal(_strings(table, "kind"), RowKind.PAGE.value)
    pages, documents = table.filter(is_page), table.filter(pc.invert(is_page))
    by_status = _counts(pages, "status")
    failed = _counts(documents, "status").get(Fate.FAILED, 0)
    failures = documents.filter(pc.equal(_strings(documents, "status"), Fate.FAILED.value))
    opened = documents.filter(pc.not_equal(_strings(documents, "status"), Fate.FAILED.value))
    duplicates = _counts(opened, "reason").get(Reason.DUPLICATE_DOCUMENT, 0)
    reasons = _counts(pages, "reason")
    for reason, count in _counts(failures, "reason").items():
        reasons[reason] = reasons.get(reason, 0) + count
    if duplicates:
        reasons[Reason.DUPLICATE_DOCUMENT.value] = duplicates
    written = pages.filter(pc.equal(_strings(pages, "status"), Fate.WRITTEN.value))
    return LedgerSummary(
        documents={
            "found": documents.num_rows,
            "opened": opened.num_rows,
            "failed": failed,
            "duplicates": duplicates,
        },
        pages={
            "found": pages.num_rows,
            "written": written.num_rows,
            "rejected": by_status.get(Fate.REJECTED, 0),
            "failed": by_status.get(Fate.FAILED, 0) + failed,
        },
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        verdicts=_counts(pages, "verdict"),
        languages=_counts(pages, "language"),
        engines=_counts(pages, "engine"),
        shards=len(_counts(written, "shard")),
        bytes=pc.sum(written["bytes"]).as_py() or 0,
    )


def _parts(place: Place) -> dict[str, int]:
    """Names of the ledger's parts and the generation of each."""
    return {name: int(m[1]) for name in place.list(FOLDER) if (m := _PART.fullmatch(name))}


_TYPES: dict[type, pa.DataType] = {int: pa.int64(), float: pa.float64()}
_MANY_VALUES = frozenset({"key", "message", "warnings", "evidence"})


def _arrow_schema() -> pa.Schema:
    hints = typing.get_type_hints(LedgerRow)
    repeated = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            (
                item.name,
                _TYPES.get(hints[item.name])
                or (pa.string() if item.name in _MANY_VALUES else repeated),
            )
            for item in fields(LedgerRow)
        ]
    )


_ARROW = _arrow_schema()


def _column(values: list[Any], item: pa.Field) -> pa.Array:
    if not (pa.types.is_dictionary(item.type) or pa.types.is_string(item.type)):
        return pa.array(values, item.type)
    try:
        strings = pa.array(values, pa.string())
    except UnicodeEncodeError:
        clean = [value.encode(errors="backslashreplace").decode() for value in values]
        strings = pa.array(clean, pa.string())
    return strings if pa.types.is_string(item.type) else strings.dictionary_encode()


def _read_part(place: Place, name: str, columns: Sequence[str]) -> pa.Table:
    return parquet.read(place, f"{FOLDER}/{name}", schema=SCHEMA, columns=columns)[0]


def _strings(table: pa.Table, name: str) -> pa.ChunkedArray:
    return table[name].cast(pa.string())


def _counts(table: pa.Table, name: str) -> dict[str, int]:
    """How often each value occurs, most frequent first; the empty string is no value."""
    counts = {
        str(item["values"]): int(item["counts"])
        for item in pc.value_counts(_strings(table, name)).to_pylist()
    }
    counts.pop("", None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
