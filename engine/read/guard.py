"""A reader in a supervised child: deadline, memory cap, crash → reason. Poison costs one page.

The parent keeps one request in flight. It waits on the reply pipe, which ends the moment the
child dies, so a crash is seen at once and a hang after its deadline, when the child is killed.
What kills a child is tried once more alone in a fresh child, then on the second backend, then
recorded; the pages after it go on in a new child.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DependencyError, PagemillError
from ..reason import Reason
from ..text import MESSAGE_CHARS, sanitize
from .backend.registry import second_backend
from .message import Open, Opened, ReadPage, Refused, Setup, Unable, receive, send
from .reader import PageFate, ReadConfig

_START_DEADLINE_S = 60.0
_STDERR_BYTES = 8000
_WORDS_CHARS = 160
_TRACEBACK = ("  ", "Current thread", "Thread ", "Extension modules", "Traceback")
_CHECK_EVERY_PAGES = 16
_KEEP_FIRST_REASON = {Reason.ENCRYPTED, Reason.EMPTY_FILE, Reason.NOT_A_DOCUMENT}
_DEATHS = {Reason.TIMEOUT, Reason.CRASH, Reason.MEMORY}
"""What may be the fault of what the process had read before: tried again in a fresh one."""
_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "OPENCV_FOR_THREADS_NUM": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
}
"""One thread: every core has its own reader. And page-sized arrays are used again rather than
given back to the kernel and faulted in anew, which costs a millisecond a page."""


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


class ChildError(Exception):
    """A child did not answer: it hung, crashed or ran out of memory."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Child:
    """One reader process and the two pipes to it.

    Raises:
        DependencyError: the backend is not installed here.
        PagemillError: the process does not start.
    """

    def __init__(self, backend: str, config: ReadConfig, memory_bytes: int) -> None:
        request_read, request_write = os.pipe()
        reply_read, reply_write = os.pipe()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        command = [sys.executable, "-m", "pagemill.engine.read.child"]
        try:
            self._process = subprocess.Popen(
                [*command, str(request_read), str(reply_write), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=(request_read, reply_write),
                start_new_session=True,
                env=os.environ | _ENVIRONMENT,
            )
        finally:
            os.close(request_read)
            os.close(reply_write)
        self._requests = os.fdopen(request_write, "wb")
        self._replies = os.fdopen(reply_read, "rb", buffering=0)
        self.pages = 0
        try:
            ready = self.ask(Setup(backend, config, memory_bytes), _START_DEADLINE_S)
        except ChildError as err:
            raise PagemillError(f"a reader process for {backend} does not start: {err}") from err
        if isinstance(ready, Unable):
            self.close()
            raise DependencyError(ready.message)

    def ask(self, request: object, deadline_s: float) -> Any:
        """Send a request and wait for its reply.

        Raises:
            ChildError: no reply before the deadline, or the process ended; it is gone then.
        """
        give_up = time.monotonic() + deadline_s
        try:
            send(self._requests, request)
            return receive(_Deadlined(self._replies, give_up))  # type: ignore[arg-type]
        except TimeoutError:
            self.close()
            raise ChildError(Reason.TIMEOUT, f"no answer within {deadline_s:g} s") from None
        except (EOFError, BrokenPipeError) as err:
            raise self._obituary() from err

    def rss_bytes(self) -> int:
        """Resident memory of the process, 0 where it cannot be read."""
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGESIZE")

    def close(self) -> None:
        """Kill the process and everything it started, and reap it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()
        self._replies.close()
        self._stderr.close()

    def _obituary(self) -> ChildError:
        """Why the process ended, from its exit status and its last words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)
        status = self._process.returncode
        words = self._last_words()
        self.close()
        if "MemoryError" in words or "bad_alloc" in words or status == -signal.SIGKILL:
            return ChildError(Reason.MEMORY, f"the process ran out of memory: {words}".rstrip(": "))
        if status is not None and status < 0:
            how = f"was killed by {signal.Signals(-status).name}"
        else:
            how = f"ended with status {status}"
        return ChildError(Reason.CRASH, f"the process {how}: {words}".rstrip(": "))

    def _last_words(self) -> str:
        size = self._stderr.seek(0, io.SEEK_END)
        self._stderr.seek(max(0, size - _STDERR_BYTES))
        lines = self._stderr.read().decode("utf-8", "replace").splitlines()
        words = [line.strip() for line in lines if line and not line.startswith(_TRACEBACK)]
        return sanitize(" | ".join(words[-3:]), _WORDS_CHARS)


class _Deadlined:
    """A pipe's reading end whose reads raise TimeoutError once a moment has passed."""

    def __init__(self, pipe: io.FileIO, give_up: float) -> None:
        self._pipe = pipe
        self._give_up = give_up

    def read(self, size: int) -> bytes:
        chunks: list[bytes] = []
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN | select.POLLHUP)
        while size:
            left_s = self._give_up - time.monotonic()
            if not poll.poll(max(0.0, left_s) * 1000):
                raise TimeoutError
            chunk = self._pipe.read(min(size, 1 << 20))
            if not chunk:
                break
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)


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
        give_up = time.monotonic() + self._limits.document_deadline_s
        attempts = self._attempts(document, opened)
        self._hangs_again = False
        for page_index in wanted:
            if time.monotonic() > give_up:
                yield _document_timeout(page_index, self._limits.document_deadline_s)
                continue
            yield self._page(document, page_index, attempts)
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

    def _page(self, document: Open, page_index: int, attempts: list[_Attempt]) -> PageFate:
        """Make one attempt after another until one gives it a fate that is not a failure."""
        failures: list[PageFate] = []
        for attempt in attempts:
            if attempt.alone and not self._is_worth_repeating(failures[-1]):
                continue
            fate = self._attempt(document, page_index, attempt)
            if not fate.failed:
                return replace(fate, attempts=len(failures) + 1)
            failures.append(fate)
            self._hangs_again |= attempt.alone and fate.reason == Reason.TIMEOUT
        if len(failures) == 1:
            return failures[0]
        message = "; ".join(f"{fate.engine.split()[0]}: {fate.message}" for fate in failures)
        message = sanitize(message, MESSAGE_CHARS)
        return replace(failures[0], attempts=len(failures), message=message)

    def _is_worth_repeating(self, failure: PageFate) -> bool:
        """A dead child may have been at its end before the page came; a hang proves itself once."""
        if failure.reason == Reason.TIMEOUT:
            return not self._hangs_again
        return failure.reason in _DEATHS

    def _attempt(self, document: Open, page_index: int, attempt: _Attempt) -> PageFate:
        if attempt.alone:
            self._drop(attempt.backend)
        try:
            child = self._child_with(attempt.backend, document)
            fate: PageFate = child.ask(ReadPage(page_index), self._limits.page_deadline_s)
        except ChildError as err:
            self._forget(attempt.backend)
            return _failed(page_index, err.reason, str(err), attempt.backend)
        except _ReopenError as err:
            return _failed(
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


class _ReopenError(Exception):
    """A document that had been open does not open again."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused


def _failed(page_index: int, reason: Reason, message: str, backend: str) -> PageFate:
    return PageFate(
        page_index=page_index,
        failed=True,
        stage="render",
        reason=reason,
        message=message,
        engine=backend,
    )


def _document_timeout(page_index: int, deadline_s: float) -> PageFate:
    message = f"the document had used its limits.document_deadline_s = {deadline_s:g} s"
    return _failed(page_index, Reason.DOCUMENT_TIMEOUT, message, "")
