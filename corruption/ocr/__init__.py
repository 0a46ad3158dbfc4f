"""OCR engines as measuring instruments: what they still read tells how corrupted a region is.

They never label anything; `engine.score` compares what was read with what stands there. Crops of
lines or a page go in, text comes out.

- `tesseract`  the program of Debian's `tesseract-ocr`
- `rapid`      RapidOCR, with the weights of PP-OCR in its package

A new engine is a file with a class of `OcrEngine`, and a line in `OCR_ENGINES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ...engine.errors import ConfigError
from ...engine.geometry import Box

__all__ = ["OCR_ENGINES", "OcrEngine", "open_ocr"]


class OcrEngine(Protocol):
    """Reads lines and pages; one process, one thread."""

    name: str
    version: str

    def read_lines(self, crops: Sequence[np.ndarray]) -> list[str]:
        """The text of each crop, taken as a single line of text."""
        ...

    def read_page(self, image: np.ndarray) -> list[tuple[str, Box]]:
        """Pieces of text and where they stand on a page, px."""
        ...


def _tesseract() -> OcrEngine:
    from .tesseract import Tesseract

    return Tesseract()


def _rapid() -> OcrEngine:
    from .rapid import Rapid

    return Rapid()


OCR_ENGINES: dict[str, Callable[[], OcrEngine]] = {"tesseract": _tesseract, "rapidocr": _rapid}


def open_ocr(name: str) -> OcrEngine:
    """An engine by name.

    Raises:
        ConfigError: no engine of that name.
        DependencyError: it is not installed; the message says how to.
    """
    if name not in OCR_ENGINES:
        raise ConfigError(f"there is no OCR engine {name!r}; there are {', '.join(OCR_ENGINES)}")
    return OCR_ENGINES[name]()
