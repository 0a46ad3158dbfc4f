"""The backends by name, each imported when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from ...errors import ConfigError, DependencyError
from .document import OpenDocument

BACKENDS = {
    "mupdf": "PDF",
    "poppler": "PDF",
    "raster": "image",
}
"""Module of this folder to what it opens; of those that open PDFs, the earlier is tried first."""
PDF_BACKENDS = tuple(name for name, kind in BACKENDS.items() if kind == "PDF")


def load_backend(backend: str) -> Callable[[Path, str | None], OpenDocument]:
    """The function of a backend that opens a file.

    Raises:
        ConfigError: no such backend.
        DependencyError: its package or programs are not installed.
    """
    if backend not in BACKENDS:
        raise ConfigError(f"there is no backend {backend!r}; there are {', '.join(BACKENDS)}")
    module = import_module(f".{backend}", __package__)
    return cast("Callable[[Path, str | None], OpenDocument]", module.open_document)


def is_available(backend: str) -> bool:
    """Whether a backend's package or programs are installed here."""
    try:
        load_backend(backend)
    except DependencyError:
        return False
    return True


def second_backend(backend: str) -> str:
    """The backend that is tried for PDFs on which this one dies."""
    return next(name for name in PDF_BACKENDS if name != backend)


def open_document(backend: str, path: Path, password: str | None = None) -> OpenDocument:
    """Open a file with a backend.

    Raises:
        ConfigError: no such backend.
        DependencyError: its package or programs are not installed.
        PdfError: not readable; `.reason` says why (`broken`, `encrypted`, `empty_file`,
            `zero_pages`, `not_a_document`).
    """
    return load_backend(backend)(path, password)
