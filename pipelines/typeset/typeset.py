"""A corpus of typeset pages, made by processes of the standard library: no Ray, no PDF engine.

Workers make runs of consecutive pages, the driver lays them into shards in the order of their
numbers, so that any number of workers gives the same bytes. A shard's index is written last:
after a kill, shards with an index stay and the others are made again.
"""

from __future__ import annotations

import datetime
import hashlib
import multiprocessing
import os
import platform
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy
import orjson
import PIL
from PIL import features

from ... import __version__
from ...engine.config import to_tree
from ...engine.errors import ConfigError, PagemillError, ShardError
from ...engine.image import ImageConfig, encode
from ...engine.progress import Progress
from ...engine.record import PageFacts
from ...engine.store import corpus as corpus_file
from ...engine.store.corpus import FILE, CorpusInfo, Generation, ShardEntry
from ...engine.store.index import (
    IndexMeta,
    read_index_meta,
    row_from_facts,
    write_index,
)
from ...engine.store.ledger import (
    Fate,
    LedgerRow,
    RowKind,
    part_path,
    read_rows,
    summarize,
    write_rows,
)
from ...engine.store.place import Place
from ...engine.store.shard import ShardSummary, write_shard
from ...engine.typeset.compose import ENGINE, Typesetter, compose_page
from ...engine.typeset.config import TypesetConfig
from ...engine.typeset.material import fingerprint_of, load_material

TRAIN, HELD_OUT = "train", "val"
_RUN_PAGES = 20
_RUNS_AHEAD = 4
"""Runs that wait or are made, a worker."""
_OURS = (FILE, "shards", "index", "ledger", ".work")


@dataclass(frozen=True, kw_only=True)
class TypesetRequest:
    """What is to be made."""

    data: Path
    """Folder of texts and fonts."""
    pages: int
    held_out: int = 0
    """Pages of the split `val`, of other fonts and other texts."""
    seed: int = 0
    config: TypesetConfig

    def __post_init__(self) -> None:
        if self.pages < 1 or self.held_out < 0:
            raise ConfigError(
                f"--pages is {self.pages} and --held-out {self.held_out}; "
                "at least one page is wanted, and none or more are held out"
            )

    def tree(self) -> dict[str, Any]:
        """All that the bytes depend on, as `corpus.json` keeps it."""
        made = {"seed": self.seed, "pages": self.pages, "held_out": self.held_out}
        return {**to_tree(self.config), **made, "material": fingerprint_of(self.data)}


@dataclass(frozen=True, slots=True)
class _PageRange:
    """Consecutive pages of one split."""

    split: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Shard:
    """A shard to be made, and the part of the ledger beside it."""

    number: int
    name: str
    pages: _PageRange


@dataclass(frozen=True, slots=True)
class _Made:
    """One page as it goes into a shard."""

    doc_sha256: str
    key: str
    name: str
    image: bytes
    text: bytes
    facts: PageFacts


def typeset_corpus(
    order: TypesetRequest, out: str, *, workers: int = 0, progress: Progress | None = None
) -> CorpusInfo:
    """Write a corpus, or finish one that the same order began.

    Args:
        order: what to make.
        out: folder or URI of the corpus.
        workers: processes; 0 means one a CPU.
        progress: called with the pages made and the pages in all.

    Raises:
        ConfigError: the data folder is not one, or `out` holds something else.
        PagemillError: a worker died.
    """
    place = Place.at(out)
    info = _begin(place, order)
    if info.status == "complete":
        return info
    place.sweep()
    shards = _shards(order)
    done = {shard.name: entry for shard in shards if (entry := _finished(place, shard))}
    missing = [shard for shard in shards if shard.name not in done]
    total = order.pages + order.held_out
    count = total - sum(shard.pages.last - shard.pages.first for shard in missing)
    runs = (run for shard in missing for run in _cut(shard.pages))
    with _ProcessPool(order, workers or os.cpu_count() or 1, count, total, progress) as machine:
        pages = machine.pages(runs)
        for shard in missing:
            wanted = shard.pages.last - shard.pages.first
            done[shard.name] = _write(place, shard, islice(pages, wanted), info)
    return _end(place, info, [done[shard.name] for shard in shards])


def _begin(place: Place, order: TypesetRequest) -> CorpusInfo:
    """The corpus that is there, or a new one."""
    load_material(order.data)
    if order.held_out:
        load_material(order.data, held_out=True)
    tree = order.tree()
    digest = hashlib.blake2b(orjson.dumps(tree, option=orjson.OPT_SORT_KEYS), digest_size=8)
    if corpus_file.exists(place):
        info = CorpusInfo.load(place)
        if info.config_hash != digest.hexdigest():
            raise ConfigError(
                f"{place.uri} holds another corpus: it was made with other settings, pages, seed "
                "or data. Choose a new folder, or give what it was made with."
            )
        return info
    foreign = [name for name in place.list("") if name not in _OURS]
    if foreign:
        raise ConfigError(
            f"{place.uri} is not empty and not a corpus: there is {foreign[0]!r} in it. "
            "Choose a new folder."
        )
    info = CorpusInfo(
        status="building",
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
        config=tree,
        config_hash=digest.hexdigest(),
        image_ext=order.config.image.extension,
        generations=(
            Generation(
                number=0,
                inputs=(order.data.name,),
                documents=order.pages + order.held_out,
                config_hash=digest.hexdigest(),
            ),
        ),
        versions=_versions(),
    )
    info.save(place)
    return info


def _end(place: Place, info: CorpusInfo, entries: Sequence[ShardEntry]) -> CorpusInfo:
    splits: dict[str, tuple[ShardEntry, ...]] = {}
    for entry in entries:
        split = entry.name.partition("-")[0]
        splits[split] = (*splits.get(split, ()), entry)
    totals = summarize(read_rows(place)).to_dict()
    info = replace(info, status="complete", splits=splits, totals=totals)
    info.save(place)
    place.remove_tree(".work")
    return info


def _shards(order: TypesetRequest) -> list[_Shard]:
    found: list[_Shard] = []
    step = order.config.shard_pages
    for split, count in ((TRAIN, order.pages), (HELD_OUT, order.held_out)):
        for number, first in enumerate(range(0, count, step)):
            run = _PageRange(split, first, min(first + step, count))
            found.append(_Shard(len(found), f"{split}-{number:06d}", run))
    return found


def _cut(run: _PageRange) -> Iterator[_PageRange]:
    for first in range(run.first, run.last, _RUN_PAGES):
        yield _PageRange(run.split, first, min(first + _RUN_PAGES, run.last))


def _finished(place: Place, shard: _Shard) -> ShardEntry | None:
    """The entry of a shard that an earlier run finished."""
    entry = ShardEntry(name=shard.name, bytes=0, samples=0, sha256="")
    if not (place.exists(entry.index) and place.exists(entry.tar)):
        return None
    try:
        meta = read_index_meta(place, entry.index)
    except ShardError:
        return None  # it is made again
    if meta.bytes != place.size(entry.tar) or not place.exists(part_path(0, shard.number)):
        return None
    return replace(entry, bytes=meta.bytes, samples=meta.samples, sha256=meta.sha256)


def _write(place: Place, shard: _Shard, pages: Iterable[_Made], info: CorpusInfo) -> ShardEntry:
    """Write a shard, its part of the ledger, and last its index."""
    kept: list[_Made] = []

    def samples() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
        for made in pages:
            kept.append(replace(made, image=b"", text=b""))
            yield made.key, [(info.image_ext, made.image), ("json", made.text)]

    path = place.scratch_dir() / f"{shard.name}.tar"
    summary = write_shard(path, samples())
    entry = ShardEntry(
        name=shard.name, bytes=summary.bytes, samples=len(kept), sha256=summary.sha256
    )
    place.put(path, entry.tar)
    write_rows(place, part_path(0, shard.number), _ledger(shard, kept, summary, info))
    rows = [
        row_from_facts(span, made.doc_sha256, 0, made.facts)
        for span, made in zip(summary.samples, kept, strict=True)
    ]
    meta = IndexMeta(
        shard=shard.name, sha256=summary.sha256, bytes=summary.bytes, samples=len(kept)
    )
    write_index(place, entry.index, rows, meta)
    return entry


def _ledger(
    shard: _Shard, kept: Sequence[_Made], summary: ShardSummary, info: CorpusInfo
) -> Iterator[LedgerRow]:
    for made, span in zip(kept, summary.samples, strict=True):
        document = LedgerRow(
            kind=RowKind.DOCUMENT.value,
            key=made.doc_sha256,
            doc_sha256=made.doc_sha256,
            uri=f"typeset:{made.name}",
            name=made.name,
            status=Fate.WRITTEN.value,
            engine=ENGINE,
            config_hash=info.config_hash,
            page_count=1,
        )
        yield document
        yield replace(
            document,
            kind=RowKind.PAGE.value,
            key=made.key,
            page_index=0,
            verdict=made.facts.verdict,
            shard=shard.name,
            language=made.facts.language,
            words=made.facts.words,
            width=made.facts.width,
            height=made.facts.height,
            bytes=sum(part.size for part in span.parts),
            score=made.facts.score,
        )


class _ProcessPool:
    """The processes that make pages; one worker means this process."""

    def __init__(
        self, order: TypesetRequest, workers: int, done: int, total: int, progress: Progress | None
    ) -> None:
        self._workers = min(workers, max(1, (total - done) // _RUN_PAGES))
        self._done, self._total, self._progress = done, total, progress
        self._order = order
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> _ProcessPool:
        if self._workers > 1:
            self._pool = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start,
                initargs=(self._order,),
            )
        else:
            _Worker.order = self._order
            _Worker.recipes = {}
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        _Worker.recipes = {}

    def pages(self, runs: Iterator[_PageRange]) -> Iterator[_Made]:
        """The pages of all runs, in order."""
        for made in self._made(runs):
            self._done += len(made)
            if self._progress is not None:
                self._progress(self._done, self._total)
            yield from made

    def _made(self, runs: Iterator[_PageRange]) -> Iterator[list[_Made]]:
        if self._pool is None:
            yield from map(_make, runs)
            return
        ahead: deque[Future[list[_Made]]] = deque()
        try:
            for run in islice(runs, self._workers * _RUNS_AHEAD):
                ahead.append(self._pool.submit(_make, run))
            while ahead:
                made = ahead.popleft().result()
                for run in islice(runs, 1):
                    ahead.append(self._pool.submit(_make, run))
                yield made
        except BrokenProcessPool as err:
            raise PagemillError(
                "a worker died, perhaps for want of memory: the same command again goes on, "
                "with fewer --workers"
            ) from err


class _Worker:
    """What a process keeps between runs."""

    order: TypesetRequest
    recipes: dict[str, Typesetter] = {}


def _start(order: TypesetRequest) -> None:
    """Set a worker up: it leaves interrupts to the driver, and ends when the driver does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    cv2.setNumThreads(1)
    _Worker.order = order
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(run: _PageRange) -> list[_Made]:
    """The pages of a run."""
    order = _Worker.order
    if run.split not in _Worker.recipes:
        material = load_material(order.data, held_out=run.split == HELD_OUT)
        _Worker.recipes[run.split] = Typesetter(order.config, material, order.seed, run.split)
    recipe = _Worker.recipes[run.split]
    return [_page(recipe, number, order.config.image) for number in range(run.first, run.last)]


def _page(recipe: Typesetter, number: int, config: ImageConfig) -> _Made:
    sample = compose_page(recipe, number)
    image = encode(sample.image, config)
    name = f"{sample.kind}/{recipe.split}-{number:08d}"
    columns = sample.page.to_dict()
    columns["image_sha256"] = hashlib.sha256(image).hexdigest()
    columns["source"] = {"uri": name, "member": "", "licence": sample.licence}
    return _Made(
        sample.page.doc_sha256,
        sample.page.key,
        name,
        image,
        orjson.dumps(columns),
        PageFacts.from_page(sample.page),
    )


def _versions() -> dict[str, str]:
    """Of everything that touches pixels."""
    return {
        "pagemill": __version__,
        "python": platform.python_version(),
        "pillow": PIL.__version__,
        "freetype": features.version("freetype2") or "",
        "raqm": features.version("raqm") or "",
        "numpy": numpy.__version__,
        "opencv": cv2.__version__,
    }
