"""A reader in a supervised child: deadline, memory cap, crash → reason. Poison costs one page.

What kills a child is tried once more alone in a fresh child, then on the second backend, then
recorded; the pages after it go on in a new child.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from ..errors import ConfigError
from ..reason import Reason
from ..record import PageRecord
from ..text import MESSAGE_CHARS, sanitize
from .backend.registry import second_backend
from .message import Open, Opened, ReadPage, Refused, RenderPage
from .process import Child, ChildError
from .reader import PageFate, ReadConfig
from .render import RenderedPage

_CHECK_EVERY_PAGES = 16
_KEEP_FIRST_REASON = {Reason.ENCRYPTED, Reason.EMPTY_FILE, Reason.NOT_A_DOCUMENT}
_DEATHS = {Reason.TIMEOUT, Reason.CRASH, Reason.MEMORY}
"""What may be the fault of what the process had read before: tried again in a fresh one."""


Record = TypeVar("Record", bound=PageRecord)


@dataclass(frozen=True, kw_only=True)
class ReaderLimits:
    """What one document may cost. Limits decide whether a page is read, never what it becomes."""

    page_deadline_s: float = 20.0
    "Seconds for one page, and for opening a document; then its process is killed."
    document_deadline_s: float = 3600.0
    "Seconds for one document; its remaining pages fail."
    memory_bytes: int = 2_000_000_000
    "Address space that a reader process may take beyond its start."
    page_pixels: int = 50_000_000
    "Most pixels of a rendered page; checked before rendering."
    recycle_pages: int = 2000
    "A reader process is replaced after this many pages."
    recycle_bytes: int = 450_000_000
    "A reader process is replaced when it has grown to this resident size."

    def __post_init__(self) -> None:
        for name in ("page_deadline_s", "document_deadline_s"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"limits.{name} is {getattr(self, name)}; it must be above 0")
        for name in ("memory_bytes", "page_pixels", "recycle_pages"):
            if getattr(self, name) < 1:
                raise ConfigError(f"limits.{name} is {getattr(self, name)}; it must be above 0")


class GuardedReader:
    """Reads documents page by page in children that may die. Use as a context manager.

    Owns at most two children: one on the first backend, kept from document to document, and one
    on the second, which lives while a document needs it.
    """

    def __init__(self, config: ReadConfig, limits: ReaderLimits) -> None:
        self._config = config
        self._limits = limits
        self._backend = config.render.backend
        self._second = second_backend(self._backend) if config.render.second_backend else ""
        self._children: dict[str, Child] = {}
        self._open: dict[str, Open] = {}
        """Backend → the document that its child has open."""
        self._hangs_again = False
        """In this document a page has hung alone, too: later hangs are not tried alone."""
        self.peak_rss_bytes = 0

    def __enter__(self) -> GuardedReader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill all children."""
        for backend in list(self._children):
            self._drop(backend)

    def open(self, document: Open) -> Opened | Refused:
        """Open a document on the first backend that can; what kills both is refused."""
        first = self._open_on(self._backend, document)
        if isinstance(first, Refused) and first.reason in _DEATHS:
            self._drop(self._backend)
            first = self._open_on(self._backend, document)
        if isinstance(first, Opened) or not self._second or first.reason in _KEEP_FIRST_REASON:
            return first
        second = self._open_on(self._second, document)
        if isinstance(second, Opened):
            return second
        message = f"{self._backend}: {first.message}; {self._second}: {second.message}"
        return Refused(first.reason, sanitize(message, MESSAGE_CHARS))

    def pages(self, document: Open, opened: Opened, wanted: Iterable[int]) -> Iterator[PageFate]:
        """The fate of each wanted page, in order. Always one fate a page."""
        return self._records(document, opened, wanted, _Request(ReadPage, PageFate))

    def pixels(
        self, document: Open, opened: Opened, wanted: Iterable[int]
    ) -> Iterator[RenderedPage]:
        """Each wanted page as pixels alone, in order. Always one record a page."""
        return self._records(document, opened, wanted, _Request(RenderPage, RenderedPage))

    def _records(
        self, document: Open, opened: Opened, wanted: Iterable[int], request: _Request[Record]
    ) -> Iterator[Record]:
        used_s = 0.0
        attempts = self._attempts(document, opened)
        self._hangs_again = False
        for page_index in wanted:
            if used_s > self._limits.document_deadline_s:
                yield request.document_timeout(page_index, self._limits.document_deadline_s)
                continue
            start = time.monotonic()
            record = self._page(document, page_index, attempts, request)
            used_s += time.monotonic() - start
            yield record
        self._recycle(self._backend)
        self._drop(self._second)

    def _attempts(self, document: Open, opened: Opened) -> list[_Attempt]:
        """What is tried for a page, in order: as it comes, alone, on the second backend."""
        home = self._backend if self._open.get(self._backend) == document else self._second
        attempts = [_Attempt(home), _Attempt(home, alone=True)]
        is_scan = opened.engine.startswith("raster")
        if home == self._backend and self._second and not is_scan:
            attempts.append(_Attempt(self._second))
        return attempts

    def _page(
        self, document: Open, page_index: int, attempts: list[_Attempt], request: _Request[Record]
    ) -> Record:
        """Make one attempt after another until one gives it a fate that is not a failure."""
        failures: list[Record] = []
        for attempt in attempts:
            if attempt.alone and not self._is_worth_repeating(failures[-1]):
                continue
            fate = self._attempt(document, page_index, attempt, request)
            if not fate.failed:
                return replace(fate, attempts=len(failures) + 1)
            failures.append(fate)
            self._hangs_again |= attempt.alone and fate.reason == Reason.TIMEOUT
        if len(failures) == 1:
            return failures[0]
        message = "; ".join(f"{fate.engine.split()[0]}: {fate.message}" for fate in failures)
        message = sanitize(message, MESSAGE_CHARS)
        return replace(failures[0], attempts=len(failures), message=message)

    def _is_worth_repeating(self, failure: PageRecord) -> bool:
        """A dead child may have been at its end before the page came; a hang proves itself once."""
        if failure.reason == Reason.TIMEOUT:
            return not self._hangs_again
        return failure.reason in _DEATHS

    def _attempt(
        self, document: Open, page_index: int, attempt: _Attempt, request: _Request[Record]
    ) -> Record:
        if attempt.alone:
            self._drop(attempt.backend)
        try:
            child = self._child_with(attempt.backend, document)
            fate: Record = child.ask(request.message(page_index), self._limits.page_deadline_s)
        except ChildError as err:
            self._forget(attempt.backend)
            return request.failed(page_index, err.reason, str(err), attempt.backend)
        except _ReopenError as err:
            return request.failed(
                page_index, Reason(err.refused.reason), err.refused.message, attempt.backend
            )
        child.pages += 1
        if fate.reason == Reason.MEMORY or child.pages % _CHECK_EVERY_PAGES == 0:
            self._recycle(attempt.backend, now=fate.reason == Reason.MEMORY)
        return fate

    def _child_with(self, backend: str, document: Open) -> Child:
        """The backend's child with the document open in it."""
        if self._open.get(backend) != document:
            reply = self._open_on(backend, document)
            if isinstance(reply, Refused):
                raise _ReopenError(reply)
        return self._children[backend]

    def _open_on(self, backend: str, document: Open) -> Opened | Refused:
        self._open.pop(backend, None)
        try:
            child = self._children.get(backend)
            if child is None:
                child = Child(backend, self._config, self._limits.memory_bytes)
                self._children[backend] = child
            reply: Opened | Refused = child.ask(document, self._limits.page_deadline_s)
        except ChildError as err:
            self._forget(backend)
            return Refused(err.reason, str(err))
        if isinstance(reply, Opened):
            self._open[backend] = document
        return reply

    def _recycle(self, backend: str, *, now: bool = False) -> None:
        """Replace a child that is old or has grown."""
        child = self._children.get(backend)
        if child is None:
            return
        rss = child.rss_bytes()
        self.peak_rss_bytes = max(self.peak_rss_bytes, rss)
        if now or child.pages >= self._limits.recycle_pages or rss > self._limits.recycle_bytes:
            self._drop(backend)

    def _drop(self, backend: str) -> None:
        child = self._children.pop(backend, None)
        self._open.pop(backend, None)
        if child is not None:
            child.close()

    def _forget(self, backend: str) -> None:
        """A child that has died by itself or was killed."""
        self._children.pop(backend, None)
        self._open.pop(backend, None)


@dataclass(frozen=True, slots=True)
class _Attempt:
    backend: str
    alone: bool = False
    """In a fresh child that has read nothing before."""


@dataclass(frozen=True, slots=True)
class _Request(Generic[Record]):
    """What is asked of each page, and what a page becomes that nothing answered for."""

    message: type[ReadPage] | type[RenderPage]
    record: type[Record]

    def failed(self, page_index: int, reason: Reason, message: str, backend: str) -> Record:
        return self.record(
            page_index=page_index, failed=True, stage="render", reason=reason, message=message,
            engine=backend,
        )  # fmt: skip

    def document_timeout(self, page_index: int, deadline_s: float) -> Record:
        message = f"the document had used its limits.document_deadline_s = {deadline_s:g} s"
        return self.failed(page_index, Reason.DOCUMENT_TIMEOUT, message, "")


class _ReopenError(Exception):
    """A document that had been open does not open again."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused
