"""Every damage that can be done to a corpus is found, with its shard, key and kind."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.engine.store.corpus import CorpusInfo
from pagemill.engine.store.index import read_index, read_index_meta, write_index
from pagemill.engine.store.ledger import part_path, read_rows, to_rows, write_rows
from pagemill.engine.store.place import Place
from pagemill.engine.store.shard import write_shard
from pagemill.engine.store.tar import BLOCK_BYTES, header, member_bytes
from pagemill.engine.verify.corpus import verify
from pagemill.engine.verify.fault import FaultKind as K

SHARD = "train-000000"
Members = list[tuple[str, bytes]]


def found(place: Place, *, deep: bool = True) -> list[tuple[str, str, str]]:
    return [(fault.shard, fault.key, str(fault.kind)) for fault in verify(place, deep=deep)]


def members(samples, shard: str = SHARD) -> Members:
    return [(f"{key}.{ext}", data) for key, parts in samples[shard] for ext, data in parts]


def tar_path(corpus: Place, shard: str = SHARD) -> Path:
    path = corpus.local_path(f"shards/{shard}.tar")
    assert path is not None
    return path


def ours(content: Members) -> bytes:
    """A tar as the product writes it, with any names."""
    body = b"".join(
        header(name, len(data)) + data + bytes(-len(data) % BLOCK_BYTES) for name, data in content
    )
    return body + bytes(1024)


def pythons(content: Members) -> bytes:
    """A tar as people rewrite it: other times, extended headers, padded to 10 KiB."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for name, data in content:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.uname = len(data), 1.7e9 + 0.5, "someone"
            tar.addfile(info, io.BytesIO(data))
    return sink.getvalue()


WRITERS = pytest.mark.parametrize("write", [ours, pythons])
INDEXED = pytest.mark.parametrize("indexed", [True, False], ids=["index", "no index"])


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


# the eight damages


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


# everything else


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


# what is inside the samples


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


# the ledger


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
