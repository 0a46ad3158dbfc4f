"""Damage inside shards: cut, flipped, missing, doubled and misplaced members are named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest
from pagemill.engine.store.corpus import CorpusInfo
from pagemill.engine.store.index import read_index
from pagemill.engine.store.place import Place
from pagemill.engine.store.tar import BLOCK_BYTES, member_bytes
from pagemill.engine.verify.corpus import verify
from pagemill.engine.verify.fault import FaultKind as K
from support.verified import SHARD, WRITERS, Members, found, members, ours, tar_path

INDEXED = pytest.mark.parametrize("indexed", [True, False], ids=["index", "no index"])


@pytest.mark.parametrize("cut_after", [1, 2, 5, 8], ids=lambda n: f"{n} members")
def test_a_cut_at_a_member_boundary_names_the_first_lost_sample(
    corpus: Place, samples, cut_after: int
) -> None:
    content = members(samples)
    size = sum(member_bytes(len(data)) for _, data in content[:cut_after])
    path = tar_path(corpus)
    path.write_bytes(path.read_bytes()[:size])
    lost = content[cut_after][0].partition(".")[0]
    faults = verify(corpus)
    assert [(f.shard, f.key, f.kind) for f in faults] == [(SHARD, lost, K.CUT_AT_MEMBER)]
    assert f"{6 - cut_after // 2} samples" in faults[0].message


@pytest.mark.parametrize("member", range(12))
@pytest.mark.parametrize("place_in_member", ["header", "data"])
def test_a_cut_inside_a_member_names_its_sample(
    corpus: Place, samples, member: int, place_in_member: str
) -> None:
    content = members(samples)
    start = sum(member_bytes(len(data)) for _, data in content[:member])
    path = tar_path(corpus)
    path.write_bytes(path.read_bytes()[: start + (100 if place_in_member == "header" else 600)])
    key = content[member][0].partition(".")[0]
    assert found(corpus) == [(SHARD, key, K.CUT_IN_MEMBER)]


def test_a_cut_of_the_end_mark_alone_is_found(corpus: Place) -> None:
    path = tar_path(corpus)
    path.write_bytes(path.read_bytes()[:-700])
    assert found(corpus) == [(SHARD, "", K.CUT_AT_MEMBER)]


@pytest.mark.parametrize("deep", [True, False])
def test_every_flipped_bit_is_found_in_its_member(corpus: Place, deep: bool) -> None:
    path = tar_path(corpus)
    intact = path.read_bytes()
    rows = read_index(corpus, f"index/{SHARD}.parquet")
    for position in range(0, rows[1].offset + rows[1].bytes, 311):
        damaged = bytearray(intact)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        key = rows[0].key if position < rows[1].offset else rows[1].key
        assert found(corpus, deep=deep) == [(SHARD, key, K.BIT_FLIP)], position


def test_a_flipped_bit_in_the_end_mark_is_found(corpus: Place) -> None:
    path = tar_path(corpus)
    data = bytearray(path.read_bytes())
    for position in (len(data) - 1, len(data) - 600):
        damaged = bytearray(data)
        damaged[position] ^= 4
        path.write_bytes(damaged)
        assert found(corpus) == [(SHARD, "", K.BIT_FLIP)]


@pytest.mark.parametrize("offset", [10, 300, 700], ids=["name", "header", "data"])
@pytest.mark.parametrize("part", ["image", "json"])
def test_a_flipped_bit_is_found_without_an_index(corpus: Place, part: str, offset: int) -> None:
    row = read_index(corpus, f"index/{SHARD}.parquet")[2]
    corpus.remove(f"index/{SHARD}.parquet")
    path = tar_path(corpus)
    data = bytearray(path.read_bytes())
    data[(row.image_offset if part == "image" else row.json_offset) - BLOCK_BYTES + offset] ^= 2
    path.write_bytes(data)
    assert (SHARD, row.key, K.BIT_FLIP) in found(corpus)


@WRITERS
@INDEXED
def test_interleaved_members_name_both_samples(
    corpus: Place, samples, write: Callable[[Members], bytes], indexed: bool
) -> None:
    content = members(samples)
    content[3], content[4] = content[4], content[3]
    tar_path(corpus).write_bytes(write(content))
    expected = [(SHARD, samples[SHARD][n][0], K.INTERLEAVED) for n in (1, 2)]
    if not indexed:
        corpus.remove(f"index/{SHARD}.parquet")
        expected.insert(0, (SHARD, "", K.MISSING_INDEX))
    assert found(corpus) == expected


@WRITERS
@pytest.mark.parametrize("which", [[0], [1], [0, 1]], ids=["image", "json", "both"])
@pytest.mark.parametrize("dotted", ["{0}.{1}", "{0}_{1}.5"])
def test_a_dotted_key_is_traced_to_its_sample(
    corpus: Place, samples, write: Callable[[Members], bytes], which: list[int], dotted: str
) -> None:
    content = members(samples)
    key = samples[SHARD][2][0]
    for part in which:
        name, data = content[4 + part]
        content[4 + part] = (dotted.format(*key.split("_")) + "." + name.partition(".")[2], data)
    tar_path(corpus).write_bytes(write(content))
    faults = verify(corpus)
    assert [(f.shard, f.key, f.kind) for f in faults] == [(SHARD, key, K.DOTTED_KEY)]
    assert content[4 + which[0]][0] in faults[0].message


def test_a_dot_that_merges_two_pages_names_both(corpus: Place, samples) -> None:
    content = [(name.replace("_0", ".0", 1), data) for name, data in members(samples)[:4]]
    content += members(samples)[4:]
    tar_path(corpus).write_bytes(ours(content))
    assert found(corpus) == [(SHARD, samples[SHARD][n][0], K.DOTTED_KEY) for n in (0, 1)]


@WRITERS
@INDEXED
@pytest.mark.parametrize("member", [0, 5, 11])
def test_a_missing_member_names_its_sample(
    corpus: Place, samples, write: Callable[[Members], bytes], member: int, indexed: bool
) -> None:
    content = members(samples)
    name, _ = content.pop(member)
    tar_path(corpus).write_bytes(write(content))
    expected = [(SHARD, name.partition(".")[0], K.MISSING_MEMBER)]
    if not indexed:
        corpus.remove(f"index/{SHARD}.parquet")
        expected.insert(0, (SHARD, "", K.MISSING_INDEX))
    assert found(corpus) == expected


@WRITERS
@INDEXED
@pytest.mark.parametrize("at", [2, 6, 12], ids=["adjacent", "apart", "end"])
def test_a_duplicate_key_in_a_shard_is_named(
    corpus: Place, samples, write: Callable[[Members], bytes], at: int, indexed: bool
) -> None:
    content = members(samples)
    content[at:at] = content[:2]
    tar_path(corpus).write_bytes(write(content))
    expected = [(SHARD, samples[SHARD][0][0], K.DUPLICATE_KEY)]
    if not indexed:
        corpus.remove(f"index/{SHARD}.parquet")
        expected.insert(0, (SHARD, "", K.MISSING_INDEX))
    assert found(corpus) == expected


@pytest.mark.parametrize(("home", "other"), [(SHARD, "val-000000"), ("val-000000", SHARD)])
def test_a_key_in_two_shards_is_named_where_it_does_not_belong(
    corpus: Place, samples, home: str, other: str
) -> None:
    content = members(samples, other) + members(samples, home)[2:4]
    tar_path(corpus, other).write_bytes(ours(content))
    faults = verify(corpus)
    key = samples[home][1][0]
    assert [(f.shard, f.key, f.kind) for f in faults] == [(other, key, K.DUPLICATE_KEY)]
    assert home in faults[0].message


def test_two_shards_that_are_the_same_are_found_though_both_are_indexed(
    corpus: Place, samples
) -> None:
    for folder, ending in (("shards", "tar"), ("index", "parquet")):
        source = corpus.local_path(f"{folder}/{SHARD}.{ending}")
        shutil.copy(source, corpus.local_path(f"{folder}/train-000009.{ending}"))
    info = CorpusInfo.load(corpus)
    twin = replace(info.splits["train"][0], name="train-000009")
    replace(info, splits={**info.splits, "train": (*info.splits["train"], twin)}).save(corpus)
    faults = found(corpus)
    for key, _ in samples[SHARD]:
        assert ("train-000009", key, K.DUPLICATE_KEY) in faults
