"""Whole shards of a remote corpus on the local disk, up to a limit.

A shard is fetched once for all processes of a host and checked by size; the least recently used
ones make room. For corpora in object stores, where many small reads are slow: keep
`shuffle_shards` small, so that a window needs few shards.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from ...engine.errors import ConfigError, ShardError
from ...engine.files import atomic_writer, lock
from ...engine.key import keyed_hash
from ...engine.store.place import Place

LOCK = ".lock"
COPY_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class ShardCache:
    """A folder of shards; `limit_bytes` is what it may hold, one shard at least."""

    folder: Path
    limit_bytes: int

    def __post_init__(self) -> None:
        if self.limit_bytes < 1:
            raise ConfigError(f"the cache may hold {self.limit_bytes} bytes; at least 1 is needed")

    def read_range(self, place: Place, tar: str, shard_bytes: int, start: int, size: int) -> bytes:
        """Bytes of a shard, which is fetched first if it is not here.

        Args:
            place: of the corpus.
            tar: path of the shard in it.
            shard_bytes: its size by the manifest.
            start: of the range.
            size: of the range.

        Raises:
            ShardError: the shard has another size than the manifest says.
            OSError: it cannot be read.
        """
        path = self.folder / f"{keyed_hash('shard', place.uri, tar):016x}-{shard_bytes}.tar"
        for _ in range(2):
            try:
                with path.open("rb") as stream:
                    touch(path)
                    stream.seek(start)
                    return stream.read(size)
            except FileNotFoundError:
                self.fetch(place, tar, shard_bytes, path)
        with place.open(tar) as remote:  # evicted twice by others: the limit is too small
            remote.seek(start)
            return remote.read(size)

    def fetch(self, place: Place, tar: str, shard_bytes: int, path: Path) -> None:
        """Bring a shard here, unless another process did in the meantime."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with lock(path.with_suffix(LOCK)):
            if path.exists():
                return
            self.make_room(shard_bytes)
            with place.open(tar) as remote, atomic_writer(path, durable=False) as local:
                shutil.copyfileobj(remote, local, COPY_BYTES)
                if local.tell() != shard_bytes:
                    raise ShardError(
                        f"{place.uri}/{tar} has {local.tell()} bytes, the manifest says "
                        f"{shard_bytes}",
                        key=tar,
                    )
            touch(path)

    def make_room(self, needed: int) -> None:
        """Remove the least recently used shards until `needed` more bytes fit."""
        held = []
        for path in self.folder.glob("*.tar"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            held.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in held)
        for _, size, path in sorted(held):
            if total + needed <= self.limit_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size


def touch(path: Path) -> None:
    """Note that a shard was used now; file systems keep coarser times by themselves."""
    now = time.time_ns()
    os.utime(path, ns=(now, now))
