"""A small corpus with every fate, pictures and thumbnails, and the report that is drawn of it."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pagemill.engine.image import ImageConfig, encode, size_of, thumbnail
from pagemill.engine.key import page_key
from pagemill.engine.record import PageFacts
from pagemill.engine.store.corpus import CorpusInfo, ShardEntry
from pagemill.engine.store.index import IndexMeta, row_from_facts, write_index
from pagemill.engine.store.ledger import LedgerRow, part_path, write_rows
from pagemill.engine.store.place import Place
from pagemill.engine.store.shard import write_shard
from pagemill.pipelines.build.thumbs import THUMB_SCHEMA
from pagemill.report.corpus import write_corpus_report

WIDTH, HEIGHT = 595, 842

BOXES = [[60.0, 80.0, 200.0, 100.0], [220.0, 80.0, 400.0, 100.0], [60.0, 700.0, 180.0, 720.0]]

VOID = {"meta", "input", "br", "hr", "img", "link"}


def drawn_page() -> np.ndarray:
    """A white page with a black bar where each of `BOXES` is."""
    image = np.full((HEIGHT, WIDTH), 255, dtype=np.uint8)
    for x0, y0, x1, y1 in BOXES:
        cv2.rectangle(image, (int(x0), int(y0)), (int(x1), int(y1)), 0, -1)
    return image


def sha(number: int) -> str:
    return f"{number * 2654435761 % 2**64:016x}" + "0" * 48


def page_row(document: int, index: int, **values: object) -> LedgerRow:
    row: dict[str, object] = {
        "kind": "page",
        "key": page_key(sha(document), index),
        "doc_sha256": sha(document),
        "uri": f"/dump/report {document}.pdf",
        "name": f"report {document}.pdf",
        "page_index": index,
        "page_count": 4,
        "status": "rejected",
        "reason": "blank",
        "stage": "filter",
        "verdict": "none",
        "engine": "mupdf 1.28.5",
        "width": WIDTH,
        "height": HEIGHT,
        "ms_render": 4.0,
    }
    return LedgerRow(**{**row, **values})  # type: ignore[arg-type]


def document_row(document: int, **values: object) -> LedgerRow:
    row: dict[str, object] = {
        "kind": "document",
        "key": sha(document),
        "doc_sha256": sha(document),
        "uri": f"/dump/report {document}.pdf",
        "status": "written",
    }
    return LedgerRow(**{**row, **values})  # type: ignore[arg-type]


def save_corpus(
    place: Place, rows: list[LedgerRow], shards: tuple[ShardEntry, ...] = (), **values: object
) -> None:
    write_rows(place, part_path(0, 0), rows)
    info = CorpusInfo(
        status="complete",
        created="2026-11-20",
        config={"render": {"dpi": 72}, "shard": {"bytes": 100_000}},
        config_hash="0123456789abcdef",
        image_ext="png",
        splits={"train": shards},
        versions={"pagemill": "0.1.0"},
    )
    replace(info, **values).save(place)  # type: ignore[arg-type]


FACTS = PageFacts(
    width=WIDTH,
    height=HEIGHT,
    words=3,
    lines=2,
    chars=4,
    region_chars=(3, 1),
    x_height=9.0,
    language="en",
    verdict="trusted",
    score=0.97,
)


def write_pages(place: Place, folder: Path, documents: range) -> tuple[list[LedgerRow], ShardEntry]:
    """One shard with one drawn page of each document, its index, and the ledger's rows."""
    image = encode(drawn_page(), ImageConfig())
    samples, rows = [], []
    for document in documents:
        page = {
            "doc_sha256": sha(document),
            "page_index": 0,
            "width": WIDTH,
            "height": HEIGHT,
            "words": {"text": ["a", "b", "c"], "bbox": BOXES, "line": [0, 0, 1], "flags": [0] * 3},
            "lines": {"text": ["a b", "c"]},
            "blocks": {"bbox": []},
            "figures": {"bbox": []},
            "x_height": 9.0,
            "language": "en",
            "verdict": {"name": "trusted", "score": 0.97},
        }
        samples.append((page_key(sha(document), 0), page, orjson.dumps(page)))
        told = {"reason": "", "verdict": "trusted", "score": 0.97, "words": 3, "language": "en"}
        written = {"status": "written", "shard": "train-000000", "bytes": len(image)}
        rows += [document_row(document), page_row(document, 0, **told, **written)]
    tar = folder / "shard.tar"
    summary = write_shard(tar, [(k, [("png", image), ("json", data)]) for k, _, data in samples])
    place.put(tar, "shards/train-000000.tar")
    spans = zip(summary.samples, samples, strict=True)
    meta = IndexMeta(
        shard="train-000000", sha256=summary.sha256, bytes=summary.bytes, samples=len(samples)
    )
    write_index(
        place,
        "index/train-000000.parquet",
        [row_from_facts(s, page["doc_sha256"], 0, FACTS) for s, (_, page, _) in spans],
        meta,
    )
    entry = ShardEntry(
        name="train-000000", bytes=summary.bytes, samples=len(samples), sha256=summary.sha256
    )
    return rows, entry


def write_thumbs(place: Place, keys: list[str]) -> None:
    jpeg = thumbnail(drawn_page(), 200)
    width, height = size_of(jpeg)
    fractions = [v / (WIDTH, HEIGHT)[i % 2] for box in BOXES for i, v in enumerate(box)]
    rows = [
        {
            "key": key,
            "status": "rejected",
            "reason": "blank",
            "jpeg": jpeg,
            "width": width,
            "height": height,
            "words": fractions,
        }
        for key in keys
    ]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=THUMB_SCHEMA), sink)
    place.write_bytes("thumbs/g000-00000.parquet", sink.getvalue())


class Document(HTMLParser):
    """What a browser would make of the report; fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: Counter[str] = Counter()
        self.text = ""
        self.cards: dict[str, dict[str, str]] = {}
        self._open: list[str] = []
        self._card: dict[str, str] | None = None
        self.feed(text)
        self.close()
        assert self._open == []
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in values.items()]
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if tag == "a" else []
        if tag == "figure" and "card" in values.get("class", "").split():
            self._card = self.cards.setdefault(values["id"], {"class": values["class"], "text": ""})
        if self._card is not None and tag == "image":
            self._card["image"] = values["href"]
        if self._card is not None and values.get("class") == "boxes":
            self._card["boxes"] = values["d"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag
        if tag == "figure":
            self._card = None

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.text += data
            if self._card is not None:
                self._card["text"] += data


def report_of(place: Place) -> Document:
    write_corpus_report(place)
    return Document(place.read_bytes("report.html").decode("utf-8"))
