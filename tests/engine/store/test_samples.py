"""A corpus as a sequence of pages: by number, by key, in order, with pixels when asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
from pagemill.engine.errors import ConfigError, ShardError
from pagemill.engine.image import decode
from pagemill.engine.page import page_from_dict
from pagemill.engine.store.index import read_index, read_index_meta, write_index
from pagemill.engine.store.place import Place
from pagemill.engine.store.samples import open_corpus
from support.pages import Sample

Shards = dict[str, list[Sample]]


@pytest.fixture
def keys(samples: Shards) -> list[str]:
    return [key for content in samples.values() for key, _ in content]


def test_pages_come_by_number_by_key_and_in_order(
    corpus: Place, samples: Shards, keys: list[str]
) -> None:
    opened = open_corpus(corpus.uri)
    assert len(opened) == len(keys) == 14
    assert [page.key for page in opened] == keys == list(opened.keys())
    assert opened[-1] == opened[13] == opened[keys[13]]
    assert keys[3] in opened
    assert "nothing" not in opened
    parts = dict(samples["train-000001"][2][1])
    tree = orjson.loads(parts["json"])
    assert opened[8] == page_from_dict(tree)
    assert opened.stored(8).source == tree["source"]
    assert opened.row(8).words == len(tree["words"]["text"])


def test_an_image_is_that_of_its_page(corpus: Place, samples: Shards, keys: list[str]) -> None:
    opened = open_corpus(corpus.uri)
    written = decode(samples["val-000000"][1][1][0][1])
    for which in (13, -1, keys[13], opened[13]):
        np.testing.assert_array_equal(opened.image(which), written)


def test_a_split_is_a_corpus_of_its_own(corpus: Place, keys: list[str]) -> None:
    assert [page.key for page in open_corpus(corpus.uri, split="val")] == keys[12:]
    with pytest.raises(ConfigError, match="no split 'test'; there are: train, val"):
        open_corpus(corpus.uri, split="test")


def test_what_is_not_there_is_named(corpus: Place, tmp_path: Path) -> None:
    opened = open_corpus(corpus.uri)
    for number in (14, -15):
        with pytest.raises(IndexError, match=f"has 14 pages; there is no {number}"):
            opened[number]
    with pytest.raises(KeyError, match="has no page 'abc'"):
        opened["abc"]
    with pytest.raises(ConfigError, match="is not a corpus"):
        open_corpus(str(tmp_path / "gone"))


def test_a_damaged_page_is_refused_by_its_key_and_the_others_are_read(corpus: Place) -> None:
    opened = open_corpus(corpus.uri)
    row = opened.row(2)
    tar = Path(corpus.uri) / "shards" / "train-000000.tar"
    data = bytearray(tar.read_bytes())
    data[row.image_offset + 40] ^= 1
    data[opened.row(3).json_offset + 2] ^= 1
    tar.write_bytes(data)
    assert opened[2].key == row.key
    with pytest.raises(ShardError, match="its image has another checksum") as caught:
        opened.image(2)
    assert caught.value.key == row.key
    assert row.key in str(caught.value)
    with pytest.raises(ShardError, match="its json has another checksum"):
        opened[3]
    assert opened[4].key == opened.row(4).key
    tar.write_bytes(data[: row.image_offset + 10])
    with pytest.raises(ShardError, match="cut off after 10 bytes"):
        opened.image(2)
    tar.unlink()
    with pytest.raises(ShardError, match="the shard is not there"):
        opened.image(2)


def test_an_index_that_lacks_a_row_is_refused(corpus: Place) -> None:
    index = "index/train-000000.parquet"
    write_index(corpus, index, read_index(corpus, index)[1:], read_index_meta(corpus, index))
    with pytest.raises(ShardError, match=r"has 5 samples, corpus\.json says 6"):
        open_corpus(corpus.uri)[0]
    with pytest.raises(ShardError, match=r"has 5 samples, corpus\.json says 6"):
        open_corpus(corpus.uri)["abc"]


def test_a_corpus_is_read_from_an_object_store(
    make_corpus: Callable[[str], Place], s3_uri: str, keys: list[str]
) -> None:
    make_corpus(s3_uri)
    opened = open_corpus(s3_uri)
    assert opened[keys[5]].key == keys[5]
    assert opened.image(5).ndim in (2, 3)
