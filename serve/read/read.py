"""Text of the pages of files: each page is rendered and read; a text layer is never looked at."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from ...engine.errors import ConfigError
from ...engine.failure import Failures, is_system_error
from ...engine.read.guard import ReaderLimits
from ...engine.read.reader import RenderConfig
from ...model.question import Picture, Question, Reader
from .document import installed_render, open_file, open_guard
from .page import PagePixels, PageText, ReadFailure, place_name
from .selection import PageSelection

BATCH = 4
"""Pages of a file that are read at once."""
MOST_TOKENS = 4096
DPI = 144.0
FAILURES_IN_A_ROW = 10
"""Pages that the model fails on one after the other end the reading: then it is not the pages."""


def read_files(
    reader: Reader,
    paths: Sequence[Path],
    *,
    render: RenderConfig | None = None,
    limits: ReaderLimits | None = None,
    selection: PageSelection | None = None,
    most_tokens: int = MOST_TOKENS,
    batch: int = BATCH,
) -> Iterator[PageText | ReadFailure]:
    """The pages of the files one after the other, as soon as their batch is read.

    Whatever goes wrong with a page or a file is a failure with its reason, and the others are read.

    Args:
        reader: that reads them.
        paths: PDFs and images.
        render: backend and resolution; those of `installed_render` when left out.
        limits: what one page may cost.
        selection: which pages of each file.
        most_tokens: of a page's text.
        batch: pages of a file that are read at once; what is read is the same for any number.

    Yields:
        What was read, or what was wrong with a page or a file, in the order of the files.

    Raises:
        ConfigError: no page in a batch, or no token in an answer.
        DataError: the reader fails on too many pages in a row.
        DependencyError: no library for PDFs is installed.
    """
    if batch < 1:
        raise ConfigError(f"batch is {batch}; it is at least 1")
    if most_tokens < 1:
        raise ConfigError(f"most_tokens is {most_tokens}; it is at least 1")
    render = render or installed_render(dpi=DPI)
    failures = Failures(FAILURES_IN_A_ROW)
    with open_guard(render, limits or ReaderLimits()) as guard:
        for path in paths:
            file = open_file(guard, path, selection or PageSelection())
            if isinstance(file, ReadFailure):
                yield file
                continue
            pages = file.pages(guard)
            while part := list(islice(pages, batch)):
                texts = iter(read_batch(reader, pixels_of(part), most_tokens, failures))
                for page in part:
                    yield page if isinstance(page, ReadFailure) else next(texts)


def pixels_of(pages: Sequence[PagePixels | ReadFailure]) -> list[PagePixels]:
    """Those pages that were rendered."""
    return [page for page in pages if isinstance(page, PagePixels)]


def read_batch(
    reader: Reader, pages: Sequence[PagePixels], most_tokens: int, failures: Failures
) -> list[PageText | ReadFailure]:
    """Pages read at once; where the reader raises, each of them alone once more."""
    if not pages:
        return []
    questions = [
        Question(picture=Picture(page.pixels), limit_tokens=most_tokens, most_tokens=most_tokens)
        for page in pages
    ]
    start = time.perf_counter()
    try:
        replies = reader.answer(questions)
    except Exception as err:
        if is_system_error(err):
            raise
        if len(pages) == 1:
            return [failed_page(pages[0], err, failures)]
        alone = [read_batch(reader, [page], most_tokens, failures) for page in pages]
        return [result for results in alone for result in results]
    failures.success()
    seconds = (time.perf_counter() - start) / len(pages)
    results: list[PageText | ReadFailure] = []
    for page, reply in zip(pages, replies, strict=True):
        height, width = page.pixels.shape[:2]
        results.append(
            PageText(
                page.path, page.page_index, reply.texts[0], reply.truncated[0], width, height,
                seconds,
            )
        )  # fmt: skip
    return results


def failed_page(page: PagePixels, err: Exception, failures: Failures) -> ReadFailure:
    """The failure of a page that the reader raised on.

    Raises:
        DataError: it was one too many in a row.
    """
    failure = failures.add(place_name(page.path, page.page_index), err)
    return ReadFailure(page.path, page.page_index, failure.reason, failure.message)
