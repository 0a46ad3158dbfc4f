"""Pages to look at: a seeded choice of written, rejected and failed pages, with their pictures.

A picture that cannot be read leaves its page without one: the ledger's row is what the report
owes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...engine.store.ledger import Fate, LedgerRow
from ...engine.store.place import Place
from .ledger_columns import LedgerColumns
from .thumbnail import Thumbnail, read_thumbs, shard_thumbs, thumb_keys

BUDGET_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class SampledPage:
    """A page's row of the ledger, and its picture where there is one."""

    row: LedgerRow
    picture: Thumbnail | None = None


def written_pages(
    place: Place, ledger: LedgerColumns, *, limit: int, seed: int = 0
) -> list[SampledPage]:
    """Written pages of as many different documents as possible, with their pictures."""
    rows = np.flatnonzero(ledger.pages & ledger.where(status=Fate.WRITTEN))
    chosen = ledger.rows(spread(ledger, rows, limit=limit, group=ledger.document, seed=seed))
    keys: dict[str, list[str]] = defaultdict(list)
    for row in chosen:
        keys[row.shard].append(row.key)
    pictures: dict[str, Thumbnail] = {}
    for shard, keys_of_shard in keys.items():
        pictures |= shard_thumbs(place, shard, keys_of_shard)
    return _within_budget([SampledPage(row, pictures.get(row.key)) for row in chosen])


def rejected_pages(
    place: Place, ledger: LedgerColumns, *, limit: int, seed: int = 0
) -> list[SampledPage]:
    """Rejected pages, of as many reasons as possible; only those with a kept picture, if any."""
    rejected = ledger.pages & ledger.where(status=Fate.REJECTED)
    has_key = pc.is_in(ledger.table["key"], value_set=pa.array(thumb_keys(place), pa.string()))
    pictured = np.flatnonzero(rejected & has_key.to_numpy())
    rows = pictured if pictured.size else np.flatnonzero(rejected)
    group = ledger.codes["reason"]
    chosen = ledger.rows(spread(ledger, rows, limit=limit, group=group, seed=seed))
    pictures = read_thumbs(place, {row.key for row in chosen} if pictured.size else set())
    return _within_budget([SampledPage(row, pictures.get(row.key)) for row in chosen])


def failed_pages(ledger: LedgerColumns, *, limit: int, seed: int = 0) -> list[SampledPage]:
    """Failed pages, of as many reasons as possible."""
    rows = np.flatnonzero(ledger.pages & ledger.where(status=Fate.FAILED))
    chosen = spread(ledger, rows, limit=limit, group=ledger.codes["reason"], seed=seed)
    return [SampledPage(row) for row in ledger.rows(chosen)]


def spread(
    ledger: LedgerColumns, rows: np.ndarray, *, limit: int, group: np.ndarray, seed: int = 0
) -> list[int]:
    """At most `limit` of the rows, drawn by page key and seed, evenly over their groups.

    Groups take turns in the order of their first draw; within a group, documents do.

    Args:
        ledger: the ledger that the rows are of.
        rows: int64 [m], positions in the ledger.
        limit: how many to choose.
        group: [n] of the whole ledger: the group of each row.
        seed: another seed, another choice.

    Returns:
        Positions in the ledger; the same rows for any order of the ledger's files.
    """
    if not rows.size or limit <= 0:
        return []
    rows = rows[np.argsort(ledger.page_hash(rows, seed), kind="stable")]
    rows = rows[np.argsort(_occurrence(ledger.document[rows]), kind="stable")]
    rows = rows[np.argsort(_occurrence(group[rows]), kind="stable")]
    return [int(row) for row in rows[:limit]]


def _occurrence(values: np.ndarray) -> np.ndarray:
    """int64 [m]: how often each value has come before."""
    names, which = np.unique(values, return_inverse=True)
    order = np.argsort(which, kind="stable")
    first = np.searchsorted(which[order], np.arange(len(names)))
    occurrence = np.empty(len(values), dtype=np.int64)
    occurrence[order] = np.arange(len(values)) - first[which[order]]
    return occurrence


def _within_budget(pages: list[SampledPage]) -> list[SampledPage]:
    """The pages, without pictures from where they would pass half of the report's budget."""
    left = BUDGET_BYTES // 2
    kept = []
    for page in pages:
        left -= len(page.picture.data) * 4 // 3 if page.picture else 0
        kept.append(page if left >= 0 else replace(page, picture=None))
    return kept
