"""What the report is about: the corpus's own description, its ledger, its shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engine.errors import ShardError
from ...engine.store.corpus import CorpusInfo
from ...engine.store.index import read_index_table
from ...engine.store.ledger import LedgerSummary, summarize
from ...engine.store.place import Place
from .ledger_columns import CODED, LedgerColumns, read_columns

X_HEIGHT_SHARDS = 64


@dataclass(frozen=True, slots=True)
class CorpusData:
    """Everything that the sections draw from."""

    place: Place
    info: CorpusInfo
    ledger: LedgerColumns
    summary: LedgerSummary
    x_heights: np.ndarray
    """float64 [samples]: px, of the samples of up to `X_HEIGHT_SHARDS` shards."""

    @property
    def name(self) -> str:
        """The corpus folder's own name."""
        return self.place.uri.rstrip("/").rpartition("/")[2] or self.place.uri

    @property
    def adds_up(self) -> bool:
        """Every page found, and every document that could not be opened, has one fate."""
        pages = self.summary.pages
        fates = pages["written"] + pages["rejected"] + pages["failed"]
        return fates == pages["found"] + self.summary.documents["failed"]

    def config(self, *path: str) -> Any:
        """A value of the configuration; None where there is none of this name."""
        value: Any = self.info.config
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


def read_corpus(place: Place) -> CorpusData:
    """Read `corpus.json`, the ledger, and the indexes of some shards.

    Raises:
        ConfigError: the place holds no corpus.
        ShardError: `corpus.json` or the ledger is damaged.
    """
    info = CorpusInfo.load(place)
    ledger = read_columns(place)
    return CorpusData(
        place=place,
        info=info,
        ledger=ledger,
        summary=summarize(ledger.table.select([*CODED, "bytes"])),
        x_heights=_x_heights(place, info),
    )


def _x_heights(place: Place, info: CorpusInfo) -> np.ndarray:
    step = max(1, -(-len(info.shards) // X_HEIGHT_SHARDS))
    parts = []
    for shard in info.shards[::step]:
        try:
            column = read_index_table(place, shard.index)["x_height"]
        except ShardError:
            # `pagemill verify` names a damaged index; the plot does without it.
            continue
        parts.append(column.to_numpy())
    return np.nan_to_num(np.concatenate(parts)) if parts else np.zeros(0)
