"""Cards of pages to look at, each with its picture, its words' boxes and its fate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...engine.store.ledger import Fate, LedgerRow
from .data import CorpusData
from .page_name import document_name, reason_meaning
from .sampling import SampledPage, failed_pages, rejected_pages, written_pages
from .thumbnail import Thumbnail

CARDS = {Fate.WRITTEN: 24, Fate.REJECTED: 24, Fate.FAILED: 12}
BOX_LIMIT = 1500
VIEW_WIDTH = 1000


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A row of the ledger as a card or a line of a list shows it."""

    row: LedgerRow
    anchored: bool
    """Whether the `id` of its key stands here: it stands once in a page."""
    picture: Thumbnail | None = None

    @property
    def name(self) -> str:
        """Of its document."""
        return document_name(self.row)

    @property
    def meaning(self) -> str:
        """Of its reason."""
        return reason_meaning(self.row.reason)

    @property
    def view_height(self) -> int:
        """Of the picture, where its width is `VIEW_WIDTH`."""
        assert self.picture is not None
        return round(VIEW_WIDTH * self.picture.height / max(1, self.picture.width))

    @property
    def boxes_path(self) -> str:
        """One SVG path for all boxes, in thousandths of the page's width."""
        assert self.picture is not None
        inside = np.clip(self.picture.boxes[:BOX_LIMIT], 0.0, 1.0)
        scale = [VIEW_WIDTH, self.view_height, VIEW_WIDTH, self.view_height]
        return "".join(
            f"M{x0} {y0}h{x1 - x0}v{y1 - y0}h{x0 - x1}z"
            for x0, y0, x1, y1 in np.rint(inside * scale).astype(int).tolist()
        )


@dataclass(frozen=True, slots=True)
class CardGroup:
    """Cards of one fate."""

    fate: Fate
    whole: int
    """Pages of this fate in all."""
    entries: tuple[LedgerEntry, ...]


def entries(pages: Iterable[SampledPage], anchors: set[str]) -> tuple[LedgerEntry, ...]:
    """The pages as entries; their keys are added to `anchors`, which have an `id` already."""
    listed = []
    for page in pages:
        key = page.row.key
        listed.append(LedgerEntry(page.row, bool(key) and key not in anchors, page.picture))
        anchors.add(key)
    return tuple(listed)


def gallery(data: CorpusData, anchors: set[str]) -> list[CardGroup]:
    """Cards of random pages of each fate."""
    ledger = data.ledger
    chosen = {
        Fate.WRITTEN: written_pages(data.place, ledger, limit=CARDS[Fate.WRITTEN]),
        Fate.REJECTED: rejected_pages(data.place, ledger, limit=CARDS[Fate.REJECTED]),
        Fate.FAILED: failed_pages(ledger, limit=CARDS[Fate.FAILED]),
    }
    totals = ledger.counts("status", ledger.pages)
    return [
        CardGroup(fate, totals[fate], entries(pages, anchors))
        for fate, pages in chosen.items()
        if pages
    ]
