"""OCR engines as measuring instruments: what they still read tells how corrupted a region is.

They never label anything. `score` compares what was read with what stands there; `tesseract` and
`rapid` are one engine each, behind the same two functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ...engine.errors import ConfigError
from ...engine.geometry import Box

__all__ = ["ENGINES", "Engine", "open_engine"]


class Engine(Protocol):
    """Reads lines and pages; one process, one thread."""

    name: str
    version: str

    def read_lines(self, crops: Sequence[np.ndarray]) -> list[str]:
        """The text of each crop, taken as a single line of text."""
        ...

    def read_page(self, image: np.ndarray) -> list[tuple[str, Box]]:
        """Pieces of text and where they stand on a page, px."""
        ...


def _tesseract() -> Engine:
    from .tesseract import Tesseract

    return Tesseract()


def _rapid() -> Engine:
    from .rapid import Rapid

    return Rapid()


ENGINES: dict[str, Callable[[], Engine]] = {"tesseract": _tesseract, "rapidocr": _rapid}


def open_engine(name: str) -> Engine:
    """An engine by name.

    Raises:
        ConfigError: no engine of that name.
        DependencyError: it is not installed; the message says how to.
    """
    if name not in ENGINES:
        raise ConfigError(f"there is no OCR engine {name!r}; there are {', '.join(ENGINES)}")
    return ENGINES[name]()
