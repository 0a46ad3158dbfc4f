"""What becomes of a page that is read: its text, or a failure with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.text import sanitize, visible


@dataclass(frozen=True, slots=True, eq=False)
class PagePixels:
    """A page of a file, rendered."""

    path: Path
    page_index: int
    pixels: np.ndarray
    """uint8 [height, width] or [height, width, 3]."""


@dataclass(frozen=True, slots=True)
class PageText:
    """One page as it was read."""

    path: Path
    page_index: int
    text: str
    truncated: bool
    """Whether the limit of tokens cut it off."""
    width: int
    height: int
    """px of the picture that was read."""
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it; pages count from 1."""
        return {
            "file": sanitize(str(self.path)),
            "page": self.page_index + 1,
            "text": self.text,
            "truncated": self.truncated,
            "width": self.width,
            "height": self.height,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A file or page that could not be read."""

    path: Path
    page_index: int | None
    """None where the file as a whole could not be read."""
    reason: str
    """One word, as in the ledger of a corpus."""
    message: str

    def __str__(self) -> str:
        return f"{place_name(self.path, self.page_index)}: {self.message}"


def place_name(path: Path, page_index: int | None) -> str:
    """A file, or a page of it by its number from 1, as terminals can show it."""
    page = "" if page_index is None else f", page {page_index + 1}"
    return visible(sanitize(str(path))) + page
