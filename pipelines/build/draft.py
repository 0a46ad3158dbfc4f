"""A shard as it is written: a page that turns out not to be writable is left out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ...engine.failure import failure_text
from ...engine.record import PageFacts
from ...engine.store.index import IndexRow, index_table, row_from_facts
from ...engine.store.shard import SampleSpan, ShardSummary, write_shard
from ..failure import stops_run
from .job import ShardPage


class PageSample(NamedTuple):
    """The members of a page in a tar, (extension, data) each, and its facts for the index."""

    parts: list[tuple[str, bytes]]
    facts: PageFacts


@dataclass(frozen=True, slots=True)
class ShardDraft:
    """A shard's tar on this machine, the rows of its index, and the pages left out of both."""

    summary: ShardSummary
    rows: list[IndexRow]
    failures: dict[str, str]
    """Page key → what happened."""


def draft_shard(
    path: Path, pages: Sequence[ShardPage], sample_of: Callable[[ShardPage], PageSample]
) -> ShardDraft:
    """Write a tar of all pages that can be written; an error is the fate of the page at hand.

    A page whose sample cannot be made costs nothing; one whose fault shows only when it is in
    the tar, in its row of the index for one, costs another pass.
    """
    failures: dict[str, str] = {}
    while True:
        left = [page for page in pages if page.key not in failures]
        draft = _pass(path, left, sample_of, failures)
        if draft is not None:
            return draft


def _pass(
    path: Path,
    pages: Sequence[ShardPage],
    sample_of: Callable[[ShardPage], PageSample],
    failures: dict[str, str],
) -> ShardDraft | None:
    """The draft, or None where a page that lies in the tar has to be left out."""
    written: list[tuple[ShardPage, PageFacts]] = []

    def samples() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
        for page in pages:
            try:
                sample = sample_of(page)
            except Exception as err:  # noqa: BLE001  noted as the page's, or raised again
                _note(failures, page, err)
            else:
                written.append((page, sample.facts))
                yield page.key, sample.parts

    try:
        summary = write_shard(path, samples())
    except Exception as err:
        if not written:
            raise
        _note(failures, written[-1][0], err)
        return None
    before = len(failures)
    rows = _rows(summary.samples, written, failures)
    return ShardDraft(summary, rows, failures) if len(failures) == before else None


def _rows(
    spans: Sequence[SampleSpan],
    written: Sequence[tuple[ShardPage, PageFacts]],
    failures: dict[str, str],
) -> list[IndexRow]:
    """Rows of the index; pages whose row cannot be made or stored become failures."""
    rows: list[IndexRow] = []
    for span, (page, facts) in zip(spans, written, strict=True):
        try:
            rows.append(row_from_facts(span, page.doc_sha256, page.page_index, facts))
        except Exception as err:  # noqa: BLE001  noted as the page's, or raised again
            _note(failures, page, err)
    try:
        index_table(rows)
    except (ValueError, OverflowError, TypeError) as table_error:
        before = len(failures)
        pages = {page.key: page for page, _ in written}
        for row in rows:
            try:
                index_table([row])
            except (ValueError, OverflowError, TypeError) as err:
                _note(failures, pages[row.key], err)
        if len(failures) == before:
            raise table_error
    return rows


def _note(failures: dict[str, str], page: ShardPage, err: Exception) -> None:
    """Record a page's failure; errors of the machine go on."""
    if stops_run(err):
        raise err
    failures[page.key] = failure_text(err)
