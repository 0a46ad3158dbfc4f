"""The cache of shards: each fetched once, the limit kept, wrong sizes refused."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

import fsspec
import pytest
from pagemill.engine.errors import ConfigError, ShardError
from pagemill.engine.store.place import Place
from pagemill.train.stream.corpus import open_page_source
from pagemill.train.stream.shard_cache import ShardCache


@pytest.fixture
def remote(corpora):
    """The corpus of 6 shards in another file system."""
    memory = fsspec.filesystem("memory")
    memory.put(corpora[0], "/bucket/scans", recursive=True)
    yield "memory://bucket/scans"
    memory.rm("/bucket", recursive=True)


@pytest.fixture
def fetched(monkeypatch) -> list[str]:
    """Shards that were fetched."""
    names: list[str] = []
    fetch = ShardCache.fetch

    def counted(self, place, tar, shard_bytes, path):
        if not path.exists():
            names.append(tar)
        fetch(self, place, tar, shard_bytes, path)

    monkeypatch.setattr(ShardCache, "fetch", counted)
    return names


def test_a_remote_corpus_gives_the_pages_of_the_local_one(remote, corpora, tmp_path, fetched):
    cache = ShardCache(tmp_path / "cache", 10**9)
    local, cached, ranged = (
        open_page_source(corpora[0]),
        open_page_source(remote, cache=cache),
        open_page_source(remote),
    )
    for row in range(len(local)):
        assert cached.part(row, "image") == ranged.part(row, "image") == local.part(row, "image")
        assert cached.page(row) == local.page(row)
    assert sorted(fetched) == sorted(local.tars)
    read = sum(path.stat().st_size for path in (tmp_path / "cache").glob("*.tar"))
    assert read == sum(local.shard_bytes)
    assert cached.fingerprint == local.fingerprint


def test_the_limit_is_kept_and_the_oldest_goes_first(remote, tmp_path, fetched):
    source = open_page_source(remote)
    limit = 2 * max(source.shard_bytes)
    cache = ShardCache(tmp_path / "cache", limit)
    for shard in (0, 1, 0, 2, 0, 3):
        cache.read_range(source.place, source.tars[shard], source.shard_bytes[shard], 0, 10)
        held = list((tmp_path / "cache").glob("*.tar"))
        assert sum(path.stat().st_size for path in held) <= limit
    assert fetched == [source.tars[shard] for shard in (0, 1, 2, 3)]


def test_many_readers_fetch_a_shard_once(remote, tmp_path, monkeypatch):
    source = open_page_source(remote)
    cache, opened = ShardCache(tmp_path / "cache", 10**9), []
    kept = type(source.place).open
    monkeypatch.setattr(
        type(source.place), "open",
        lambda self, rel: opened.append(rel) or kept(self, rel),
    )  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(
                cache.read_range, source.place, source.tars[0], source.shard_bytes[0], 0, 99
            )
            for _ in range(16)
        ]
        parts = {job.result() for job in jobs}
    assert len(parts) == 1
    assert opened == [source.tars[0]]


def test_a_shard_of_another_size_is_refused_and_not_kept(corpora, tmp_path):
    shutil.copytree(corpora[0], tmp_path / "scans")
    source = open_page_source(str(tmp_path / "scans"), cache=ShardCache(tmp_path / "cache", 10**9))
    path = Place.at(str(tmp_path / "scans")).local_path(source.tars[0])
    path.write_bytes(path.read_bytes()[:-512])
    with pytest.raises(ShardError, match="the manifest says"):
        source.part(0, "image")
    assert not list((tmp_path / "cache").glob("*.tar*.part*"))


def test_a_cache_without_room_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="at least 1"):
        ShardCache(tmp_path, 0)
