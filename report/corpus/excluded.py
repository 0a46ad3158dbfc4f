"""Rows of what failed or was rejected, grouped by reason, with the command to see all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...engine.store.ledger import Fate, RowKind
from .data import CorpusData
from .gallery import LedgerEntry, entries
from .overview import group_id
from .page_name import document_name, reason_meaning, shell_command
from .sampling import SampledPage, spread

ROWS_SHOWN = 2000
_KINDS = (
    (RowKind.DOCUMENT, Fate.FAILED),
    (RowKind.PAGE, Fate.FAILED),
    (RowKind.PAGE, Fate.REJECTED),
    (RowKind.DOCUMENT, Fate.REJECTED),
)


@dataclass(frozen=True, slots=True)
class ExcludedGroup:
    """Rows of one kind, fate and reason; some of them where they are many."""

    kind: RowKind
    fate: Fate
    reason: str
    amount: int
    entries: tuple[LedgerEntry, ...]
    command: str
    """Lists all of them."""

    @property
    def target(self) -> str:
        """Its `id`."""
        return group_id(self.kind, self.fate, self.reason)

    @property
    def meaning(self) -> str:
        """Of its reason."""
        return reason_meaning(self.reason)


def excluded(data: CorpusData, anchors: set[str]) -> list[ExcludedGroup]:
    """The groups; keys of their rows are added to `anchors`, which have an `id` already."""
    kinds = []
    for kind, fate in _KINDS:
        mask = data.ledger.where(kind=kind, status=fate)
        for reason, amount in data.ledger.counts("reason", mask).items():
            kinds.append((kind, fate, reason, amount))
    shares = allot([amount for *_, amount in kinds], ROWS_SHOWN)
    return [
        ExcludedGroup(
            kind,
            fate,
            reason,
            amount,
            entries(_rows(data, kind, fate, reason, shown), anchors),
            shell_command(data.place, "explain", "--status", fate.value, "--reason", reason),
        )
        for (kind, fate, reason, amount), shown in zip(kinds, shares, strict=True)
    ]


def allot(amounts: Sequence[int], total: int) -> list[int]:
    """How many of each to show so that small groups are whole and large ones share the rest."""
    shares = [0] * len(amounts)
    left = total
    order = sorted(range(len(amounts)), key=lambda index: amounts[index])
    for position, index in enumerate(order):
        shares[index] = min(amounts[index], left // (len(order) - position))
        left -= shares[index]
    return shares


def _rows(
    data: CorpusData, kind: RowKind, fate: Fate, reason: str, limit: int
) -> list[SampledPage]:
    ledger = data.ledger
    positions = np.flatnonzero(ledger.where(kind=kind, status=fate, reason=reason))
    rows = ledger.rows(spread(ledger, positions, limit=limit, group=ledger.document))
    rows.sort(key=lambda row: (document_name(row), row.page_index))
    return [SampledPage(row) for row in rows]
