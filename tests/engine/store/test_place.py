"""A place behaves the same on a disk and on an object store, and never shows half a file."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pagemill.engine import files
from pagemill.engine.errors import ConfigError
from pagemill.engine.store import place as place_module
from pagemill.engine.store.place import Place


@pytest.fixture(params=["local", "s3"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return (
        str(tmp_path / "corpus") if request.param == "local" else request.getfixturevalue("s3_uri")
    )


def test_what_is_written_can_be_read_in_every_way(uri: str) -> None:
    place = Place.at(uri)
    data = bytes(range(256)) * 40
    place.write_bytes("a/b.bin", data)
    assert place.read_bytes("a/b.bin") == data
    assert place.read_range("a/b.bin", 300, 17) == data[300:317]
    assert place.read_range("a/b.bin", len(data) - 3, 100) == data[-3:]
    assert place.read_range("a/b.bin", len(data), 5) == b""
    assert place.size("a/b.bin") == len(data)
    with place.open("a/b.bin") as stream:
        stream.seek(1000)
        assert stream.read(5) == data[1000:1005]
        assert stream.read() == data[1005:]


def test_writing_again_replaces(uri: str) -> None:
    place = Place.at(uri)
    for data in (b"long content", b"short"):
        place.write_bytes("x", data)
        assert place.read_bytes("x") == data
        assert place.size("x") == len(data)


def test_exists_list_and_remove_agree(uri: str) -> None:
    place = Place.at(uri)
    assert not place.exists("f")
    assert place.list("f") == []
    assert place.list("") == []
    for name in ("f/b", "f/a", "f/c/d"):
        place.write_bytes(name, b"1")
    assert place.exists("f/a")
    assert place.exists("f")
    assert place.list("f") == ["a", "b", "c"]
    assert place.list("") == ["f"]
    place.remove("f/a")
    place.remove("f/never")
    assert place.list("f") == ["b", "c"]
    place.remove_tree("f")
    place.remove_tree("f")
    assert place.list("f") == []
    assert not place.exists("f/b")


def test_reading_what_is_not_there_is_a_missing_file_everywhere(uri: str) -> None:
    place = Place.at(uri)
    place.write_bytes("here", b"1")
    for read in (place.read_bytes, place.size, lambda rel: place.read_range(rel, 0, 1)):
        with pytest.raises(FileNotFoundError):
            read("gone")
    with pytest.raises(FileNotFoundError):
        place.open("gone")


def test_put_moves_a_file_in(uri: str) -> None:
    place = Place.at(uri)
    source = place.scratch_dir() / "blob"
    source.write_bytes(b"x" * 100_000)
    place.put(source, "shards/blob.tar")
    assert place.read_bytes("shards/blob.tar") == b"x" * 100_000
    assert not source.exists()
    assert place.list("shards") == ["blob.tar"]


def test_a_place_can_be_sent_to_a_worker(uri: str) -> None:
    place = Place.at(uri)
    place.child("sub").write_bytes("x", b"1")
    again = pickle.loads(pickle.dumps(place.child("sub")))
    assert again == place.child("sub")
    assert again.read_bytes("x") == b"1"
    assert again.scratch_dir() == place.scratch_dir()
    assert Place.at(place.uri) == place


def test_a_file_of_another_writer_is_seen_at_once(uri: str) -> None:
    place, other = Place.at(uri), pickle.loads(pickle.dumps(Place.at(uri)))
    assert place.list("f") == []
    assert not place.exists("f/new")
    code = (
        "import sys; from pagemill.engine.store.place import Place;"
        "Place.at(sys.argv[1]).write_bytes('f/new', b'12')"
    )
    subprocess.run([sys.executable, "-c", code, uri], check=True)
    assert place.exists("f/new")
    assert place.list("f") == other.list("f") == ["new"]
    assert place.size("f/new") == 2


@pytest.mark.parametrize("rel", ["../x", "/etc/passwd", "a/../../x"])
def test_nothing_is_touched_outside_the_place(uri: str, rel: str) -> None:
    place = Place.at(uri)
    for call in (place.read_bytes, place.remove, place.exists, place.list, place.child):
        with pytest.raises(ConfigError, match="not a path inside"):
            call(rel)
    with pytest.raises(ConfigError, match="not a path inside"):
        place.write_bytes(rel, b"")


def test_local_files_have_paths_and_remote_ones_have_none(tmp_path: Path, s3_uri: str) -> None:
    assert Place.at(str(tmp_path)).local_path("a/b") == tmp_path / "a" / "b"
    assert Place.at(f"file://{tmp_path}").local_path("a") == tmp_path / "a"
    assert Place.at(s3_uri).local_path("a") is None
    assert Place.at(s3_uri).scratch_dir().is_dir()


def test_a_relative_path_stays_where_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Place.at("corpus")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    place.write_bytes("x", b"1")
    assert (tmp_path / "corpus" / "x").read_bytes() == b"1"


def test_a_failed_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place.at(str(tmp_path))
    place.write_bytes("x", b"old")

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(OSError, match="No space left"):
        place.write_bytes("x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert place.read_bytes("x") == b"old"


def test_put_from_another_file_system_copies(tmp_path: Path) -> None:
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    source = shm / f"pagemill-test-{os.getpid()}"
    source.write_bytes(b"y" * 5000)
    place = Place.at(str(tmp_path))
    place.put(source, "a/y")
    assert place.read_bytes("a/y") == b"y" * 5000
    assert not source.exists()
    assert place.list("a") == ["y"]


WRITER = """
import sys
from pagemill.engine.store.place import Place
place = Place.at(sys.argv[1])
for n in range(10**9):
    place.write_bytes("x", bytes([n % 256]) * 3_000_000)
    if n == 3:
        print("going", flush=True)
"""


def test_a_killed_writer_leaves_a_whole_file_and_its_rest_is_swept(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    swept = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.communicate()
        data = place.read_bytes("x")
        assert len(data) == 3_000_000
        assert data == data[:1] * len(data)
        assert place.list("") == ["x"]
    (place.scratch_dir() / "half").write_bytes(b"1")
    swept += place.sweep()
    assert swept >= 1
    assert place.list("") == [".work", "x"]
    assert not any(path.name.startswith(".part-") for path in tmp_path.rglob("*"))
    assert place.sweep() == 0


def test_sweep_of_a_folder_leaves_the_scratch_of_the_corpus(uri: str) -> None:
    place = Place.at(uri)
    half = place.scratch_dir() / "half"
    half.write_bytes(b"1")
    assert place.child("shards").sweep() == 0
    assert half.exists()
    assert place.sweep() == 1
    assert not half.exists()


def test_a_remote_rename_is_used_where_a_put_is_not_atomic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place_module, "ATOMIC_PUT", set())
    place = Place.at(f"memory://{tmp_path.name}-{os.getpid()}")
    place.write_bytes("f/x", b"12")
    source = tmp_path / "y"
    source.write_bytes(b"3")
    place.put(source, "f/y")
    assert place.list("f") == ["x", "y"]
    assert (place.read_bytes("f/x"), place.read_bytes("f/y")) == (b"12", b"3")
    place.remove_tree("")


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(ConfigError, match=r"pagemill\[gcs\]"):
        Place.at("gs://bucket/corpus")


@pytest.mark.parametrize("uri", ["nosuch://x/y", "simplecache::s3://x/y"])
def test_what_cannot_hold_a_corpus_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError):
        Place.at(uri)
