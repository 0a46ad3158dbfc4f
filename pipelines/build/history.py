"""What a corpus already holds, and whether a run may go on with it: nothing is ever mixed."""

from __future__ import annotations

import contextlib
import datetime
import logging
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from typing import Any, Literal

from ... import __version__
from ...engine.config import to_tree, upgraded
from ...engine.curate.select import SPLITS
from ...engine.errors import ConfigError, DataError
from ...engine.reason import Reason
from ...engine.source.fetch import fetch
from ...engine.source.listing import Source
from ...engine.store import corpus as corpus_file
from ...engine.store.corpus import CorpusInfo, Generation, ShardEntry
from ...engine.store.ledger import FOLDER as LEDGER
from ...engine.store.ledger import Fate, LedgerRow, RowKind, read_rows, to_rows
from ...engine.store.place import Place
from .config import LIMITS, BuildConfig
from .job import WORK, DocumentSummary, Original
from .workspace import JournalEntry, RunPlan, Workspace

_log = logging.getLogger(__name__)
_OURS = (LEDGER, "shards", "index", "thumbs", WORK)
_PACKAGES = ("pymupdf", "pdf2image", "opencv-python-headless", "numpy", "pillow", "zlib-ng", "ray")


def generation_of(workspace: Workspace, info: CorpusInfo) -> int:
    """The number of the run that is unfinished, or else of the next one."""
    plan = workspace.plan()
    return plan.generation if plan is not None else len(info.generations)


def corpus_at(place: Place, config: BuildConfig) -> CorpusInfo:
    """The corpus that is there, or a new one.

    Raises:
        ConfigError: the folder holds something else, or a corpus with another configuration.
    """
    if not corpus_file.exists(place):
        foreign = [name for name in place.list("") if not name.startswith(WORK)]
        if foreign:
            raise ConfigError(
                f"{place.uri} is not empty and not a corpus: there is {foreign[0]!r} in it. "
                "Choose a new folder."
            )
        return CorpusInfo(
            status="building",
            created=datetime.datetime.now(datetime.UTC).date().isoformat(),
            config=to_tree(config),
            config_hash=config.hash,
            image_ext=config.image.extension,
            versions=_versions(),
        )
    info = CorpusInfo.load(place)
    difference = _difference(upgraded(BuildConfig, info.config), to_tree(config))
    if info.config_hash != config.hash and difference:
        raise ConfigError(
            f"{place.uri} was built with another configuration: {difference}. Use "
            "the same one, another --out, or --rebuild to throw the corpus away."
        )
    return info


def _difference(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> str:
    """`key is A there and B here` for every value that differs."""
    parts: list[str] = []
    for name in sorted({*old, *new}):
        before, now = old.get(name), new.get(name)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            parts.append(_difference(before, now, f"{prefix}{name}."))
        elif before != now and f"{prefix}{name}".split(".")[0] not in LIMITS:
            parts.append(f"{prefix}{name} is {before!r} there and {now!r} here")
    return "; ".join(part for part in parts if part)


def clear(place: Place) -> None:
    """Remove a corpus, and nothing that is not part of one."""
    for folder in _OURS:
        place.remove_tree(folder)
    for name in (corpus_file.FILE, "report.html"):
        if place.exists(name):
            place.remove(name)


def known_documents(place: Place, generation: int) -> dict[tuple[str, str], LedgerRow]:
    """Documents of earlier generations, by where they came from."""
    table = read_rows(place, before=generation)
    return {(row.uri, row.member): row for row in to_rows(table) if row.kind == RowKind.DOCUMENT}


def new_sources(
    sources: Iterable[Source],
    earlier: Mapping[tuple[str, str], LedgerRow],
    journal: Mapping[tuple[str, str], JournalEntry],
    place: Place,
    config: BuildConfig,
) -> list[Source]:
    """The sources that no earlier generation has.

    Raises:
        ConfigError: one of them has changed since it was read.
    """
    new: list[Source] = []
    changed: list[str] = []
    for source in sources:
        row = earlier.get((source.uri, source.member))
        entry = journal.get((source.uri, source.member))
        old = (row.version, row.doc_sha256) if row else None
        old = old or ((entry.version, entry.sha256) if entry else None)
        if old and _has_changed(source, *old, place, config):
            changed.append(f"{source.uri} {source.member}".strip())
        if row is None:
            new.append(source)
    if changed:
        raise ConfigError(
            f"{len(changed)} input{'s have' if len(changed) > 1 else ' has'} changed since "
            f"{place.uri} was built from it: {', '.join(changed[:5])}. Put the old content back, "
            "choose another --out, or --rebuild."
        )
    return new


def _has_changed(
    source: Source, version: str, sha256: str, place: Place, config: BuildConfig
) -> bool:
    """Whether a source's content is another than when it was read; hashes only if it may be."""
    if not sha256 or source.refusal or source.version == version:
        return False
    try:
        with fetch(source, scratch=place.scratch_dir(), limits=config.limits) as fetched:
            return fetched.sha256 != sha256
    except DataError as err:
        _log.warning("%s can no longer be read: %s", source.uri, err)
        return True


def originals_in(rows: Iterable[LedgerRow]) -> dict[str, Original]:
    """What earlier generations made of each content."""
    originals: dict[str, Original] = {}
    for row in rows:
        if row.doc_sha256 and row.reason != Reason.DUPLICATE_DOCUMENT:
            reason = row.reason if row.status == Fate.FAILED else ""
            summary = DocumentSummary(
                sha256=row.doc_sha256, reason=reason, message=row.message if reason else ""
            )
            originals.setdefault(row.doc_sha256, Original(row.uri, summary))
    return originals


def _versions() -> dict[str, str]:
    versions = {"pagemill": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions


def without(info: CorpusInfo, plan: RunPlan) -> CorpusInfo:
    """The corpus as it was before a plan."""
    return replace(
        info,
        splits={
            split: info.splits.get(split, ())[: plan.shards[split]]
            for split in SPLITS
            if split in info.splits
        },
        generations=tuple(g for g in info.generations if g.number < plan.generation),
    )


def with_shards(
    before: CorpusInfo,
    generation: Generation,
    shards: Sequence[ShardEntry],
    status: Literal["building", "complete"],
) -> CorpusInfo:
    """The corpus with a generation's shards behind those that were there."""
    splits: dict[str, tuple[ShardEntry, ...]] = {}
    for split in SPLITS:
        added = tuple(shard for shard in shards if shard.name.startswith(f"{split}-"))
        merged = (*before.splits.get(split, ()), *added)
        if merged:
            splits[split] = merged
    generations = (*before.generations, generation)
    return replace(before, splits=splits, generations=generations, status=status)
