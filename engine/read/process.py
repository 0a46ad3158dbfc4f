"""One reader process and the pipes to it: requests with a deadline, and why it died.

The parent keeps one request in flight. It waits on the reply pipe, which ends the moment the
child dies, so a crash is seen at once and a hang after its deadline, when the child is killed.
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
from pathlib import Path
from typing import Any

from ..errors import DependencyError, PagemillError
from ..reason import Reason
from ..text import sanitize
from .message import Setup, Unable, receive, send
from .reader import ReadConfig

_START_DEADLINE_S = 60.0
_STDERR_BYTES = 8000
_WORDS_CHARS = 160
_TRACEBACK = ("  ", "Current thread", "Thread ", "Extension modules", "Traceback")
_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "OPENCV_FOR_THREADS_NUM": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
}
"""One thread: every core has its own reader. And page-sized arrays are used again rather than
given back to the kernel and faulted in anew, which costs a millisecond a page."""


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
