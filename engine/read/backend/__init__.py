"""PDF and image engines behind one interface: `mupdf`, `poppler`, `raster` (scans as images).

Each engine is one module with `open_document(path, password) -> OpenDocument`; this file is
the only place that lists them. Engines are imported when first used.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol, cast

import numpy as np

from ...errors import ConfigError, DependencyError
from ...page import TextLayer

Colour = Literal["auto", "grey", "colour"]
ENGINES = ("mupdf", "poppler", "raster")


class OpenDocument(Protocol):
    """An open document. Any call may raise `PdfError`; a broken file may also kill the process."""

    engine: str
    """Name and version, such as `mupdf 1.28.5`."""
    page_count: int
    repaired: bool
    """The file was damaged and the engine rebuilt its structure."""
    producer: str

    def size_pt(self, page_index: int) -> tuple[float, float]:
        """Width and height of the visible page, pt, after rotation, crop box and UserUnit."""
        ...

    def rotation(self, page_index: int) -> int:
        """The page's /Rotate: 0, 90, 180 or 270."""
        ...

    def dpi(self, page_index: int) -> float | None:
        """The page's own resolution where pixels are given (scans as images), else None."""
        ...

    def render(self, page_index: int, *, dpi: float, colour: Colour) -> np.ndarray:
        """The page as `uint8 [height, width]`, or `[height, width, 3]` RGB where it has colour."""
        ...

    def text(self, page_index: int, *, dpi: float) -> TextLayer:
        """The page's text layer in pixels of the image that `render` makes at the same dpi."""
        ...

    def warnings(self) -> list[str]:
        """What the engine complained about since the last call."""
        ...

    def close(self) -> None: ...


def load_engine(engine: str) -> Callable[[Path, str | None], OpenDocument]:
    """An engine's way to open a file.

    Raises:
        ConfigError: no such engine.
        DependencyError: the engine is not installed.
    """
    if engine not in ENGINES:
        raise ConfigError(f"there is no engine {engine!r}; there are {', '.join(ENGINES)}")
    module = import_module(f".{engine}", __name__)
    return cast("Callable[[Path, str | None], OpenDocument]", module.open_document)


def is_available(engine: str) -> bool:
    """Whether an engine's package or programs are installed here."""
    try:
        load_engine(engine)
    except DependencyError:
        return False
    return True


def open_document(engine: str, path: Path, password: str | None = None) -> OpenDocument:
    """Open a file with an engine.

    Raises:
        ConfigError: no such engine.
        DependencyError: the engine is not installed.
        PdfError: not readable; `.reason` says why (`broken`, `encrypted`, `empty_file`,
            `zero_pages`, `not_a_document`).
    """
    return load_engine(engine)(path, password)
