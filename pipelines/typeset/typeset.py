"""A corpus of typeset pages, from a request to `corpus.json`; resumable, and never mixed."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import cv2
import numpy
import PIL
from PIL import features

from ... import __version__
from ...engine.errors import ConfigError
from ...engine.store import corpus as corpus_file
from ...engine.store.corpus import FILE, CorpusInfo, Generation, ShardEntry
from ...engine.store.ledger import read_rows, summarize
from ...engine.store.place import Place
from ...engine.typeset.compose import ENGINE
from ...engine.typeset.material import load_material
from ...engine.typeset.notation import VERSION as BABEL_VERSION
from .pool import ProcessPool, Progress
from .request import TypesetRequest, plan_shards
from .shard import finished_entry, write_pages

_OURS = (FILE, "shards", "index", "ledger", ".work")
_FIRST_ENGINE = "typeset 1"
"""Of corpora that do not name their typesetter."""


def typeset_corpus(
    request: TypesetRequest, out: str, *, workers: int = 0, progress: Progress | None = None
) -> CorpusInfo:
    """Write a corpus, or finish one that the same request began.

    Args:
        request: what to make.
        out: folder or URI of the corpus.
        workers: processes; 0 means one a CPU.
        progress: called with pages made and pages in all.

    Raises:
        ConfigError: the data folder is not one, `out` holds something else, or what an older
            version of the typesetter began.
        PagemillError: a worker died, or page after page failed.
    """
    place = Place.at(out)
    info = _begin(place, request)
    if info.status == "complete":
        return info
    place.sweep()
    shards = plan_shards(request)
    entries = {shard.name: entry for shard in shards if (entry := finished_entry(place, shard))}
    missing = [shard for shard in shards if shard.name not in entries]
    done = request.total_pages - sum(len(shard.pages) for shard in missing)
    jobs = (job for shard in missing for job in shard.pages.jobs())
    with ProcessPool(request, workers or os.cpu_count() or 1, done=done, progress=progress) as pool:
        pages = pool.pages(jobs)
        for shard in missing:
            own = islice(pages, len(shard.pages))
            entries[shard.name] = write_pages(place, shard, own, info)
    return _end(place, info, [entries[shard.name] for shard in shards])


def _begin(place: Place, request: TypesetRequest) -> CorpusInfo:
    """The corpus that is there, or a new one."""
    load_material(request.data)
    if request.held_out:
        load_material(request.data, held_out=True)
    if corpus_file.exists(place):
        info = CorpusInfo.load(place)
        _check_same(place, info, request)
        return info
    foreign = [name for name in place.list("") if name not in _OURS]
    if foreign:
        raise ConfigError(
            f"{place.uri} is not empty and not a corpus: there is {foreign[0]!r} in it. "
            "Choose a new folder."
        )
    fingerprint = request.fingerprint()
    info = CorpusInfo(
        status="building",
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
        config=request.to_tree(),
        config_hash=fingerprint,
        image_ext=request.config.image.extension,
        generations=(
            Generation(
                number=0,
                inputs=(request.data.name,),
                documents=request.total_pages,
                config_hash=fingerprint,
            ),
        ),
        versions=_versions(),
    )
    info.save(place)
    return info


def _check_same(place: Place, info: CorpusInfo, request: TypesetRequest) -> None:
    if info.config_hash != request.fingerprint():
        raise ConfigError(
            f"{place.uri} holds another corpus: it was made with other settings, pages, seed "
            "or data. Choose a new folder, or give what it was made with."
        )
    engine = info.versions.get("typesetter", _FIRST_ENGINE)
    if info.status != "complete" and engine != ENGINE:
        raise ConfigError(
            f"{place.uri} was begun by {engine!r} and this is {ENGINE!r}, whose pages look "
            "otherwise: a corpus is not mixed. Choose a new folder, or delete this one to make "
            "it anew; to finish it as it was begun, use the Pagemill that it names "
            f"({info.versions.get('pagemill', 'an older one')})."
        )


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


def _versions() -> dict[str, str]:
    """Of everything that touches pixels or says what stands on a page."""
    return {
        "pagemill": __version__,
        "typesetter": ENGINE,
        "python": platform.python_version(),
        "pillow": PIL.__version__,
        "freetype": features.version("freetype2") or "",
        "raqm": features.version("raqm") or "",
        "numpy": numpy.__version__,
        "opencv": cv2.__version__,
        "babel": BABEL_VERSION,
    }
