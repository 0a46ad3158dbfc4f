"""Text of the pages of files: each page is rendered and read; a text layer is never looked at."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.errors import ConfigError, PdfError
from ...engine.geometry import pixels_per_point
from ...engine.read.backend.document import OpenDocument
from ...engine.read.reader import ReadConfig, RenderConfig, open_any
from ...model.question import Picture, Question, Reader

RANGE = re.compile(r"(\d+)?(-)?(\d+)?")
BATCH = 4
"""Pages of a file that are read at once."""
MOST_TOKENS = 4096
ENGINE = "mupdf"


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
            "file": str(self.path),
            "page": self.page_index + 1,
            "text": self.text,
            "truncated": self.truncated,
            "width": self.width,
            "height": self.height,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class ReadFault:
    """A file or page that could not be read."""

    path: Path
    page_index: int | None
    message: str

    def __str__(self) -> str:
        where = "" if self.page_index is None else f", page {self.page_index + 1}"
        return f"{self.path}{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Pages:
    """Which pages of a file are read: ranges of page numbers from 1, ends included."""

    ranges: tuple[tuple[int, int | None], ...] = ()
    """Empty for all; an end of None is the last page."""

    @staticmethod
    def parse(text: str) -> Pages:
        """Pages as they are written: `3`, `1-3`, `1-3,7`, `5-`.

        Raises:
            ConfigError: written otherwise.
        """
        ranges: list[tuple[int, int | None]] = []
        for part in text.split(","):
            found = RANGE.fullmatch(part.strip())
            first, dash, last = found.groups() if found else (None, None, None)
            start = int(first) if first else 1
            stop = int(last) if last else (None if dash else start)
            if not found or not (first or last) or start < 1 or (stop is not None and stop < start):
                raise ConfigError(
                    f"--pages is {text!r}; pages are written as 3, 1-3, 5- or 1-3,7, from 1"
                )
            ranges.append((start, stop))
        return Pages(tuple(ranges))

    def of(self, count: int) -> list[int]:
        """Indices of the pages of a file with so many, in order."""
        if not self.ranges:
            return list(range(count))
        return [
            index
            for index in range(count)
            if any(a <= index + 1 and (b is None or index < b) for a, b in self.ranges)
        ]


def read_files(
    reader: Reader,
    paths: Sequence[Path],
    *,
    dpi: float = 144.0,
    pages: Pages | None = None,
    most_tokens: int = MOST_TOKENS,
    batch: int = BATCH,
) -> Iterator[PageText | ReadFault]:
    """The pages of the files one after the other, as soon as their batch is read.

    Args:
        reader: that reads them.
        paths: PDFs and images.
        dpi: resolution of the pictures; scans are not enlarged.
        pages: which pages of each file.
        most_tokens: of a page's text.
        batch: pages of a file that are read at once; what is read is the same for any number.

    Yields:
        What was read, or what was wrong with a page or a file, in the order of the files.

    Raises:
        ConfigError: a resolution out of range, or no page in a batch.
    """
    RenderConfig(dpi=dpi)
    if batch < 1:
        raise ConfigError(f"batch is {batch}; it is at least 1")
    wanted = pages or Pages()
    for path in paths:
        try:
            document = open_any(path, ENGINE, ())
        except OSError as err:
            yield ReadFault(path, None, f"cannot be opened: {err.strerror or err}")
            continue
        except PdfError as err:
            yield ReadFault(path, None, without(str(err), path))
            continue
        try:
            chosen = wanted.of(document.page_count)
            if not chosen:
                yield none_of(path, document.page_count)
            for start in range(0, len(chosen), batch):
                part = chosen[start : start + batch]
                yield from read_batch(reader, path, document, part, dpi, most_tokens)
        finally:
            document.close()


def none_of(path: Path, count: int) -> ReadFault:
    """What is said of a file without the pages that are asked for."""
    return ReadFault(path, None, f"has {count} pages, none of those that --pages names")


def read_batch(
    reader: Reader,
    path: Path,
    document: OpenDocument,
    chosen: Sequence[int],
    dpi: float,
    most_tokens: int,
) -> Iterator[PageText | ReadFault]:
    """Some pages of an open file, read at once."""
    faults: dict[int, ReadFault] = {}
    questions: dict[int, Question] = {}
    for index in chosen:
        try:
            picture = Picture(rendered(document, index, dpi))
        except PdfError as err:
            faults[index] = ReadFault(path, index, without(str(err), path))
            continue
        questions[index] = Question(
            picture=picture, limit_tokens=most_tokens, most_tokens=most_tokens
        )
    began = time.perf_counter()
    replies = reader.answer(list(questions.values())) if questions else []
    spent = (time.perf_counter() - began) / max(1, len(replies))
    texts = dict(zip(questions, replies, strict=True))
    for index in chosen:
        if index in faults:
            yield faults[index]
            continue
        height, width = questions[index].picture.pixels.shape[:2]
        reply = texts[index]
        yield PageText(path, index, reply.texts[0], reply.truncated[0], width, height, spent)


def without(message: str, path: Path) -> str:
    """A message that need not name the file again."""
    return message.replace(str(path), "the file")


def rendered(document: OpenDocument, page_index: int, dpi: float) -> np.ndarray:
    """A page's pixels, uint8 [height, width] or [height, width, 3].

    Raises:
        PdfError: it has no area, too many pixels, or cannot be rendered.
    """
    own = document.dpi(page_index) or dpi
    dpi = min(own, dpi)
    width, height = (side * pixels_per_point(dpi) for side in document.size_pt(page_index))
    most = ReadConfig().page_pixels
    if min(width, height) < 1 or width * height > most:
        raise PdfError(
            f"the page is {width:.0f} x {height:.0f} px at {dpi:g} dpi; from 1 to {most:,} pixels "
            "are read. Another --dpi may help"
        )
    return document.render(page_index, dpi=dpi, colour="auto")
