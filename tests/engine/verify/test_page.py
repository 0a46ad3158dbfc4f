"""Samples that contradict themselves, and a ledger that contradicts the shards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest
from pagemill.engine.store.corpus import CorpusInfo
from pagemill.engine.store.index import read_index, read_index_meta, write_index
from pagemill.engine.store.ledger import part_path, read_rows, to_rows, write_rows
from pagemill.engine.store.place import Place
from pagemill.engine.store.shard import write_shard
from pagemill.engine.verify.corpus import verify
from pagemill.engine.verify.fault import FaultKind as K
from support.verified import SHARD, found, tar_path


def rewrite(corpus: Place, samples, number: int, change: Callable[[dict, bytes], bytes]) -> str:
    """Write the shard, its index and corpus.json anew with one sample changed; its key."""
    content = [(key, list(parts)) for key, parts in samples[SHARD]]
    key, parts = content[number]
    page = orjson.loads(parts[1][1])
    image = change(page, parts[0][1])
    content[number] = (key, [("png", image), ("json", orjson.dumps(page))])
    path = corpus.scratch_dir() / "new"
    summary = write_shard(path, content)
    corpus.put(path, f"shards/{SHARD}.tar")
    rel = f"index/{SHARD}.parquet"
    rows = [
        replace(
            row,
            offset=span.offset,
            bytes=span.bytes,
            **{
                f"{name}_{what}": getattr(part, field)
                for name, part in zip(("image", "json"), span.parts, strict=True)
                for what, field in (("offset", "offset"), ("bytes", "size"), ("crc32c", "crc32c"))
            },
        )
        for row, span in zip(read_index(corpus, rel), summary.samples, strict=True)
    ]
    meta = read_index_meta(corpus, rel)
    write_index(corpus, rel, rows, replace(meta, sha256=summary.sha256, bytes=summary.bytes))
    info = CorpusInfo.load(corpus)
    first, *others = info.splits["train"]
    entry = replace(first, sha256=summary.sha256, bytes=summary.bytes)
    replace(info, splits={**info.splits, "train": (entry, *others)}).save(corpus)
    return key


def claim(path: str, value: object) -> Callable[[dict, bytes], bytes]:
    def change(page: dict, image: bytes) -> bytes:
        *parents, last = path.split(".")
        for name in parents:
            page = page[name]
        page[last] = value
        return image

    return change


JSON_LIES = {
    "schema": "pagemill.page.0",
    "key": "0" * 20 + "_00000",
    "page_index": 3,
    "page_count": 0,
    "source": None,
    "words.text": ["one"],
    "words.bbox": [[0, 0, 5, 5]] * 5 + [[0, 0, 5, 161]],
    "lines.bbox": [[9, 9, 3, 12]] * 3,
    "blocks.bbox": [[-2, 0, 9, 9]],
    "words.line": [0, 0, 1, 1, 2, 3],
    "lines.block": [0, 0, 1],
    "lines.words": [[0, 2], [2, 4], [4, 7]],
    "blocks.lines": [[0, 4]],
}


@pytest.mark.parametrize("path", JSON_LIES)
def test_json_that_contradicts_itself_is_found(corpus: Place, samples, path: str) -> None:
    key = rewrite(corpus, samples, 2, claim(path, JSON_LIES[path]))
    faults = found(corpus)
    assert (SHARD, key, K.JSON) in faults
    assert {(shard, name) for shard, name, _ in faults} == {(SHARD, key)}
    assert found(corpus, deep=False) == []


def test_json_that_is_none_is_found(corpus: Place, samples) -> None:
    key = rewrite(corpus, samples, 1, lambda page, image: page.clear() or image)
    assert found(corpus) == [(SHARD, key, K.JSON)]


@pytest.mark.parametrize("keep", [0, 60, -20])
def test_an_image_that_was_written_broken_is_found(corpus: Place, samples, keep: int) -> None:
    def cut(page: dict, image: bytes) -> bytes:
        page["image_sha256"] = hashlib.sha256(image[:keep]).hexdigest()
        return image[:keep]

    key = rewrite(corpus, samples, 4, cut)
    assert found(corpus) == [(SHARD, key, K.IMAGE)]


def test_an_image_of_another_page_is_found(corpus: Place, samples) -> None:
    other = samples["val-000000"][0][1][0][1]
    key = rewrite(corpus, samples, 2, lambda page, image: other)
    assert set(found(corpus)) == {(SHARD, key, K.IMAGE)}
    assert len(verify(corpus)) == 2  # its checksum, and its size


def rewrite_ledger(corpus: Place, change: Callable[[list], list]) -> None:
    rows = change(list(to_rows(read_rows(corpus))))
    write_rows(corpus, part_path(0, 0), rows)
    replace(CorpusInfo.load(corpus), totals={}).save(corpus)


def of_key(key: str, **more: object) -> Callable[[list], list]:
    return lambda rows: [replace(row, **more) if row.key == key else row for row in rows]


def test_a_written_row_without_its_sample_is_found(corpus: Place, samples) -> None:
    key = samples[SHARD][0][0]
    rewrite_ledger(corpus, of_key(key, shard="val-000000"))
    assert found(corpus) == [(SHARD, key, K.WRONG_COUNT), ("val-000000", key, K.WRONG_COUNT)]


def test_a_sample_whose_row_says_rejected_is_found(corpus: Place, samples) -> None:
    key = samples[SHARD][5][0]
    rewrite_ledger(corpus, of_key(key, status="rejected", reason="blank", shard=""))
    assert found(corpus) == [(SHARD, key, K.WRONG_COUNT)]


def test_a_page_that_disappeared_from_the_ledger_is_found(corpus: Place, samples) -> None:
    key = samples[SHARD][3][0]
    document = orjson.loads(samples[SHARD][3][1][1][1])["doc_sha256"]
    rewrite_ledger(corpus, lambda rows: [row for row in rows if row.key != key])
    assert found(corpus) == [("", document, K.ACCOUNTING), (SHARD, key, K.WRONG_COUNT)]


def test_a_document_that_disappeared_from_the_ledger_is_found(corpus: Place, samples) -> None:
    document = orjson.loads(samples[SHARD][0][1][1][1])["doc_sha256"]
    rewrite_ledger(corpus, lambda rows: [row for row in rows if row.key != document])
    assert found(corpus) == [("", document, K.ACCOUNTING)]


def test_a_page_with_two_rows_is_found(corpus: Place, samples) -> None:
    key = samples[SHARD][0][0]
    rewrite_ledger(corpus, lambda rows: rows + [row for row in rows if row.key == key])
    assert ("", key, K.LEDGER) in found(corpus)


@pytest.mark.parametrize(
    "lie",
    [
        {"status": "lost"},
        {"status": "failed", "shard": ""},
        {"status": "rejected", "reason": "dislike", "shard": ""},
        {"shard": ""},
        {"status": "failed", "reason": "crash"},
    ],
    ids=str,
)
def test_a_row_that_contradicts_itself_is_found(corpus: Place, samples, lie: dict) -> None:
    key = samples[SHARD][0][0]
    rewrite_ledger(corpus, of_key(key, **lie))
    assert (key, K.LEDGER) in [(name, kind) for _, name, kind in found(corpus)]


def test_written_rows_of_a_shard_that_is_not_there_are_found(corpus: Place) -> None:
    info = CorpusInfo.load(corpus)
    replace(info, splits={"train": info.splits["train"]}).save(corpus)
    assert set(found(corpus)) == {
        ("val-000000", "", K.EXTRA_SHARD),
        ("val-000000", "", K.WRONG_COUNT),
    }


def test_totals_that_do_not_add_up_are_found(corpus: Place) -> None:
    info = CorpusInfo.load(corpus)
    pages = {**info.totals["pages"], "written": 99}
    replace(info, totals={**info.totals, "pages": pages}).save(corpus)
    assert found(corpus) == [("", "", K.ACCOUNTING)]


def test_a_damaged_ledger_is_found_and_shards_are_read_all_the_same(corpus: Place) -> None:
    path = corpus.local_path(part_path(0, 0))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    tar_path(corpus).unlink()
    assert found(corpus) == [("", part_path(0, 0), K.LEDGER), (SHARD, "", K.MISSING_SHARD)]


def test_a_flood_of_faults_is_counted_not_listed(corpus: Place) -> None:
    rewrite_ledger(
        corpus,
        lambda rows: (
            [row for row in rows if row.kind != "page"]
            + [replace(rows[0], key=f"{'c' * 20}_{n:05d}", shard=SHARD) for n in range(500)]
        ),
    )
    faults = [fault for fault in verify(corpus) if fault.shard == SHARD]
    assert len(faults) == 21
    assert "486 more" in faults[-1].message
