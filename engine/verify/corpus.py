"""Re-read a whole corpus, byte by byte, and name every fault with its shard and key.

Each shard is read once, a member at a time. Beside that, memory holds one shard's index, the
ledger's keys (about 40 bytes a page) and a hash of every key (8 bytes a page).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from ..errors import ShardError
from ..progress import Progress
from ..store.corpus import INDEX_FOLDER, SHARD_FOLDER, CorpusInfo, ShardEntry
from ..store.index import IndexMeta, IndexRow, read_index, read_index_meta
from ..store.ledger import read_rows
from ..store.place import Place
from .fault import Fault, FaultKind
from .ledger import COLUMNS, check_rows, written_keys
from .page import Finding
from .shard import ShardCase, judge
from .walk import walk_shard

__all__ = ["Fault", "FaultKind", "verify"]

_SHARD_NAME = re.compile(r"[a-z0-9]+-[0-9]{6,}")
_LIMIT = 20
_NONE = pa.array([], pa.string())


def verify(place: Place, *, deep: bool = True, progress: Progress | None = None) -> list[Fault]:
    """Every fault of a corpus, shard by shard; empty when all is as it was written.

    Args:
        place: the corpus.
        deep: also decode every image and hold every JSON against image and index; without,
            structure, checksums and counts only, as fast as the storage reads.
        progress: called after every shard with the bytes read and the bytes in all.

    Raises:
        ConfigError: there is no corpus, or it is of another version.
    """
    faults: list[Fault] = []
    info = _load(place, faults)
    entries = _entries(place, info, faults)
    try:
        ledger = read_rows(place, columns=COLUMNS)
    except ShardError as err:
        faults.append(Fault("", err.key, FaultKind.LEDGER, str(err)))
        written = None
    else:
        faults += check_rows(ledger, info.totals if info.status == "complete" else {})
        written = written_keys(ledger)
    total, done = sum(entry.bytes for entry in entries), 0
    shards: list[_Shard] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for entry in entries:
            shard = _check_shard(place, entry, info.image_ext, pool if deep else None)
            keys = written.pop(entry.name, _NONE).to_pylist() if written is not None else None
            shards.append(_against_ledger(shard, keys))
            done += entry.bytes
            if progress is not None:
                progress(done, total)
    faults += [fault for shard in shards for fault in _capped(shard.faults)]
    faults += _across(place, shards)
    faults += _nowhere(written or {})
    return faults


@dataclass(frozen=True, slots=True)
class _Shard:
    """What is kept of a shard once it was read."""

    name: str
    faults: list[Fault]
    hashes: np.ndarray
    """int64 [samples]: of the keys in the tar."""
    keys: list[str]
    """Of the tar; emptied once they were compared."""
    extra: list[str]
    """Keys that its index does not list, not yet explained."""
    blamed: frozenset[str]
    """Keys whose state a fault explains."""
    read: bool
    """False: the tar is missing, or the storage would not give it."""


def _load(place: Place, faults: list[Fault]) -> CorpusInfo:
    """corpus.json; where it is damaged, what the indexes say instead."""
    try:
        info = CorpusInfo.load(place)
    except ShardError as err:
        faults.append(Fault("", "", FaultKind.CORPUS, str(err)))
        return _from_indexes(place)
    if info.status != "complete":
        message = "the build did not finish: the same command again goes on"
        faults.append(Fault("", "", FaultKind.UNFINISHED, message))
    return info


def _from_indexes(place: Place) -> CorpusInfo:
    entries, exts = [], Counter[str]()
    for file in place.list(INDEX_FOLDER):
        if not file.endswith(".parquet"):
            continue
        rel = f"{INDEX_FOLDER}/{file}"
        try:
            meta = read_index_meta(place, rel)
            exts.update(row.image_ext for row in read_index(place, rel)[:1])
        except ShardError:
            continue  # the shard is then one that nothing lists, and is reported as such
        name = file.removesuffix(".parquet")
        entries.append(
            ShardEntry(name=name, bytes=meta.bytes, samples=meta.samples, sha256=meta.sha256)
        )
    image_ext = exts.most_common(1)[0][0] if exts else "png"
    return CorpusInfo(
        status="building",
        created="",
        config={},
        config_hash="",
        image_ext=image_ext,
        splits={"": tuple(entries)},
    )


def _entries(place: Place, info: CorpusInfo, faults: list[Fault]) -> list[ShardEntry]:
    """The shards to read; files that nothing lists and names that cannot be are faults."""
    entries: dict[str, ShardEntry] = {}
    for entry in info.shards:
        if not _SHARD_NAME.fullmatch(entry.name):
            message = f"corpus.json lists a shard {entry.name!r}: it is not named split-000000"
            faults.append(Fault("", "", FaultKind.CORPUS, message))
        elif entry.name in entries:
            message = "corpus.json lists the shard more than once"
            faults.append(Fault(entry.name, "", FaultKind.CORPUS, message))
        else:
            entries[entry.name] = entry
    for folder, endings in ((SHARD_FOLDER, (".tar",)), (INDEX_FOLDER, (".parquet", ".idx"))):
        for file in place.list(folder):
            name = file.rpartition(".")[0]
            if name not in entries or not file.endswith(endings):
                message = f"{folder}/{file} is not in corpus.json"
                faults.append(Fault(name, "", FaultKind.EXTRA_SHARD, message))
    return list(entries.values())


def _check_shard(
    place: Place, entry: ShardEntry, image_ext: str, pool: ThreadPoolExecutor | None
) -> _Shard:
    rows: list[IndexRow] | None = None
    meta: IndexMeta | None = None
    faults: list[Fault] = []
    try:
        meta = read_index_meta(place, entry.index)
        rows = read_index(place, entry.index)
    except ShardError as err:
        kind = FaultKind.INDEX if place.exists(entry.index) else FaultKind.MISSING_INDEX
        faults.append(Fault(entry.name, "", kind, str(err)))
    findings: list[tuple[str, Finding]] = []
    try:
        with place.open(entry.tar) as stream:
            walk = walk_shard(stream, rows, image_ext, pool, findings)
    except FileNotFoundError:
        message = f"{entry.tar} with {entry.samples} samples is missing"
        faults.append(Fault(entry.name, "", FaultKind.MISSING_SHARD, message))
        return _unread(entry, faults)
    except OSError as err:
        faults.append(Fault(entry.name, "", FaultKind.UNREADABLE, f"{entry.tar}: {err}"))
        return _unread(entry, faults)
    case = ShardCase(entry, image_ext, walk, rows, meta, faults)
    judge(case)
    for key, (kind, message) in findings:
        if key not in case.blamed:
            damaged = not case.intact and kind in (FaultKind.IMAGE, FaultKind.JSON)
            case.faults.append(
                Fault(entry.name, key, FaultKind.BIT_FLIP if damaged else kind, message)
            )
    blamed = frozenset(case.blamed)
    hashes = _hashes(case.keys)
    return _Shard(entry.name, case.faults, hashes, case.keys, case.extra, blamed, read=True)


def _unread(entry: ShardEntry, faults: list[Fault]) -> _Shard:
    return _Shard(entry.name, faults, _hashes([]), [], [], frozenset(), read=False)


def _against_ledger(shard: _Shard, written: list[str] | None) -> _Shard:
    """The shard's samples against the ledger's written pages; its keys are not needed after."""
    faults = list(shard.faults)
    if shard.read and written is not None:
        here, listed = set(shard.keys), set(written)
        for key in sorted(listed - here - shard.blamed):
            message = "the ledger says written, but the shard does not hold it"
            faults.append(Fault(shard.name, key, FaultKind.WRONG_COUNT, message))
        for key in sorted(here - listed - shard.blamed - set(shard.extra)):
            message = "the shard holds it, but the ledger does not say written"
            faults.append(Fault(shard.name, key, FaultKind.WRONG_COUNT, message))
    return replace(shard, faults=faults, keys=[])


def _across(place: Place, shards: list[_Shard]) -> list[Fault]:
    """Keys that are in more than one shard, and samples that no index lists."""
    if not shards:
        return []
    hashes = np.concatenate([shard.hashes for shard in shards])
    owner = np.repeat(np.arange(len(shards)), [len(shard.hashes) for shard in shards])
    order = np.lexsort((owner, hashes))
    hashes, owner = hashes[order], owner[order]
    faults = []
    reported: set[tuple[int, int]] = set()
    for number, shard in enumerate(shards):
        for key in shard.extra:
            key_hash = hash(key)
            first = int(np.searchsorted(hashes, key_hash, "left"))
            holders = owner[first : int(np.searchsorted(hashes, key_hash, "right"))].tolist()
            others = [shards[other].name for other in holders if other != number]
            reported.update((key_hash, other) for other in holders)
            kind = FaultKind.DUPLICATE_KEY if others else FaultKind.WRONG_COUNT
            message = "the shard holds it, its index does not list it"
            if others:
                message = f"the sample is also in {', '.join(others)}"
            faults.append(Fault(shard.name, key, kind, message))
    again = np.flatnonzero(hashes[1:] == hashes[:-1]) + 1
    for position in again.tolist():
        key_hash, later = int(hashes[position]), int(owner[position])
        if (key_hash, later) in reported:
            continue
        key = _key_of(place, shards[later].name, key_hash)
        message = f"the sample is also in {shards[int(owner[position - 1])].name}"
        faults.append(Fault(shards[later].name, key, FaultKind.DUPLICATE_KEY, message))
    return _capped(faults)


def _key_of(place: Place, shard: str, key_hash: int) -> str:
    """The key with this hash, from the shard's index."""
    try:
        rows = read_index(place, f"{INDEX_FOLDER}/{shard}.parquet")
    except ShardError:
        return ""  # the fault is still reported, with the shard alone
    return next((row.key for row in rows if hash(row.key) == key_hash), "")


def _nowhere(written: dict[str, object]) -> list[Fault]:
    """Written pages whose shard is not in corpus.json."""
    return [
        Fault(name, "", FaultKind.WRONG_COUNT, f"the ledger has written pages in {name or 'none'}")
        for name in written
        if name
    ]


def _hashes(keys: list[str]) -> np.ndarray:
    return np.fromiter(map(hash, keys), np.int64, len(keys))


def _capped(faults: list[Fault]) -> list[Fault]:
    """At most 20 faults of a kind in a shard, and one that counts the rest."""
    seen: Counter[tuple[str, FaultKind]] = Counter()
    kept = []
    for fault in faults:
        group = (fault.shard, fault.kind)
        seen[group] += 1
        if seen[group] <= _LIMIT:
            kept.append(fault)
    for (shard, kind), count in seen.items():
        if count > _LIMIT:
            kept.append(Fault(shard, "", kind, f"{count - _LIMIT} more of this kind"))
    return kept
