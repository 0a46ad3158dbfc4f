"""The process in which untrusted bytes are parsed: one open document, one page at a time.

Started by `guard` as `python -m pagemill.engine.read.child REQUEST_FD REPLY_FD PARENT`. It
dies with its parent, is the first that the kernel kills when memory runs out, and has a memory cap.
For fault injection in tests, the environment variable `PAGEMILL_FAULT` names a function
`module:function`; it is called with the page key and the backend before each page is read.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from ..errors import DependencyError, PagemillError
from ..key import page_key
from ..reason import Reason
from ..record import PageRecord
from ..text import MESSAGE_CHARS, sanitize
from .backend.document import OpenDocument
from .backend.registry import load_backend
from .message import (
    Open,
    Opened,
    ReadPage,
    Ready,
    Refused,
    RenderPage,
    Setup,
    Unable,
    receive,
    send,
)
from .reader import PageFate, open_any, read_page
from .render import RenderedPage, render_page

_PR_SET_PDEATHSIG = 1
_COLLECT_EVERY = 100_000
"""Objects between two collections: a page makes some ten thousand, none of them in cycles."""
FAULT_VARIABLE = "PAGEMILL_FAULT"


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    requests = os.fdopen(int(sys.argv[1]), "rb")
    replies = os.fdopen(int(sys.argv[2]), "wb")
    _die_with_parent(int(sys.argv[3]))
    faulthandler.enable()
    setup: Setup = receive(requests)
    try:
        load_backend(setup.backend)
    except DependencyError as err:
        send(replies, Unable(str(err)))
        return
    _cap_memory(setup.memory_bytes)
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY)
    server = _Server(setup)
    send(replies, Ready(_rss_bytes()))
    while True:
        try:
            request = receive(requests)
        except EOFError:
            return
        send(replies, server.answer(request))


class _Server:
    """Holds the open document between requests."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._fault = _fault_hook()
        self._document: OpenDocument | None = None
        self._doc_sha256 = ""
        self._path = ""

    def answer(self, request: object) -> object:
        if isinstance(request, Open):
            return self._open(request)
        assert isinstance(request, (ReadPage, RenderPage))
        return self._page(request)

    def _open(self, request: Open) -> Opened | Refused:
        start = time.perf_counter()
        if self._document is not None:
            self._document.close()
            self._document = None
        self._doc_sha256 = request.doc_sha256
        self._path = request.path
        try:
            document = open_any(Path(request.path), self._setup.backend, request.passwords)
        except OSError as err:
            return Refused(Reason.MISSING, f"the file cannot be opened: {err.strerror or err}")
        except PagemillError as err:
            reason = getattr(err, "reason", "") or Reason.BROKEN
            return Refused(reason, self._reported(str(err)))
        except MemoryError:
            return Refused(Reason.MEMORY, "opening needs more than limits.memory_bytes")
        except Exception as err:  # noqa: BLE001  a broken file may raise anything; it says what
            return Refused(Reason.BROKEN, self._reported(f"{type(err).__name__}: {err}"))
        self._document = document
        ms = (time.perf_counter() - start) * 1000
        return Opened(document.page_count, document.engine, document.repaired, round(ms, 2))

    def _page(self, request: ReadPage | RenderPage) -> PageRecord:
        assert self._document is not None
        page_index = request.page_index
        try:
            if self._fault is not None:
                self._fault(page_key(self._doc_sha256, page_index), self._setup.backend)
            record = self._made(request, self._document)
            return replace(record, message=self._reported(record.message))
        except MemoryError:
            reason, message = Reason.MEMORY, "the page needs more than limits.memory_bytes"
        except Exception as err:  # noqa: BLE001  a page may raise anything; its fate says what
            reason, message = Reason.RENDER_ERROR, f"{type(err).__name__}: {err}"
        kind = PageFate if isinstance(request, ReadPage) else RenderedPage
        return kind(
            page_index=page_index,
            failed=True,
            stage="render",
            reason=reason,
            message=self._reported(message),
            engine=self._document.engine,
        )

    def _made(self, request: ReadPage | RenderPage, document: OpenDocument) -> PageRecord:
        config = self._setup.config
        if isinstance(request, ReadPage):
            return read_page(document, request.page_index, self._doc_sha256, config)
        return render_page(
            document,
            request.page_index,
            dpi=config.render.dpi,
            colour=config.render.colour,
            most_pixels=config.page_pixels,
        )

    def _reported(self, message: str) -> str:
        """A message as it leaves: short, valid, and without the path, which is ours for documents
        from archives and buckets and says nothing.
        """
        message = message.replace(self._path, "the file").replace(sanitize(self._path), "the file")
        return sanitize(message, MESSAGE_CHARS)


def _fault_hook() -> Callable[[str, str], None] | None:
    name = os.environ.get(FAULT_VARIABLE)
    if not name:
        return None
    module, _, function = name.partition(":")
    hook: Callable[[str, str], None] = getattr(import_module(module), function)
    return hook


def _die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies, and to prefer it when it must."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    if os.getppid() != parent:
        raise SystemExit(1)


def _cap_memory(memory_bytes: int) -> None:
    """Cap the address space at what is mapped now plus `memory_bytes`."""
    if sys.platform != "linux":
        return
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _rss_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
