"""A small ledger with every fate in it, and one index, without shards."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from pagemill.engine.key import page_key
from pagemill.engine.store.index import IndexMeta, IndexRow, write_index
from pagemill.engine.store.ledger import LedgerRow, part_path, write_rows
from pagemill.engine.store.place import Place

INVOICE = "a1b2c3d4" + "0" * 56
LETTER = "a1b2c3d9" + "1" * 56
LOCKED = "ffee0011" + "2" * 56


def document(sha256: str, uri: str, **values: object) -> LedgerRow:
    row = {"kind": "document", "key": sha256, "doc_sha256": sha256, "uri": uri, "status": "written"}
    return LedgerRow(**{**row, **values})  # type: ignore[arg-type]


def page(sha256: str, index: int, uri: str, **values: object) -> LedgerRow:
    row: dict[str, object] = {
        "kind": "page",
        "key": page_key(sha256, index),
        "doc_sha256": sha256,
        "uri": uri,
        "page_index": index,
        "page_count": 3,
        "status": "written",
        "engine": "mupdf 1.28.5",
    }
    return LedgerRow(**{**row, **values})  # type: ignore[arg-type]


ROWS = [
    document(INVOICE, "/dump/2024/invoice.pdf", page_count=3, bytes=52_000),
    page(
        INVOICE,
        0,
        "/dump/2024/invoice.pdf",
        shard="train-000000",
        verdict="trusted",
        score=0.9731,
        evidence=json.dumps({"ink_in_boxes": 0.981, "width_correlation": 0.94}),
        language="de",
        words=312,
        width=1191,
        height=1684,
        ms_render=12.5,
    ),
    page(
        INVOICE, 1, "/dump/2024/invoice.pdf", status="rejected", stage="filter", reason="text_none"
    ),
    page(
        INVOICE,
        2,
        "/dump/2024/invoice.pdf",
        status="failed",
        stage="render",
        reason="timeout",
        message="stopped after 30 s",
        attempts=3,
        warnings="bad xref; trying to repair",
    ),
    document(LETTER, "/dump/2024/old.zip", member="letters/letter.pdf", name="old.zip"),
    page(LETTER, 0, "/dump/2024/old.zip", member="letters/letter.pdf"),
    document(INVOICE, "/dump/copy/invoice.pdf", status="rejected", reason="duplicate_document"),
    document(LOCKED, "s3://bucket/locked.pdf", status="failed", stage="open", reason="encrypted"),
]


def write_ledger(folder: Path) -> Place:
    """A corpus with an invoice (one page written, one rejected, one failed) and three others."""
    place = Place.at(str(folder))
    write_rows(place, part_path(0, 0), ROWS)
    values = {item.name: 0 for item in fields(IndexRow)}
    span = IndexRow(  # type: ignore[arg-type]
        **{
            **values,
            "key": page_key(INVOICE, 0),
            "doc_sha256": INVOICE,
            "image_ext": "png",
            "image_offset": 512,
            "image_bytes": 90_000,
            "json_offset": 91_136,
            "json_bytes": 7_000,
            "region_chars": (3,),
            "x_height": 9.0,
            "language": "de",
            "verdict": "trusted",
            "score": 0.97,
        }
    )
    meta = IndexMeta(shard="train-000000", sha256="0" * 64, bytes=100_000, samples=1)
    write_index(place, "index/train-000000.parquet", [span], meta)
    return place
