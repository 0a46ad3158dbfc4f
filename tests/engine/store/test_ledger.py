"""The ledger keeps one row for everything, and its totals add up."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ShardError
from pagemill.engine.reason import Reason
from pagemill.engine.store.ledger import (
    Fate,
    LedgerRow,
    RowKind,
    drop_superseded,
    part_path,
    read_rows,
    summarize,
    to_rows,
    to_table,
    write_rows,
)
from pagemill.engine.store.place import Place

SHA = "ab" * 32


def page(index: int, status: str = Fate.WRITTEN, **more: object) -> LedgerRow:
    shard = "train-000000" if status == Fate.WRITTEN else ""
    values = {"shard": shard, "page_index": index, "uri": "/in/a.pdf", **more}
    return LedgerRow(
        kind=RowKind.PAGE, key=f"{SHA[:20]}_{index:05d}", doc_sha256=SHA, status=status, **values
    )


def document(uri: str = "/in/a.pdf", status: str = Fate.WRITTEN, **more: object) -> LedgerRow:
    return LedgerRow(kind=RowKind.DOCUMENT, key=SHA, doc_sha256=SHA, uri=uri, status=status, **more)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.at(str(tmp_path))


def test_rows_come_back_as_written(place: Place) -> None:
    rows = [
        document(member="b/ü.pdf", page_count=3, bytes=2**40, warnings="odd; odder"),
        page(0, ms_render=1.25, score=0.1, evidence='{"a":1}', verdict="trusted", language="de"),
        page(1, Fate.FAILED, reason=Reason.TIMEOUT, attempts=3, message="line\nline\0"),
    ]
    write_rows(place, part_path(0, 0), rows)
    assert list(to_rows(read_rows(place))) == rows


def test_a_name_that_is_not_utf8_is_kept_readably(place: Place) -> None:
    write_rows(place, part_path(0, 0), [document(uri="/in/caf\udce9.pdf"), document(uri="/in/b")])
    assert [row.uri for row in to_rows(read_rows(place))] == ["/in/caf\\udce9.pdf", "/in/b"]


def test_parts_are_plain_parquet_and_the_same_every_time(place: Place) -> None:
    rows = [page(n) for n in range(50)]
    for window in (0, 1):
        write_rows(place, part_path(0, window), rows)
    assert place.read_bytes(part_path(0, 0)) == place.read_bytes(part_path(0, 1))
    table = pq.read_table(place.local_path(part_path(0, 0)))
    assert table["key"].to_pylist() == [row.key for row in rows]


def test_an_empty_ledger_has_all_columns(place: Place) -> None:
    assert read_rows(place).num_rows == 0
    assert read_rows(place, columns=["key", "status"]).column_names == ["key", "status"]
    assert summarize(read_rows(place)).documents["found"] == 0


def test_only_wanted_columns_are_read(place: Place) -> None:
    for generation in (0, 1):
        write_rows(place, part_path(generation, 0), [page(0, Fate.REJECTED, reason="blank")])
    table = read_rows(place, columns=["reason"])
    assert table.to_pydict() == {"reason": ["blank"]}


def test_a_retry_replaces_what_was_said_of_a_page_and_a_document(place: Place) -> None:
    first = [
        document(status=Fate.FAILED, reason=Reason.ENCRYPTED),
        document("/in/other.pdf", page_count=2),
        page(0, Fate.FAILED, reason=Reason.TIMEOUT),
        page(1),
    ]
    retry = [document(page_count=4), page(0)]
    write_rows(place, part_path(0, 0), first)
    write_rows(place, part_path(12, 0), retry)
    assert list(to_rows(read_rows(place))) == [first[1], first[3], *retry]
    assert list(to_rows(read_rows(place, before=12))) == first


def test_documents_are_told_apart_by_member_and_not_by_content(place: Place) -> None:
    rows = [document("/in/d.zip", member=name) for name in ("a", "b")]
    write_rows(place, part_path(0, 0), rows)
    late = replace(rows[1], status=Fate.REJECTED, reason=Reason.DUPLICATE_DOCUMENT)
    write_rows(place, part_path(1, 0), [late])
    assert list(to_rows(read_rows(place))) == [rows[0], late]


def test_generations_are_compared_as_numbers(place: Place) -> None:
    write_rows(place, part_path(1000, 0), [page(0)])
    write_rows(place, part_path(999, 0), [page(0, Fate.FAILED, reason=Reason.CRASH)])
    assert [row.status for row in to_rows(read_rows(place))] == [Fate.WRITTEN]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=8, unique_by=lambda x: x[0]),
        min_size=1,
        max_size=4,
    )
)
def test_the_last_word_on_each_page_counts(
    tmp_path_factory: pytest.TempPathFactory, generations: list[list[tuple[int, bool]]]
) -> None:
    place = Place.at(str(tmp_path_factory.mktemp("ledger")))
    last: dict[int, str] = {}
    for number, said in enumerate(generations):
        rows = [page(n) if good else page(n, Fate.FAILED, reason=Reason.CRASH) for n, good in said]
        last |= {row.page_index: row.status for row in rows}
        write_rows(place, part_path(number, 0), rows)
    assert {row.page_index: row.status for row in to_rows(read_rows(place))} == last
    assert read_rows(place).num_rows == len(last)
    drop_superseded(place)
    parts = [pq.read_table(place.local_path(f"ledger/{name}")) for name in place.list("ledger")]
    assert sum(part.num_rows for part in parts) == len(last)
    assert {row.page_index: row.status for row in to_rows(read_rows(place))} == last


def test_other_files_in_the_folder_are_left_alone(place: Place) -> None:
    write_rows(place, part_path(0, 0), [page(0)])
    place.write_bytes("ledger/notes.txt", b"mine")
    assert read_rows(place).num_rows == 1


def test_a_damaged_part_is_named(place: Place) -> None:
    write_rows(place, part_path(0, 0), [page(0)])
    place.write_bytes(part_path(0, 1), place.read_bytes(part_path(0, 0))[:-9])
    with pytest.raises(ShardError, match=r"ledger/g000-00001\.parquet"):
        read_rows(place)


def test_the_totals_of_a_run() -> None:
    rows = [
        document(page_count=3),
        document("/in/copy.pdf", Fate.REJECTED, reason=Reason.DUPLICATE_DOCUMENT),
        document("/in/locked.pdf", Fate.FAILED, reason=Reason.ENCRYPTED),
        document("/in/locked-copy.pdf", Fate.FAILED, reason=Reason.ENCRYPTED),
        document("/in/long.pdf", Fate.REJECTED, reason=Reason.DOCUMENT_PAGES, page_count=1),
        page(0, bytes=70, verdict="trusted", language="en", engine="mupdf 1"),
        page(1, bytes=50, verdict="trusted", language="de", engine="mupdf 1", shard="val-000000"),
        page(2, Fate.FAILED, reason=Reason.TIMEOUT, engine="poppler 2"),
        page(3, Fate.REJECTED, reason=Reason.DOCUMENT_PAGES, verdict="none"),
    ]
    assert summarize(rows).to_dict() == {
        "documents": {"found": 5, "opened": 3, "failed": 2, "duplicates": 1},
        "pages": {"found": 4, "written": 2, "rejected": 1, "failed": 3},
        "reasons": {"encrypted": 2, "document_pages": 1, "duplicate_document": 1, "timeout": 1},
        "verdicts": {"trusted": 2, "none": 1},
        "languages": {"de": 1, "en": 1},
        "engines": {"mupdf 1": 2, "poppler 2": 1},
        "shards": 2,
        "bytes": 120,
    }


kinds = st.sampled_from(RowKind)
fates = st.sampled_from(
    [
        (Fate.WRITTEN, ""),
        (Fate.REJECTED, Reason.BLANK),
        (Fate.REJECTED, Reason.DUPLICATE_DOCUMENT),
        (Fate.FAILED, Reason.TIMEOUT),
        (Fate.FAILED, Reason.DUPLICATE_DOCUMENT),
    ]
)


@given(st.lists(st.tuples(kinds, fates), max_size=40))
def test_the_accounting_holds_for_any_ledger(content: list[tuple[str, tuple[str, str]]]) -> None:
    rows = [
        replace(page(n, status, reason=reason), kind=kind)
        for n, (kind, (status, reason)) in enumerate(content)
    ]
    found = summarize(rows)
    documents, pages = found.documents, found.pages
    assert documents["found"] == documents["opened"] + documents["failed"]
    lost = pages["written"] + pages["rejected"] + pages["failed"]
    assert lost == pages["found"] + documents["failed"]
    assert documents["found"] + pages["found"] == len(rows)


def test_a_million_rows_are_summed_in_seconds() -> None:
    part = to_table([page(n, language="en", verdict="trusted") for n in range(1000)])
    table = pa.concat_tables([part] * 1000).unify_dictionaries()
    start = time.perf_counter()
    assert summarize(table).pages["written"] == 1_000_000
    assert time.perf_counter() - start < 10
    assert np.asarray(table["bytes"]).sum() == 0
