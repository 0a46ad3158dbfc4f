"""The ledger against itself and against the shards: every page has one fate, and it is true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..reason import Reason
from ..store.ledger import Fate, RowKind, summarize
from .fault import Fault, FaultKind

COLUMNS = (
    *("kind", "key", "uri", "member", "doc_sha256", "page_index", "status", "reason"),
    *("shard", "page_count", "bytes", "verdict", "language", "engine"),
)
_LIMIT = 20


def written_keys(table: pa.Table) -> dict[str, pa.Array]:
    """The keys of written pages by shard; about 40 bytes a page."""
    written = table.filter(
        pc.and_(_is(table, "kind", RowKind.PAGE), _is(table, "status", Fate.WRITTEN))
    )
    keys = written["key"].combine_chunks()
    shards = _strings(written, "shard").combine_chunks().dictionary_encode()
    codes = shards.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    names = shards.dictionary.to_pylist()
    ends = np.searchsorted(codes[order], np.arange(len(names)), side="right")
    starts = np.concatenate(([0], ends[:-1])) if len(names) else ends
    return {
        name: keys.take(pa.array(order[start:end]))
        for name, start, end in zip(names, starts, ends, strict=True)
    }


def check_rows(table: pa.Table, totals: Mapping[str, Any]) -> list[Fault]:
    """What the ledger says that cannot be.

    Args:
        table: `read_rows(place, columns=COLUMNS)`.
        totals: those of corpus.json; empty while a build runs.
    """
    faults = _contradictions(table) + _twice(table) + _pages_of_documents(table)
    counted = summarize(table).to_dict()
    for name in ("documents", "pages"):
        if name in totals and dict(totals[name]) != counted[name]:
            message = f"corpus.json counts {name} {dict(totals[name])}, the ledger {counted[name]}"
            faults.append(Fault("", "", FaultKind.ACCOUNTING, message))
    return faults


def _contradictions(table: pa.Table) -> list[Fault]:
    page, written = _is(table, "kind", RowKind.PAGE), _is(table, "status", Fate.WRITTEN)
    reason, shard = _strings(table, "reason"), _strings(table, "shard")
    valid_status = pc.is_in(_strings(table, "status"), value_set=pa.array([str(s) for s in Fate]))
    listed = pc.is_in(reason, value_set=pa.array(["", *(str(r) for r in Reason)]))
    no_reason, no_shard = pc.equal(reason, ""), pc.equal(shard, "")
    checks = (
        (pc.invert(valid_status), "has an unknown status"),
        (pc.invert(listed), "has a reason that is not in the list"),
        (pc.and_(page, pc.and_(written, no_shard)), "is written, but to no shard"),
        (pc.and_(page, pc.invert(pc.or_(written, no_shard))), "is in a shard, but not written"),
        (pc.and_(page, pc.and_(pc.invert(written), no_reason)), "is not written, without a reason"),
    )
    faults = []
    for mask, what in checks:
        faults += _faults(table, mask, FaultKind.LEDGER, what)
    return faults


def _twice(table: pa.Table) -> list[Fault]:
    """Pages with more than one row."""
    pages = table.filter(_is(table, "kind", RowKind.PAGE))
    codes = pages["key"].combine_chunks().dictionary_encode()
    counts = np.bincount(codes.indices.to_numpy(zero_copy_only=False), minlength=1)
    keys = codes.dictionary.take(pa.array(np.flatnonzero(counts > 1))).to_pylist()
    return _capped([Fault("", key, FaultKind.LEDGER, "has more than one row") for key in keys])


def _pages_of_documents(table: pa.Table) -> list[Fault]:
    """Each opened document has one row for each of its pages, each page has a document."""
    is_page = np.asarray(_is(table, "kind", RowKind.PAGE))
    encoded = _strings(table, "doc_sha256").combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    size = len(encoded.dictionary)
    pages = np.bincount(codes[is_page], minlength=size)
    failed = np.asarray(_is(table, "status", Fate.FAILED))
    duplicate = np.asarray(_is(table, "reason", Reason.DUPLICATE_DOCUMENT))
    opened = ~is_page & ~failed & ~duplicate
    claimed = np.zeros(size, np.int64)
    counts = table["page_count"].to_numpy()
    np.add.at(claimed, codes[opened], counts[opened])
    documents = np.bincount(codes[~is_page], minlength=size)
    faults = []
    for code in np.flatnonzero(pages != claimed).tolist():
        message = f"the document has {claimed[code]} pages, the ledger {pages[code]} of them"
        if not documents[code]:
            message = f"the ledger has {pages[code]} of its pages, but not the document"
        faults.append(Fault("", str(encoded.dictionary[code]), FaultKind.ACCOUNTING, message))
    return _capped(faults)


def _faults(table: pa.Table, mask: Any, kind: FaultKind, what: str) -> list[Fault]:
    rows = table.filter(mask).select(["kind", "key", "uri", "shard"]).to_pylist()
    return _capped(
        [
            Fault(row["shard"], row["key"], kind, f"the {row['kind']} from {row['uri']} {what}")
            for row in rows
        ]
    )


def _capped(faults: list[Fault]) -> list[Fault]:
    """The first 20 of a kind, and one that counts the rest."""
    if len(faults) <= _LIMIT:
        return faults
    more = Fault("", "", faults[0].kind, f"{len(faults) - _LIMIT} more: {faults[0].message}")
    return [*faults[:_LIMIT], more]


def _is(table: pa.Table, name: str, value: str) -> Any:
    return pc.equal(_strings(table, name), str(value))


def _strings(table: pa.Table, name: str) -> pa.ChunkedArray:
    return table[name].cast(pa.string())
