"""An open document, whatever library reads it: what every backend must give."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

from ...page import TextLayer

Colour = Literal["auto", "grey", "colour"]


class OpenDocument(Protocol):
    """An open document. Any call may raise `PdfError`; a broken file may also kill the process."""

    engine: str
    """Name and version of the backend, such as `mupdf 1.28.5`; `Page.engine` on disk."""
    page_count: int
    repaired: bool
    """The file was damaged and the backend rebuilt its structure."""
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
        """What the backend complained about since the last call, made valid by `sanitize`."""
        ...

    def close(self) -> None: ...
