"""Shards are plain tars, the same bytes every time, and read strictly."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
import tracemalloc
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ShardError
from pagemill.engine.store.shard import member_bytes, read_shard, tar_bytes, write_shard
from pagemill.engine.store.tar import BLOCK_BYTES, header

KEY = "ab" * 10 + "_00000"
OTHER = "ab" * 10 + "_00001"
PAIR = [("png", b"\x89PNG-not-really"), ("json", b'{"a":1}')]
GOLDEN = "34c54e68f79e3bed127fcfa4c385a7d3fd76565e46d48f5c0da20818ba2382dd"

contents = st.lists(st.tuples(st.binary(max_size=1500), st.binary(max_size=600)), max_size=8)


def read(path: Path) -> list[tuple[str, list[tuple[str, bytes]]]]:
    with path.open("rb") as stream:
        return [(item.key, list(item.parts.items())) for item in read_shard(stream, path.stem)]


@given(contents)
def test_size_is_known_before_writing_and_samples_come_back(
    tmp_path_factory: pytest.TempPathFactory, content: list[tuple[bytes, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("shard") / "train-000000.tar"
    samples = [
        (f"{n:020x}_{n:05d}", [("png", image), ("json", text)])
        for n, (image, text) in enumerate(content)
    ]
    summary = write_shard(path, samples)
    data = path.read_bytes()
    assert len(data) == summary.bytes == tar_bytes(len(d) for pair in content for d in pair)
    assert summary.sha256 == hashlib.sha256(data).hexdigest()
    assert read(path) == samples
    assert [span.key for span in summary.samples] == [key for key, _ in samples]
    for span, (_, parts) in zip(summary.samples, samples, strict=True):
        assert span.bytes == sum(member_bytes(len(part)) for _, part in parts)
        assert span.parts[0].offset == span.offset + BLOCK_BYTES
        for part, (ext, expected) in zip(span.parts, parts, strict=True):
            found = data[part.offset : part.offset + part.size]
            assert (part.ext, found) == (ext, expected)
            assert part.crc32c == google_crc32c.value(expected)


def test_the_bytes_of_a_shard_never_change(tmp_path: Path) -> None:
    samples = [(KEY, PAIR), (OTHER, [("png", bytes(range(256)) * 3), ("json", b"[]")])]
    summary = write_shard(tmp_path / "a.tar", samples)
    assert summary.sha256 == GOLDEN
    assert write_shard(tmp_path / "b.tar", iter(samples)) == summary


@given(st.from_regex(r"[a-z0-9_]{1,90}\.(png|json)", fullmatch=True), st.integers(0, 8**11 - 1))
def test_headers_are_those_of_pythons_ustar(name: str, size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    assert header(name, size) == info.tobuf(tarfile.USTAR_FORMAT)


def test_other_programs_read_the_tar(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    write_shard(path, [(KEY, PAIR), (OTHER, PAIR)])
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        assert [member.name for member in members] == [
            f"{key}.{ext}" for key in (KEY, OTHER) for ext, _ in PAIR
        ]
        assert {(m.mode, m.uid, m.gid, m.mtime, m.uname, m.gname) for m in members} == {
            (0o644, 0, 0, 0, "", "")
        }
    if shutil.which("tar"):
        done = subprocess.run(["tar", "-tf", path], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [member.name for member in members]
        assert done.stderr == ""


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("a.b", PAIR),
        ("A", PAIR),
        ("", PAIR),
        ("a/b", PAIR),
        ("k" * 101, PAIR),
        (KEY, []),
        (KEY, [*PAIR, PAIR[0]]),
        (KEY, [("tar.gz", b""), ("json", b"")]),
    ],
)
def test_what_readers_would_misread_is_not_written(
    tmp_path: Path, key: str, parts: list[tuple[str, bytes]]
) -> None:
    with pytest.raises(ShardError) as caught:
        write_shard(tmp_path / "a.tar", [(OTHER, PAIR), (key, parts)])
    assert caught.value.key.startswith(key)
    assert not (tmp_path / "a.tar").exists()


def test_a_key_twice_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="comes twice"):
        write_shard(tmp_path / "a.tar", [(KEY, PAIR), (KEY, PAIR)])


def test_a_source_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def source():
        yield KEY, PAIR
        raise ShardError("the parcel is gone", key=OTHER)

    with pytest.raises(ShardError, match="parcel is gone"):
        write_shard(tmp_path / "a.tar", source())
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_samples(tmp_path: Path) -> None:
    page = bytes(200_000)
    samples = ((f"k{n:05d}", [("png", page), ("json", b"{}")]) for n in range(200))
    tracemalloc.start()
    write_shard(tmp_path / "a.tar", samples)
    with (tmp_path / "a.tar").open("rb") as stream:
        assert sum(1 for _ in read_shard(stream, "a")) == 200
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def tar_of(*members: tuple[str, bytes]) -> bytes:
    body = (header(n, len(d)) + d + bytes(-len(d) % BLOCK_BYTES) for n, d in members)
    return b"".join(body) + bytes(1024)


GOOD = [(f"{key}.{ext}", data) for key in (KEY, OTHER) for ext, data in PAIR]
PADDED = bytearray(tar_of(*GOOD))
PADDED[BLOCK_BYTES + 100] = 1
ODD = {
    "interleaved": (tar_of(GOOD[0], GOOD[2], GOOD[1], GOOD[3]), KEY),
    "repeated": (tar_of(*GOOD, *GOOD[:2]), KEY),
    "twice": (tar_of(GOOD[0], GOOD[0], GOOD[1]), KEY),
    "dotted": (tar_of(*GOOD, ("ab.cd_0.png", b""), ("ab.cd_0.json", b"")), "ab.cd_0"),
    "no extension": (tar_of(*GOOD, ("abc", b"")), "abc"),
    "missing json": (tar_of(*GOOD[:3]), OTHER),
    "missing image": (tar_of(*GOOD[:2], GOOD[3]), OTHER),
    "json first": (tar_of(GOOD[1], GOOD[0]), KEY),
    "other members": (tar_of(*GOOD[:2], (f"{OTHER}.jpg", b""), GOOD[3]), OTHER),
    "cut at member": (tar_of(*GOOD)[:-2048], OTHER),
    "cut in member": (tar_of(*GOOD)[:2600], OTHER),
    "no end mark": (tar_of(*GOOD)[:-1024], OTHER),
    "half end mark": (tar_of(*GOOD)[:-512], OTHER),
    "after the end": (tar_of(*GOOD) + b"x", OTHER),
    "padding": (bytes(PADDED), KEY),
    "link": (tar_of(*GOOD[:2]).replace(b"0\0\0", b"2\0\0", 1), ""),
}


@pytest.mark.parametrize("name", ODD)
def test_everything_odd_is_refused_with_shard_and_key(name: str) -> None:
    data, key = ODD[name]
    with pytest.raises(ShardError) as caught:
        list(read_shard(io.BytesIO(data), "train-000007"))
    assert "train-000007" in str(caught.value)
    if key:
        assert caught.value.key == key
        assert key in str(caught.value)


def test_every_flipped_bit_in_a_header_is_refused() -> None:
    data = tar_of(*GOOD)
    for position in range(BLOCK_BYTES):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(ShardError):
            list(read_shard(io.BytesIO(damaged), "train-000000"))


def test_a_header_that_lies_about_its_size_takes_no_memory() -> None:
    data = header(f"{KEY}.png", 8**11 - 1) + b"short"
    tracemalloc.start()
    with pytest.raises(ShardError, match="ends inside"):
        list(read_shard(io.BytesIO(data), "train-000000"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
