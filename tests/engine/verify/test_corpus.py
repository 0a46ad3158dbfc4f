"""A whole corpus: shards, counts, indexes and corpus.json against each other."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.engine.store.corpus import CorpusInfo
from pagemill.engine.store.index import read_index, read_index_meta, write_index
from pagemill.engine.store.place import Place
from pagemill.engine.verify.corpus import verify
from pagemill.engine.verify.fault import FaultKind as K
from support.verified import SHARD, WRITERS, Members, found, members, ours, pythons, tar_path


def test_an_untouched_corpus_has_no_fault(corpus: Place) -> None:
    assert verify(corpus) == []
    assert verify(corpus, deep=False) == []


def test_a_corpus_on_s3_is_verified_there(make_corpus, s3_uri: str) -> None:
    place = make_corpus(s3_uri)
    assert verify(place) == []
    data = bytearray(place.read_bytes(f"shards/{SHARD}.tar"))
    row = read_index(place, f"index/{SHARD}.parquet")[3]
    data[row.image_offset + 50] ^= 1
    place.write_bytes(f"shards/{SHARD}.tar", bytes(data))
    assert found(place) == [(SHARD, row.key, K.BIT_FLIP)]


def test_progress_ends_at_the_total(corpus: Place) -> None:
    seen: list[tuple[int, int]] = []
    verify(corpus, progress=lambda done, total: seen.append((done, total)))
    assert len(seen) == 3
    assert seen[-1][0] == seen[-1][1] == sum(e.bytes for e in CorpusInfo.load(corpus).shards)


def test_a_folder_without_corpus_json_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is not a corpus: there is no corpus\.json in it"):
        verify(Place.at(str(tmp_path)))


@WRITERS
@pytest.mark.parametrize("sample", [0, 3, 5])
def test_a_wrong_count_names_the_lost_sample(
    corpus: Place, samples, write: Callable[[Members], bytes], sample: int
) -> None:
    content = members(samples)
    del content[2 * sample : 2 * sample + 2]
    tar_path(corpus).write_bytes(write(content))
    assert found(corpus) == [(SHARD, samples[SHARD][sample][0], K.WRONG_COUNT)]


def test_a_wrong_count_names_the_sample_that_the_index_lacks(corpus: Place, samples) -> None:
    rel = f"index/{SHARD}.parquet"
    rows, meta = read_index(corpus, rel), read_index_meta(corpus, rel)
    write_index(corpus, rel, rows[:4] + rows[5:], replace(meta, samples=5))
    assert found(corpus) == [(SHARD, samples[SHARD][4][0], K.WRONG_COUNT)]


def test_a_wrong_count_in_corpus_json_is_found(corpus: Place) -> None:
    path = corpus.local_path("corpus.json")
    tree = orjson.loads(path.read_bytes())
    tree["splits"]["train"][0]["samples"] = 7
    path.write_bytes(orjson.dumps(tree))
    assert found(corpus) == [(SHARD, "", K.WRONG_COUNT)]


def test_a_wrong_count_in_the_index_header_is_found(corpus: Place) -> None:
    rel = f"index/{SHARD}.parquet"
    meta = read_index_meta(corpus, rel)
    write_index(corpus, rel, read_index(corpus, rel), replace(meta, samples=9))
    assert found(corpus) == [(SHARD, "", K.WRONG_COUNT)]


def test_a_missing_shard_is_named(corpus: Place) -> None:
    tar_path(corpus).unlink()
    assert found(corpus) == [(SHARD, "", K.MISSING_SHARD)]


def test_an_extra_shard_is_named(corpus: Place) -> None:
    shutil.copy(tar_path(corpus), tar_path(corpus, "train-000007"))
    assert found(corpus) == [("train-000007", "", K.EXTRA_SHARD)]


def test_swapped_shards_are_found_in_both(corpus: Place) -> None:
    first, second = tar_path(corpus), tar_path(corpus, "val-000000")
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    second.write_bytes(a)
    assert {shard for shard, _, _ in found(corpus)} >= {SHARD, "val-000000"}


def test_samples_in_another_order_are_found(corpus: Place, samples) -> None:
    content = members(samples)
    content[2:6] = content[4:6] + content[2:4]
    tar_path(corpus).write_bytes(ours(content))
    assert found(corpus) == [(SHARD, samples[SHARD][2][0], K.WRONG_ORDER)]


def test_json_before_its_image_is_found(corpus: Place, samples) -> None:
    content = members(samples)
    content[2], content[3] = content[3], content[2]
    tar_path(corpus).write_bytes(ours(content))
    assert found(corpus) == [(SHARD, samples[SHARD][1][0], K.WRONG_ORDER)]


def test_a_rewritten_tar_with_the_same_members_is_told_from_a_damaged_one(
    corpus: Place, samples
) -> None:
    tar_path(corpus).write_bytes(pythons(members(samples)))
    assert found(corpus) == [(SHARD, "", K.CHECKSUM)]


def test_bytes_after_the_end_are_found(corpus: Place) -> None:
    with tar_path(corpus).open("ab") as stream:
        stream.write(b"x")
    assert found(corpus) == [(SHARD, "", K.BIT_FLIP)]


def test_a_member_of_another_kind_is_found(corpus: Place, samples) -> None:
    content = members(samples)
    tar_path(corpus).write_bytes(ours([*content, (f"{samples[SHARD][5][0]}.txt", b"note")]))
    assert found(corpus) == [(SHARD, samples[SHARD][5][0], K.EXTRA_MEMBER)]


def test_a_missing_index_is_found(corpus: Place) -> None:
    corpus.remove(f"index/{SHARD}.parquet")
    assert found(corpus) == [(SHARD, "", K.MISSING_INDEX)]


def test_a_damaged_index_is_found_wherever_it_is_hit(corpus: Place) -> None:
    path = corpus.local_path(f"index/{SHARD}.parquet")
    intact = path.read_bytes()
    path.write_bytes(intact[:-30])
    assert found(corpus) == [(SHARD, "", K.INDEX)]
    for position in range(0, len(intact), 997):
        damaged = bytearray(intact)
        damaged[position] ^= 16
        path.write_bytes(damaged)
        assert found(corpus) == [(SHARD, "", K.INDEX)]


@pytest.mark.parametrize(
    "lie",
    [
        {"image_offset": 4096},
        {"json_bytes": 3},
        {"image_crc32c": 1},
        {"bytes": 512},
        {"width": 7},
        {"words": 5},
        {"language": "xx"},
        {"doc_sha256": "0" * 64},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_an_index_that_lies_is_found(corpus: Place, lie: dict[str, object]) -> None:
    rel = f"index/{SHARD}.parquet"
    rows, meta = read_index(corpus, rel), read_index_meta(corpus, rel)
    rows[3] = replace(rows[3], **lie)
    write_index(corpus, rel, rows, meta)
    faults = verify(corpus)
    assert [(f.shard, f.key, f.kind) for f in faults] == [(SHARD, rows[3].key, K.INDEX)]
    assert next(iter(lie)) in faults[0].message


def test_an_index_of_another_shard_is_found(corpus: Place) -> None:
    rel = f"index/{SHARD}.parquet"
    meta = read_index_meta(corpus, rel)
    write_index(corpus, rel, read_index(corpus, rel), replace(meta, shard="train-000005"))
    assert found(corpus) == [(SHARD, "", K.INDEX)]


@pytest.mark.parametrize("name", ["sha256", "bytes"])
def test_corpus_json_that_lies_about_a_shard_is_found(corpus: Place, name: str) -> None:
    path = corpus.local_path("corpus.json")
    tree = orjson.loads(path.read_bytes())
    tree["splits"]["train"][0][name] = {"sha256": "f" * 64, "bytes": 5}[name]
    path.write_bytes(orjson.dumps(tree))
    assert found(corpus) == [(SHARD, "", K.CHECKSUM)]


def test_a_damaged_corpus_json_does_not_stop_the_search(corpus: Place, samples) -> None:
    content = members(samples)
    content.pop(3)
    tar_path(corpus).write_bytes(ours(content))
    corpus.write_bytes("corpus.json", b'{"schema": "pagemill.co')
    assert found(corpus) == [
        ("", "", K.CORPUS),
        (SHARD, samples[SHARD][1][0], K.MISSING_MEMBER),
    ]


def test_a_shard_name_that_leaves_the_corpus_is_refused(corpus: Place) -> None:
    path = corpus.local_path("corpus.json")
    tree = orjson.loads(path.read_bytes())
    tree["splits"]["test"] = [{"name": "../x", "bytes": 1, "samples": 1, "sha256": ""}]
    path.write_bytes(orjson.dumps(tree))
    assert found(corpus) == [("", "", K.CORPUS)]


def test_an_unfinished_build_is_said_to_be_one(corpus: Place) -> None:
    replace(CorpusInfo.load(corpus), status="building").save(corpus)
    assert found(corpus) == [("", "", K.UNFINISHED)]
