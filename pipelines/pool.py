"""Run jobs on a pool of Ray actors that may be lost: retries, one error policy, no job forgotten.

The policy: a worker returns what went wrong with its document and raises only what is about the
machine, which ends the run; a job that takes `MAX_LOSSES` actors with it comes back as lost.

Why not `ray.util.ActorPool`: it drops a lost actor and its job and starts no other, an actor has
nothing to go on with while its result travels, no job can go first, and where no actor starts it
waits for ever. Ray's own actor restarts and task retries are switched off: they would run a job
that kills its actor again, and tell nobody how often.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import ray
from ray.exceptions import RayActorError, RayTaskError

from ..engine.errors import PagemillError

Item = TypeVar("Item")
MAX_LOSSES = 3
_IN_FLIGHT = 2
_START_DEADLINE_S = 300.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobResult(Generic[Item]):
    """A job and what came of it; `lost` when it took `MAX_LOSSES` actors with it."""

    item: Item
    result: Any = None
    lost: bool = False


@dataclass(slots=True, eq=False)
class _Job(Generic[Item]):
    method: str
    item: Item
    losses: int = 0


@dataclass(slots=True, eq=False)
class _Actor:
    handle: Any
    ready: bool = False
    queue: list[Any] = field(default_factory=list)
    """Jobs it has been given, the one it works on first."""
    started: float = field(default_factory=time.monotonic)


class JobPool(Protocol[Item]):
    """Where jobs are done, one after another or many at a time."""

    @property
    def size(self) -> int: ...

    @property
    def backlog(self) -> int: ...

    @property
    def alive(self) -> int: ...

    @property
    def busy(self) -> bool: ...

    def submit(self, method: str, item: Item, *, first: bool = False) -> None: ...

    def wait(self, timeout_s: float) -> Sequence[JobResult[Item]]: ...


class ActorPool(Generic[Item]):
    """A pool of equal actors.

    Args:
        make: starts one actor and returns its handle; it has the methods `ping` and those that
            are submitted.
        size: how many actors to keep alive.
    """

    def __init__(self, make: Callable[[], Any], size: int) -> None:
        self._make = make
        self._size = size
        self._actors: list[_Actor] = []
        self._waiting: deque[_Job[Item]] = deque()
        self._running: dict[Any, tuple[_Job[Item], _Actor]] = {}
        self._pings: dict[Any, _Actor] = {}
        for _ in range(size):
            self._start_actor()

    @property
    def size(self) -> int:
        """How many actors are kept alive."""
        return self._size

    @property
    def backlog(self) -> int:
        """Jobs that no actor has taken yet."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether anything is still to come."""
        return bool(self._waiting or self._running)

    @property
    def alive(self) -> int:
        """Actors that answer."""
        return sum(actor.ready for actor in self._actors)

    def submit(self, method: str, item: Item, *, first: bool = False) -> None:
        """Queue a job; `first` puts it before all others that wait."""
        job = _Job(method, item)
        if first:
            self._waiting.appendleft(job)
        else:
            self._waiting.append(job)
        self._feed()

    def wait(self, timeout_s: float) -> list[JobResult[Item]]:
        """What has been done since the last call, after at most `timeout_s`.

        Raises:
            PagemillError: no actor could be started; or an error that a worker raised, which is
                never about one document: those are results.
        """
        references = [*self._running, *self._pings]
        if not references:
            return []
        ready, _ = ray.wait(references, num_returns=len(references), timeout=0, fetch_local=False)
        if not ready:
            ready, _ = ray.wait(references, num_returns=1, timeout=timeout_s, fetch_local=False)
        done: list[JobResult[Item]] = []
        for reference in ready:
            if reference in self._pings:
                self._greet(reference)
            elif reference in self._running:
                done += self._collect(reference)
        self._check_start()
        self._feed()
        return done

    def close(self) -> None:
        """Kill all actors."""
        for actor in self._actors:
            ray.kill(actor.handle, no_restart=True)
        self._actors.clear()
        self._running.clear()
        self._pings.clear()
        self._waiting.clear()

    def _start_actor(self) -> None:
        actor = _Actor(self._make())
        self._actors.append(actor)
        self._pings[actor.handle.ping.remote()] = actor

    def _greet(self, reference: Any) -> None:
        actor = self._pings.pop(reference)
        try:
            ray.get(reference)
        except RayActorError as err:
            _log.warning("a worker did not start: %s", _first_line(err))
            self._bury(actor)
            return
        except RayTaskError as err:
            raise _cause(err) from err
        actor.ready = True

    def _collect(self, reference: Any) -> list[JobResult[Item]]:
        job, actor = self._running.pop(reference)
        try:
            result = ray.get(reference)
        except RayActorError as err:
            if actor in self._actors:
                _log.warning("a worker was lost: %s", _first_line(err))
                actor.queue[0].losses += 1
                self._bury(actor)
        except RayTaskError as err:
            raise _cause(err) from err
        else:
            actor.queue.remove(job)
            return [JobResult(job.item, result)]
        if job.losses >= MAX_LOSSES:
            return [JobResult(job.item, lost=True)]
        self._waiting.appendleft(job)
        return []

    def _bury(self, actor: _Actor) -> None:
        """Forget a dead actor and start another; its jobs come back one by one as they fail."""
        if actor in self._actors:
            self._actors.remove(actor)
            self._start_actor()

    def _feed(self) -> None:
        """Give waiting jobs to the actors that have the fewest."""
        ready = [actor for actor in self._actors if actor.ready]
        while self._waiting and ready:
            actor = min(ready, key=lambda one: len(one.queue))
            if len(actor.queue) >= _IN_FLIGHT:
                return
            job = self._waiting.popleft()
            reference = getattr(actor.handle, job.method).remote(job.item)
            actor.queue.append(job)
            self._running[reference] = (job, actor)

    def _check_start(self) -> None:
        if self.alive or not self._actors:
            return
        waited = time.monotonic() - max(actor.started for actor in self._actors)
        if waited > _START_DEADLINE_S:
            raise PagemillError(
                f"no worker has started within {_START_DEADLINE_S:.0f} s: the Ray cluster has "
                "no free CPU for them; free some or lower --workers"
            )


def _cause(err: RayTaskError) -> Exception:
    """The worker's own error where it is one of ours, else Ray's, which shows its traceback."""
    cause = err.cause
    return cause if isinstance(cause, PagemillError) else err


def _first_line(err: Exception) -> str:
    return str(err).strip().splitlines()[0]
