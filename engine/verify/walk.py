"""Read a tar once from end to end: members without their data, checksums, page checks beside."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import google_crc32c

from ..store.index import IndexRow
from ..store.shard import split_name
from ..store.tar import BLOCK_BYTES, Damage, Readable, TarMember, scan
from .page import Finding, check_page


@dataclass(frozen=True, slots=True)
class MemberDigest:
    """A member of a tar: its data replaced by their size and checksum."""

    name: str
    offset: int
    size: int
    crc32c: int
    header_ok: bool
    padding_ok: bool
    canonical: bool

    @classmethod
    def of(cls, member: TarMember, crc32c: int) -> MemberDigest:
        """The member, its data replaced by their size and checksum."""
        return cls(
            member.name,
            member.offset,
            len(member.data),
            crc32c,
            member.header_ok,
            member.padding_ok,
            member.canonical,
        )


@dataclass(frozen=True, slots=True)
class Walk:
    """A tar, read once from end to end."""

    members: list[MemberDigest]
    damages: list[Damage]
    sha256: str
    bytes: int


class _Hashing:
    """A stream that takes the sha256 and the size of what is read through it."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.bytes = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        self.bytes += len(data)
        return data


def walk_shard(
    stream: Readable,
    rows: list[IndexRow] | None,
    image_ext: str,
    pool: ThreadPoolExecutor | None,
    findings: list[tuple[str, Finding]],
) -> Walk:
    """Read a tar to its end.

    Args:
        stream: the tar, from its first byte.
        rows: its index, where there is one.
        image_ext: extension of the images.
        pool: checks pages meanwhile; None to leave them unchecked.
        findings: takes (key, what is wrong with the page).
    """
    expected: dict[int, tuple[str, int]] = {}
    by_key: dict[str, IndexRow] = {}
    for row in rows or ():
        by_key[row.key] = row
        expected[row.image_offset - BLOCK_BYTES] = (f"{row.key}.{row.image_ext}", row.image_bytes)
        expected[row.json_offset - BLOCK_BYTES] = (f"{row.key}.json", row.json_bytes)
    hashing = _Hashing(stream)
    members: list[MemberDigest] = []
    damages: list[Damage] = []

    def items() -> Iterator[TarMember]:
        for item in scan(hashing, expected):
            if isinstance(item, Damage):
                damages.append(item)
                continue
            members.append(MemberDigest.of(item, google_crc32c.value(item.data)))
            yield item

    if pool is None:
        deque(items(), maxlen=0)
    else:
        findings += _check_pages(_pairs(items(), image_ext), by_key, pool)
    while hashing.read(1 << 20):
        pass
    return Walk(members, damages, hashing.digest.hexdigest(), hashing.bytes)


def _pairs(members: Iterable[TarMember], image_ext: str) -> Iterator[tuple[str, bytes, bytes]]:
    """(key, image, JSON) of neighbouring members with one key."""
    key, image = "", b""
    for member in members:
        named = split_name(member.name)
        if named is not None and named[1] == image_ext:
            key, image = named[0], member.data
        elif named == (key, "json"):
            yield key, image, member.data


def _check_pages(
    pages: Iterable[tuple[str, bytes, bytes]], rows: dict[str, IndexRow], pool: ThreadPoolExecutor
) -> Iterator[tuple[str, Finding]]:
    running: deque[tuple[str, Future[list[Finding]]]] = deque()
    for key, image, text in pages:
        running.append((key, pool.submit(check_page, key, image, text, rows.get(key))))
        if len(running) > 2 * (os.cpu_count() or 1):
            first, future = running.popleft()
            yield from ((first, finding) for finding in future.result())
    for key, future in running:
        yield from ((key, finding) for finding in future.result())
