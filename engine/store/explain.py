"""The fate of a page or a document, looked up in the ledger by whatever people know it by."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import ConfigError, ShardError
from ..key import PAGE_KEY
from ..reason import Reason
from ..text import visible
from .corpus import INDEX_FOLDER, SHARD_FOLDER
from .index import IndexRow, read_index_table
from .ledger import Fate, LedgerRow, RowKind, read_rows, to_rows
from .place import Place

_LOOKUP = ("kind", "key", "doc_sha256", "uri", "member", "name", "reason")
_BULKY = ("evidence",)
_DIGEST = re.compile(r"[0-9a-fA-F]{8,64}")
_NAMED = 6
_CANDIDATES = 20_000


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the ledger knows of one page or one document."""

    row: LedgerRow
    span: IndexRow | None = None
    """Where a written page lies in its shard; None also where the index cannot be read."""
    pages: tuple[LedgerRow, ...] = ()
    """Of a document, by page index."""
    twins: tuple[LedgerRow, ...] = ()
    """Other inputs with the same bytes as this document."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values under stable keys, ready for JSON."""
        if self.row.kind == RowKind.PAGE:
            return row_dict(self.row, self.span)
        return {
            **row_dict(self.row),
            "twins": [{"uri": row.uri, "member": row.member} for row in self.twins],
            "pages": [row_dict(row) for row in self.pages],
        }


def explain_key(place: Place, key_or_name: str) -> Explanation:
    """The fate of one page or document.

    Args:
        place: the corpus.
        key_or_name: a page key; a document's sha256 or at least its first 8 digits; a file's
            path or URI, a member of an archive, or the end of either.

    Raises:
        ConfigError: nothing or more than one document is known by this name; the message
            names the nearest.
        ShardError: the ledger is damaged.
    """
    table = read_rows(place, columns=_LOOKUP)
    if not table.num_rows:
        raise ConfigError(f"{place.uri} has no ledger: there is nothing to explain")
    if PAGE_KEY.fullmatch(key_or_name):
        return _explain_page(place, table, key_or_name)
    documents = np.flatnonzero(_equal(table, "kind", RowKind.DOCUMENT.value))
    listed = table.take(pa.array(documents))
    positions = _by_digest(listed, key_or_name)
    if not positions.size:
        positions = _by_name(listed, key_or_name)
    return _explain_document(place, table, documents[_only(listed, positions, key_or_name)])


def explain_rows(place: Place, *, status: str | None = None, reason: str | None = None) -> pa.Table:
    """All rows of the ledger with a status, a reason, or both; the columns of `Row`.

    Raises:
        ConfigError: there is no such status or reason.
        ShardError: the ledger is damaged.
    """
    if status is not None:
        _check_word("status", status, [item.value for item in Fate])
    if reason is not None:
        _check_word("reason", reason, [item.value for item in Reason])
    table = read_rows(place, columns=("status", "reason"))
    mask = np.ones(table.num_rows, dtype=bool)
    for name, value in (("status", status), ("reason", reason)):
        if value is not None:
            mask &= _equal(table, name, value)
    return _full_rows(place, np.flatnonzero(mask))


def row_dict(row: LedgerRow, span: IndexRow | None = None) -> dict[str, Any]:
    """One row under stable keys: what happened, why, and where the page is."""
    return {
        "kind": row.kind,
        "key": row.key,
        "status": row.status,
        "stage": row.stage,
        "reason": row.reason,
        "meaning": reason_meaning(row.reason),
        "message": row.message,
        "attempts": row.attempts,
        "verdict": row.verdict,
        "score": row.score,
        "evidence": evidence(row),
        "engine": row.engine,
        "language": row.language,
        "words": row.words,
        "width": row.width,
        "height": row.height,
        "bytes": row.bytes,
        "doc_sha256": row.doc_sha256,
        "uri": row.uri,
        "member": row.member,
        "name": row.name,
        "page_index": row.page_index,
        "page_count": row.page_count,
        "shard": row.shard,
        "span": _span_dict(row, span),
        "ms": milliseconds(row),
        "warnings": [text for text in row.warnings.split("; ") if text],
        "config_hash": row.config_hash,
    }


def reason_meaning(reason: str) -> str:
    """The sentence of the closed list; empty for no reason or one of another version."""
    return Reason(reason).meaning if reason in set(Reason) else ""


def evidence(row: LedgerRow) -> dict[str, float]:
    """The verdict's evidence by name; empty where there is none."""
    try:
        measures = orjson.loads(row.evidence) if row.evidence else {}
    except orjson.JSONDecodeError:
        # An unreadable detail must not hide the fate itself.
        return {}
    return measures if isinstance(measures, dict) else {}


def milliseconds(row: LedgerRow) -> dict[str, float]:
    """Time spent, by stage."""
    return {
        item.name.removeprefix("ms_"): getattr(row, item.name)
        for item in fields(LedgerRow)
        if item.name.startswith("ms_")
    }


def source_of(row: LedgerRow) -> str:
    """Where a document came from, with the member of an archive after it."""
    return f"{row.uri} › {row.member}" if row.member else row.uri


def _span_dict(row: LedgerRow, span: IndexRow | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {
        "tar": f"{SHARD_FOLDER}/{row.shard}.tar",
        "image_offset": span.image_offset,
        "image_bytes": span.image_bytes,
        "json_offset": span.json_offset,
        "json_bytes": span.json_bytes,
    }


def _explain_page(place: Place, table: pa.Table, key: str) -> Explanation:
    positions = np.flatnonzero(_equal(table, "key", key))
    if not positions.size:
        raise ConfigError(_no_such_page(place, table, key))
    row = next(to_rows(_full_rows(place, positions[:1])))
    return Explanation(row, span=_span(place, row))


def _explain_document(place: Place, table: pa.Table, position: int) -> Explanation:
    row = next(to_rows(_full_rows(place, np.asarray([position]))))
    same = _equal(table, "doc_sha256", row.doc_sha256) & bool(row.doc_sha256)
    is_page = _equal(table, "kind", RowKind.PAGE.value)
    pages: tuple[LedgerRow, ...] = ()
    if row.reason != Reason.DUPLICATE_DOCUMENT:
        rows = to_rows(_full_rows(place, np.flatnonzero(same & is_page)))
        pages = tuple(sorted(rows, key=lambda page: page.page_index))
    others = np.flatnonzero(same & ~is_page)
    twins = tuple(to_rows(_full_rows(place, others[others != position])))
    return Explanation(row, pages=pages, twins=twins)


def _full_rows(place: Place, positions: np.ndarray) -> pa.Table:
    """All columns at some positions of `read_rows`; bulky ones are held one at a time."""
    names = [item.name for item in fields(LedgerRow)]
    at = pa.array(positions, pa.int64())
    slim = read_rows(place, columns=[n for n in names if n not in _BULKY]).take(at)
    for name in _BULKY:
        slim = slim.append_column(name, read_rows(place, columns=[name]).take(at)[name])
    return slim.select(names)


def _span(place: Place, row: LedgerRow) -> IndexRow | None:
    if not row.shard:
        return None
    try:
        table = read_index_table(place, f"{INDEX_FOLDER}/{row.shard}.parquet")
    except ShardError:
        # `pagemill verify` names the damage; the fate is known without the offsets.
        return None
    matches = table.filter(pc.equal(table["key"], row.key)).to_pylist()
    names = {item.name for item in fields(IndexRow)}
    return IndexRow(**{n: v for n, v in matches[0].items() if n in names}) if matches else None


def _by_digest(documents: pa.Table, text: str) -> np.ndarray:
    """Documents whose sha256 begins so; twins count once, the one that was read first."""
    if not _DIGEST.fullmatch(text):
        return np.zeros(0, dtype=np.int64)
    digests = documents["doc_sha256"].cast(pa.string())
    positions = np.flatnonzero(pc.starts_with(digests, text.lower()).to_numpy())
    chosen: dict[str, int] = {}
    for position in positions.tolist():
        digest = digests[position].as_py()
        is_twin = documents["reason"][position].as_py() == Reason.DUPLICATE_DOCUMENT
        if digest not in chosen or not is_twin:
            chosen[digest] = position
    return np.asarray(list(chosen.values()), dtype=np.int64)


def _by_name(documents: pa.Table, text: str) -> np.ndarray:
    """Documents with this path, URI or member; else those whose name ends so, after a `/` first."""
    wanted = pa.array(sorted({text, os.path.abspath(text)}))  # noqa: PTH100  kept as text
    names = _names(documents)
    tests: tuple[Callable[[pa.ChunkedArray], pa.ChunkedArray], ...] = (
        lambda column: pc.is_in(column, value_set=wanted),
        lambda column: pc.ends_with(column, "/" + text.lstrip("/")),
        lambda column: pc.ends_with(column, text),
    )
    for test in tests:
        matching = np.logical_or.reduce([test(column).to_numpy() for column in names])
        if text and matching.any():
            return np.flatnonzero(matching)
    return np.zeros(0, dtype=np.int64)


def _names(documents: pa.Table) -> list[pa.ChunkedArray]:
    """What a document may be called: its URI, its name below the input, its member, both."""
    uri, member, name = (documents[c].cast(pa.string()) for c in ("uri", "member", "name"))
    both = pc.if_else(pc.equal(member, ""), uri, pc.binary_join_element_wise(uri, member, "/"))
    arrow = pc.if_else(pc.equal(member, ""), uri, pc.binary_join_element_wise(uri, member, " › "))
    return [uri, name, member, both, arrow]


def _only(documents: pa.Table, positions: np.ndarray, text: str) -> int:
    if positions.size == 1:
        return int(positions[0])
    if positions.size:
        named = _listing([_called(documents, int(p)) for p in positions[:_NAMED]])
        more = f"\n  and {positions.size - _NAMED:,} more" if positions.size > _NAMED else ""
        raise ConfigError(
            f"{text!r} names {positions.size:,} documents:{named}{more}\n"
            "Give more of the path, or more digits of the sha256."
        )
    near = _near(documents, text)
    hint = f" The nearest:{_listing(near)}" if near else ""
    raise ConfigError(
        f"the ledger has no page or document {text!r}.{hint}\nGive a page key, 8 or more digits "
        "of a document's sha256, or the end of its path."
    )


def _called(documents: pa.Table, position: int) -> str:
    row = documents.slice(position, 1).to_pylist()[0]
    name = f"{row['uri']} › {row['member']}" if row["member"] else row["uri"]
    return f"{row['doc_sha256'][:12]}  {name}" if row["doc_sha256"] else name


def _near(documents: pa.Table, text: str) -> list[str]:
    """Names that contain the text, whatever the case, else those spelled most like it."""
    names = pa.concat_arrays(
        [chunk for column in _names(documents)[:3] for chunk in column.chunks]
    ).unique()
    containing = names.filter(pc.match_substring(names, text, ignore_case=True))
    if len(containing):
        return [str(value) for value in containing.slice(0, _NAMED).to_pylist()]
    tail = text.rpartition("/")[2]
    by_tail = {str(name).rpartition("/")[2]: str(name) for name in names[:_CANDIDATES].to_pylist()}
    return [by_tail[name] for name in difflib.get_close_matches(tail, by_tail, n=3)]


def _no_such_page(place: Place, table: pa.Table, key: str) -> str:
    prefix = key.rpartition("_")[0]
    digests = table["doc_sha256"].cast(pa.string())
    of_document = pc.starts_with(digests, prefix).to_numpy()
    pages = int((of_document & _equal(table, "kind", RowKind.PAGE.value)).sum())
    if not of_document.any():
        return f"{place.uri} knows no document that begins with {prefix}: {key} is not from here"
    if not pages:
        return f"no page of the document {prefix} is in the ledger: `pagemill explain` the document"
    return f"the document {prefix} has {pages:,} pages in the ledger, and {key} is none of them"


def _check_word(what: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        near = difflib.get_close_matches(value, allowed, n=1, cutoff=0.0)[0]
        raise ConfigError(
            f"there is no {what} {value!r}; the nearest is {near!r}. Known: {', '.join(allowed)}"
        )


def _equal(table: pa.Table, column: str, value: str) -> np.ndarray:
    """bool [rows]."""
    return np.asarray(pc.equal(table[column].cast(pa.string()), value).to_numpy(), dtype=bool)


def _listing(names: Sequence[str]) -> str:
    return "".join(f"\n  {visible(name)}" for name in names)
