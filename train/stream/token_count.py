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
    path = cache_dir(TOKENS) / f"{source.fingerprint}-{fingerprint_of(tokenizer)}.npy"
    if path.is_file():
        known: np.ndarray = np.load(path).astype(np.int64)
        if len(known) == len(source):
            return known
    counts = np.zeros(len(source), dtype=np.int64)
    for start in range(0, len(source), BATCH):
        stop = min(start + BATCH, len(source))
        counts[start:stop] = counted(source, range(start, stop), tokenizer)
        if progress is not None:
            progress(stop, len(source))
    save_counts(path, counts)
    return counts


def counted(source: PageSource, rows: Sequence[int], tokenizer: Tokenizer) -> np.ndarray:
    """Tokens of a few pages."""
    pieces: list[str] = []
    owner: list[int] = []
    for at, row in enumerate(rows):
        try:
            own = pieces_of(source.page(row))
        except DataError:
            continue  # the stream meets it again, and says so with its key
        pieces += own
        owner += [at] * len(own)
    counts = np.zeros(len(rows), dtype=np.int64)
    for at, one in zip(owner, tokenizer.encode_batch_fast(pieces), strict=True):
        counts[at] += len(one)
    return counts


def pieces_of(page: Page) -> list[str]:
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


def fingerprint_of(tokenizer: Tokenizer) -> str:
    """Names a tokenizer by its content."""
    return f"{keyed_hash('tokenizer', tokenizer.to_str()):016x}"


def save_counts(path: Path, counts: np.ndarray) -> None:
    """Write counts into the cache, whole or not at all."""
    with atomic_writer(path) as stream:
        np.save(stream, counts.astype(np.int32))
