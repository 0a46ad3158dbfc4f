"""Plain WebDataset tars, the same bytes for the same samples: written here, read strictly.

The members of a sample are adjacent: `{key}.{ext}` image first, then `{key}.json`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from ..errors import ShardError
from .tar import BLOCK_BYTES, TRAILER_BYTES, Damage, Readable, header, member_bytes, scan, tar_bytes

__all__ = [
    "TRAILER_BYTES",
    "SampleMember",
    "SampleSpan",
    "ShardSample",
    "ShardSummary",
    "member_bytes",
    "read_shard",
    "split_name",
    "tar_bytes",
    "write_shard",
]

_WRITE_BYTES = 4 << 20
_KEY = re.compile(r"[a-z0-9_]+")
_EXT = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class SampleMember:
    """Where one member of a sample lies."""

    ext: str
    offset: int
    """Of the data, not of the header."""
    size: int
    crc32c: int


@dataclass(frozen=True, slots=True)
class SampleSpan:
    """Where one sample lies."""

    key: str
    offset: int
    """Of the first member's header."""
    bytes: int
    """Headers, data and padding of all members."""
    parts: tuple[SampleMember, ...]


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """What `write_shard` wrote."""

    sha256: str
    bytes: int
    """Size of the file."""
    samples: tuple[SampleSpan, ...]


@dataclass(frozen=True, slots=True)
class ShardSample:
    """One sample as read: member data by extension, in the order of the file."""

    key: str
    offset: int
    """Of the first member's header."""
    parts: dict[str, bytes]


def split_name(name: str) -> tuple[str, str] | None:
    """Key and extension of a member's name; None where it is not `key.ext` with one dot."""
    key, dot, ext = name.partition(".")
    return (key, ext) if dot and _KEY.fullmatch(key) and _EXT.fullmatch(ext) else None


def write_shard(
    path: Path, samples: Iterable[tuple[str, Sequence[tuple[str, bytes]]]]
) -> ShardSummary:
    """Write samples `(key, [(ext, data), ...])` as a tar, durably; one sample in memory at a time.

    Raises:
        ShardError: a key or extension with characters outside `[a-z0-9_]`, a key twice, a
            sample without parts or with a part twice. No file is left behind.
    """
    digest = hashlib.sha256()
    spans: list[SampleSpan] = []
    seen: set[str] = set()
    offset = 0
    try:
        with path.open("wb", buffering=_WRITE_BYTES) as stream:
            for key, parts in samples:
                _check_sample(path, key, parts, seen)
                start, written = offset, []
                for ext, data in parts:
                    padding = bytes(-len(data) % BLOCK_BYTES)
                    for piece in (header(f"{key}.{ext}", len(data)), data, padding):
                        stream.write(piece)
                        digest.update(piece)
                    crc = google_crc32c.value(data)
                    written.append(SampleMember(ext, offset + BLOCK_BYTES, len(data), crc))
                    offset += member_bytes(len(data))
                spans.append(SampleSpan(key, start, offset - start, tuple(written)))
            stream.write(bytes(TRAILER_BYTES))
            digest.update(bytes(TRAILER_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return ShardSummary(digest.hexdigest(), offset + TRAILER_BYTES, tuple(spans))


def read_shard(stream: Readable, name: str) -> Iterator[ShardSample]:
    """The samples of a shard, one in memory at a time, or an error at the first odd thing.

    Odd is: a cut, a header or padding that `write_shard` does not write, a name with other than
    one dot, a member twice, a key that comes again later, a sample whose members are not those
    of the first sample in the same order, bytes after the end. Data are not checked: that takes
    the index, see `verify`.

    Raises:
        ShardError: naming the shard and, where it is known, the key.
    """
    seen: set[str] = set()
    exts: tuple[str, ...] = ()
    current: ShardSample | None = None
    for item in scan(stream):
        if isinstance(item, Damage):
            near = split_name(item.name)
            key = near[0] if near else (current.key if current is not None else "")
            raise _odd(name, key, item.message)
        named = split_name(item.name)
        if named is None:
            stem = item.name.rpartition(".")[0] or item.name
            raise _odd(name, stem, f"the member {item.name} is not named key.ext with one dot")
        key, ext = named
        if not item.padding_ok:
            raise _odd(name, key, f"the padding after {item.name} is not zero")
        if not item.canonical:
            raise _odd(name, key, f"the header of {item.name} is not one that Pagemill writes")
        if current is None or key != current.key:
            if current is not None:
                exts = _finished(name, current, exts)
                yield current
            if key in seen:
                raise _odd(name, key, f"{key} comes again after other samples")
            seen.add(key)
            current = ShardSample(key, item.offset, {})
        if ext in current.parts:
            raise _odd(name, key, f"{item.name} comes twice")
        current.parts[ext] = item.data
    if current is not None:
        _finished(name, current, exts)
        yield current


def _finished(name: str, sample: ShardSample, exts: tuple[str, ...]) -> tuple[str, ...]:
    """The members that every sample of the shard has, checked for this one."""
    members = tuple(sample.parts)
    expected = exts or members
    if members != expected or members[-1] != "json" or len(members) < 2:
        wanted = ", ".join(expected) if expected == exts else "an image, then json"
        raise _odd(name, sample.key, f"it has the members {', '.join(members)} instead of {wanted}")
    return expected


def _odd(name: str, key: str, what: str) -> ShardError:
    where = f"{name}, sample {key}" if key else name
    return ShardError(f"{where}: {what}; run `pagemill verify`", key=key or name, reason="broken")


def _check_sample(path: Path, key: str, parts: Sequence[tuple[str, bytes]], seen: set[str]) -> None:
    if not _KEY.fullmatch(key):
        raise ShardError(f"{key!r} is no key: only a-z, 0-9 and _ are allowed", key=key)
    if key in seen:
        raise ShardError(f"{key} comes twice in {path.name}", key=key)
    exts = [ext for ext, _ in parts]
    if not exts or len(set(exts)) != len(exts) or not all(map(_EXT.fullmatch, exts)):
        raise ShardError(f"{key}: {exts} are not the parts of a sample", key=key)
    seen.add(key)
