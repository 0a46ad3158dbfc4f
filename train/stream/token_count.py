"""Tokens of every page's text, counted once for a tokenizer and kept in a cache.

A pack is planned before its pages are read, so their lengths must be known. Counting reads the
text of all pages once; the numbers lie in the user's cache folder, 4 bytes a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from ...engine.errors import DataError
from ...engine.files import atomic_writer, cache_dir
from ...engine.key import keyed_hash
from ...engine.page import Page
from ...engine.progress import Progress
from .corpus import PageSource

BATCH = 256
TOKENS = "tokens"
"""Folder of the cache that counts lie in."""


def text_tokens(
    source: PageSource, tokenizer: Tokenizer, *, progress: Progress | None = None
) -> np.ndarray:
    """Tokens of each page's text, int64 [samples]; 0 where a page cannot be read.

    Args:
        source: the pages.
        tokenizer: as `plain` makes it: nothing in the text is a special token.
        progress: called with pages done and pages in all.
    """
    path = cache_dir(TOKENS) / f"{source.fingerprint}-{tokenizer_fingerprint(tokenizer)}.npy"
    if path.is_file():
        cached: np.ndarray = np.load(path).astype(np.int64)
        if len(cached) == len(source):
            return cached
    counts = np.zeros(len(source), dtype=np.int64)
    for start in range(0, len(source), BATCH):
        stop = min(start + BATCH, len(source))
        counts[start:stop] = count_tokens(source, range(start, stop), tokenizer)
        if progress is not None:
            progress(stop, len(source))
    save_counts(path, counts)
    return counts


def count_tokens(source: PageSource, rows: Sequence[int], tokenizer: Tokenizer) -> np.ndarray:
    """Tokens of a few pages."""
    pieces: list[str] = []
    owner: list[int] = []
    for at, row in enumerate(rows):
        try:
            of_page = text_pieces(source.page(row))
        except DataError:
            continue  # the stream meets it again, and says so with its key
        pieces += of_page
        owner += [at] * len(of_page)
    counts = np.zeros(len(rows), dtype=np.int64)
    for at, encoded in zip(owner, tokenizer.encode_batch_fast(pieces), strict=True):
        counts[at] += len(encoded)
    return counts


def text_pieces(page: Page) -> list[str]:
    """The text of a page in pieces: a line, then the break after it, and so on.

    Joined they are the page's text. Pieces are encoded one by one, here and in samples.
    """
    lines = page.layer.lines
    pieces: list[str] = []
    for number, line in enumerate(lines):
        if number:
            pieces.append("\n" if line.block == lines[number - 1].block else "\n\n")
        pieces.append(line.text)
    return pieces


def tokenizer_fingerprint(tokenizer: Tokenizer) -> str:
    """Names a tokenizer by its content."""
    return f"{keyed_hash('tokenizer', tokenizer.to_str()):016x}"


def save_counts(path: Path, counts: np.ndarray) -> None:
    """Write counts into the cache, whole or not at all."""
    with atomic_writer(path) as stream:
        np.save(stream, counts.astype(np.int32))
