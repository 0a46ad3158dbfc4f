"""`pagemill build`: from inputs to a verified corpus, resumable and never mixed.

In reading order: `build` checks what is there, finds what is new, runs it (`driver`) and
finishes the corpus.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...engine.reason import Reason
from ...engine.source.listing import find
from ...engine.store.corpus import CorpusInfo, Generation, ShardEntry
from ...engine.store.ledger import (
    LedgerSummary,
    drop_superseded,
    read_rows,
    settle_documents,
    summarize,
)
from ...engine.store.place import Place
from ..cluster import actors_of, connected
from ..pool import ActorPool
from .assemble import State
from .config import BuildConfig
from .driver import BuildRun, WorkerJob
from .history import (
    clear,
    corpus_at,
    generation_of,
    known_documents,
    new_sources,
    originals_in,
    with_shards,
    without,
)
from .job import DocumentTask, Original
from .plan import in_order, plan_for
from .snapshot import BuildListener
from .worker import Worker
from .workspace import RunPlan, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where and how a run is carried out; none of it can change a written byte."""

    workers: int = 0
    """Reader processes; 0 for one a CPU."""
    address: str | None = None
    """Of a Ray cluster; None starts Ray on this machine."""
    wheel: Path | None = None
    """A wheel of this package for nodes of a cluster that lack it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What a command did."""

    summary: LedgerSummary
    documents: int
    """That this run read; 0 when there was nothing to do."""


def build(
    inputs: Sequence[str],
    out: str,
    config: BuildConfig,
    *,
    machine: Machine | None = None,
    passwords: Sequence[tuple[str, str]] = (),
    rebuild: bool = False,
    progress: BuildListener | None = None,
) -> BuildResult:
    """Build a corpus, go on with one that was interrupted, or add new documents to one.

    Args:
        inputs: files, folders, globs, archives, `@lists` and URIs.
        out: folder or URI of the corpus.
        config: what is made of a page; must be that of the corpus if there is one.
        machine: workers and cluster.
        passwords: (pattern of document names, password) pairs.
        rebuild: throw away what is in `out` first.
        progress: where to show what is going on.

    Raises:
        ConfigError: inputs that match nothing, a folder that is not a corpus, a corpus with
            another configuration, or an input that has changed since it was read.
        DependencyError: a backend or a file system is not installed.
    """
    config = checked_backends(config)
    place = Place.at(out)
    workspace = Workspace(place)
    with workspace.locked():
        if rebuild:
            clear(place)
        info = corpus_at(place, config)
        listing = find(inputs, limits=config.limits)
        if progress is not None and listing.ignored:
            progress.note(_ignored_text(listing.ignored))
        earlier = known_documents(place, generation_of(workspace, info))
        outside = [source for source in listing.sources if not _is_inside(source.uri, place)]
        sources = new_sources(outside, earlier, workspace.journal(), place, config)
        ordered = in_order(sources, config.shard.seed)
        plan = plan_for(place, info, "build", inputs, ordered, config)
        if plan is None:
            return BuildResult(summary=summarize(read_rows(place)), documents=0)
        tasks = [DocumentTask(source=source) for source in ordered]
        return carry_out(
            place,
            config,
            plan,
            tasks,
            info=info,
            originals=originals_in(earlier.values()),
            passwords=passwords,
            machine=machine or Machine(),
            progress=progress,
        )


def carry_out(
    place: Place,
    config: BuildConfig,
    plan: RunPlan,
    tasks: Sequence[DocumentTask],
    *,
    info: CorpusInfo,
    originals: Mapping[str, Original],
    passwords: Sequence[tuple[str, str]],
    machine: Machine,
    progress: BuildListener | None,
) -> BuildResult:
    """Run a plan to its end and finish the corpus."""
    generation = Generation(
        number=plan.generation,
        inputs=plan.inputs,
        documents=len(tasks),
        config_hash=config.hash,
    )
    before = without(info, plan)
    place.sweep()

    def note_shards(shards: tuple[ShardEntry, ...]) -> None:
        with_shards(before, generation, shards, "building").save(place)

    run = BuildRun(
        place,
        config,
        plan.generation,
        tasks,
        first=State(shards=plan.shards),
        originals=originals,
        passwords=passwords,
        on_commit=note_shards,
    )
    throughput: dict[str, float] = {}
    if not run.done:
        with connected(machine.address, machine.workers, machine.wheel) as workers:
            size = min(workers, max(1, len(tasks)))
            pool: ActorPool[WorkerJob] = ActorPool(actors_of(Worker, place.uri, config), size)
            start = time.monotonic()
            try:
                run.execute(pool, progress.update if progress else lambda _: None)
            finally:
                pool.close()
            seconds = round(time.monotonic() - start, 1)
            throughput = {"wall_s": seconds, "pages": run.pages_read, "workers": size}
    info = with_shards(before, generation, run.shards, "complete")
    return finish(place, info, len(tasks), throughput)


def finish(
    place: Place, info: CorpusInfo, documents: int, throughput: Mapping[str, float]
) -> BuildResult:
    """Write totals, and clear what only the run needed."""
    drop_superseded(place)
    summary = summarize(read_rows(place))
    if Reason.INTERNAL_ERROR in summary.reasons:
        settle_documents(place)
    replace(info, totals={**summary.to_dict(), "run": dict(throughput)}).save(place)
    Workspace(place).clear()
    return BuildResult(summary=summary, documents=documents)


def checked_backends(config: BuildConfig) -> BuildConfig:
    """The configuration, without the second backend where that is not installed.

    Raises:
        DependencyError: the first backend is not installed.
    """
    return replace(config, render=config.render.installed())


def _is_inside(uri: str, place: Place) -> bool:
    """Whether a source is part of the corpus itself, which may lie in an input folder."""
    return uri.startswith(place.uri.rstrip("/") + "/")


def _ignored_text(ignored: Mapping[str, int]) -> str:
    kinds = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in ignored.items())
    return f"not documents, left alone: {kinds}"
