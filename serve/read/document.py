"""One file as pictures: opened and rendered in a child process, so that poison costs one page."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...engine.errors import DependencyError
from ...engine.key import sha256_of
from ...engine.read.backend.registry import PDF_BACKENDS, is_available
from ...engine.read.guard import GuardedReader, ReaderLimits
from ...engine.read.message import Open, Opened, Refused
from ...engine.read.reader import ReadConfig, RenderConfig
from ...engine.reason import Reason
from ...engine.source.archive import ArchiveLimits, too_large
from .page import PagePixels, ReadFailure
from .selection import PageSelection


def installed_render(*, dpi: float, backend: str = "") -> RenderConfig:
    """How pages become pixels with what is installed here.

    Args:
        dpi: resolution; scans are not enlarged.
        backend: mupdf or poppler; the first of them that is installed when left out.

    Raises:
        ConfigError: no such backend, or a resolution out of range.
        DependencyError: the backend is not installed, or none is.
    """
    if not backend:
        backend = next((name for name in PDF_BACKENDS if is_available(name)), "")
    if not backend:
        raise DependencyError(
            "no library for PDFs is installed: pip install pymupdf, or install poppler-utils"
        )
    return RenderConfig(dpi=dpi, backend=backend).installed()


def open_guard(render: RenderConfig, limits: ReaderLimits) -> GuardedReader:
    """The reader of files; a context manager, which ends its processes."""
    return GuardedReader(ReadConfig(render=render, page_pixels=limits.page_pixels), limits)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is open in the guarded reader, and the pages of it that are wanted."""

    path: Path
    document: Open
    opened: Opened
    page_indices: tuple[int, ...]

    def pages(self, guard: GuardedReader) -> Iterator[PagePixels | ReadFailure]:
        """The pages as pictures, each rendered when it is asked for."""
        for page in guard.pixels(self.document, self.opened, self.page_indices):
            if page.pixels is None:
                advice = "; a lower --dpi may help" * (page.reason == Reason.TOO_MANY_PIXELS)
                yield ReadFailure(self.path, page.page_index, page.reason, page.message + advice)
            else:
                yield PagePixels(self.path, page.page_index, page.pixels)


def open_file(guard: GuardedReader, path: Path, selection: PageSelection) -> OpenFile | ReadFailure:
    """Open a file; what cannot be opened is a failure with its reason."""
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            return ReadFailure(path, None, Reason.NOT_A_DOCUMENT, "is not a file")
        reason, message = too_large(state.st_size, ArchiveLimits())
        if reason:
            return ReadFailure(path, None, reason, message)
        with path.open("rb") as stream:
            doc_sha256 = sha256_of(stream)
    except (OSError, ValueError) as err:
        why = getattr(err, "strerror", None) or err
        return ReadFailure(path, None, Reason.MISSING, f"cannot be opened: {why}")
    document = Open(str(path), doc_sha256)
    opened = guard.open(document)
    if isinstance(opened, Refused):
        return ReadFailure(path, None, opened.reason, opened.message)
    page_indices = selection.indices(opened.page_count)
    if not page_indices:
        message = f"has {opened.page_count} pages, none of those that --pages names"
        return ReadFailure(path, None, Reason.DOCUMENT_PAGES, message)
    return OpenFile(path, document, opened, tuple(page_indices))
