"""A build in one process, without Ray, so that a test can reach into every step of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pagemill.engine.config import load
from pagemill.engine.source.listing import find
from pagemill.engine.store.corpus import Generation
from pagemill.engine.store.place import Place
from pagemill.pipelines.build.assemble import State
from pagemill.pipelines.build.config import BuildConfig
from pagemill.pipelines.build.driver import BuildRun
from pagemill.pipelines.build.history import corpus_at, with_shards
from pagemill.pipelines.build.job import DocumentTask
from pagemill.pipelines.build.plan import in_order, plan_for
from pagemill.pipelines.build.run import finish
from pagemill.pipelines.build.worker import Worker
from pagemill.pipelines.pool import JobResult


class InlinePool:
    """Has the manner of `pipelines.pool.ActorPool`, and a single worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._waiting: deque[tuple[str, Any]] = deque()
        self.size = self.alive = 1

    @property
    def backlog(self) -> int:
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def submit(self, method: str, item: Any, *, first: bool = False) -> None:
        job = (method, item)
        if first:
            self._waiting.appendleft(job)
        else:
            self._waiting.append(job)

    def wait(self, timeout_s: float) -> list[JobResult[Any]]:
        if not self._waiting:
            return []
        method, item = self._waiting.popleft()
        return [JobResult(item, getattr(self._worker, method)(item))]


@contextmanager
def inline_pool(out: str, config: BuildConfig) -> Iterator[InlinePool]:
    """A pool whose worker is closed at the end."""
    worker = Worker(out, config)
    try:
        yield InlinePool(worker)
    finally:
        worker.close()


def inline_build(dump: Path, out: Path, settings: Sequence[str]) -> None:
    """What `run.build` does with a new or an interrupted corpus, to the end or to an error."""
    config = load(BuildConfig, None, list(settings))
    place = Place.at(str(out))
    info = corpus_at(place, config)
    sources = in_order(find([str(dump)], limits=config.limits).sources, config.shard.seed)
    plan = plan_for(place, info, "build", [str(dump)], sources, config)
    assert plan is not None
    run = BuildRun(
        place,
        config,
        plan.generation,
        [DocumentTask(source=source) for source in sources],
        first=State(shards=plan.shards),
        originals={},
        on_commit=lambda shards: None,
    )
    with inline_pool(str(out), config) as pool:
        run.execute(pool, lambda snapshot: None)
    generation = Generation(
        number=0, inputs=plan.inputs, documents=len(sources), config_hash=config.hash
    )
    finish(place, with_shards(info, generation, run.shards, "complete"), len(sources), {})
