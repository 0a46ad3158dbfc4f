"""An index says where each sample lies, so that a loader can fetch one without the shard."""

from __future__ import annotations

from dataclasses import replace

import google_crc32c
import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from pagemill.engine.errors import ShardError
from pagemill.engine.store.index import (
    read_index,
    read_index_meta,
    read_index_table,
    write_dali,
    write_index,
)
from pagemill.engine.store.place import Place

REL = "index/train-000000.parquet"


def test_a_sample_can_be_read_by_its_row_alone(corpus: Place, samples) -> None:
    rows = read_index(corpus, REL)
    assert [row.key for row in rows] == [key for key, _ in samples["train-000000"]]
    for row, (_, parts) in zip(rows, samples["train-000000"], strict=True):
        tar = "shards/train-000000.tar"
        image = corpus.read_range(tar, row.image_offset, row.image_bytes)
        text = corpus.read_range(tar, row.json_offset, row.json_bytes)
        assert [("png", image), ("json", text)] == parts
        assert google_crc32c.value(image) == row.image_crc32c
        assert google_crc32c.value(text) == row.json_crc32c


def test_a_row_tells_what_the_page_holds(corpus: Place, samples) -> None:
    rows = read_index(corpus, REL)
    for row, (_, parts) in zip(rows, samples["train-000000"], strict=True):
        page = orjson.loads(parts[1][1])
        assert (row.doc_sha256, row.page_index) == (page["doc_sha256"], page["page_index"])
        assert (row.width, row.height, row.x_height) == (page["width"], page["height"], 11.0)
        assert (row.words, row.lines, row.blocks, row.figures) == (6, 3, 1, 0)
        assert row.region_chars == tuple(len(line) for line in page["lines"]["text"])
        assert row.chars == sum(row.region_chars)
        assert (row.language, row.verdict, row.score) == ("en", "trusted", 0.97)


def test_rows_and_shard_come_back_as_written(corpus: Place) -> None:
    rows, meta = read_index(corpus, REL), read_index_meta(corpus, REL)
    rows[0] = replace(rows[0], region_chars=(), score=0.1, x_height=0.3, offset=2**40)
    write_index(corpus, "index/copy.parquet", rows, replace(meta, bytes=2**41))
    assert read_index(corpus, "index/copy.parquet") == rows
    assert read_index_meta(corpus, "index/copy.parquet") == replace(meta, bytes=2**41)
    assert meta.shard == "train-000000"
    assert meta.samples == len(rows) == 6


def test_an_index_of_no_samples_is_an_index(corpus: Place) -> None:
    meta = replace(read_index_meta(corpus, REL), samples=0)
    write_index(corpus, "index/none.parquet", [], meta)
    assert read_index(corpus, "index/none.parquet") == []


def test_the_index_is_plain_parquet(corpus: Place) -> None:
    table = pq.read_table(corpus.local_path(REL))
    assert table.num_rows == 6
    assert np.asarray(read_index_table(corpus, REL)["width"]).tolist() == [
        200 + 8 * n for n in table["page_index"].to_pylist()
    ]


def test_a_missing_index_is_named(corpus: Place) -> None:
    with pytest.raises(ShardError, match=r"index/none\.parquet is missing"):
        read_index(corpus, "index/none.parquet")


def test_dali_finds_every_member_where_its_index_says(corpus: Place, samples) -> None:
    write_dali(corpus, "index/train-000000.idx", read_index(corpus, REL))
    first, *lines = corpus.read_bytes("index/train-000000.idx").decode().splitlines()
    assert first == "v1.2 6"
    tar = corpus.read_bytes("shards/train-000000.tar")
    for line, (key, parts) in zip(lines, samples["train-000000"], strict=True):
        fields = line.split(" ")
        for column, (ext, data) in zip((0, 4), parts, strict=True):
            found_ext, offset, size, name = fields[column : column + 4]
            assert (found_ext, name) == (ext, f"{key}.{ext}")
            assert tar[int(offset) : int(offset) + int(size)] == data
