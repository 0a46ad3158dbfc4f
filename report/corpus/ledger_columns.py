"""The ledger by column: codes and numbers of millions of rows, full rows of a few of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ...engine.store.ledger import LedgerRow, RowKind, read_rows, to_rows
from ...engine.store.place import Place

STAGES = ("open", "render", "text", "judge", "encode")
CODED = ("kind", "status", "reason", "verdict", "engine", "language", "shard")
NUMBERS = ("words", "width", "height", "bytes", "page_index", "page_count", "score")
TEXTS = ("key", "uri", "member", "name", "stage", "message", "warnings", "doc_sha256")
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class LedgerColumns:
    """Every row of a ledger; arrays share their length."""

    table: pa.Table
    codes: dict[str, np.ndarray]
    """int32 [n] for each column of `CODED`: index into `names`."""
    names: dict[str, tuple[str, ...]]
    document: np.ndarray
    """uint64 [n]: the first 16 digits of the document's sha256; 0 where there is none."""

    def __len__(self) -> int:
        return len(self.document)

    def where(self, **values: str) -> np.ndarray:
        """bool [n]: rows whose coded columns have these values."""
        mask = np.ones(len(self), dtype=bool)
        for column, value in values.items():
            names = self.names[column]
            mask &= self.codes[column] == (names.index(value) if value in names else -1)
        return mask

    def counts(self, column: str, mask: np.ndarray) -> dict[str, int]:
        """How often each value of a coded column occurs, the most frequent first; no empties."""
        amounts = np.bincount(self.codes[column][mask], minlength=len(self.names[column]))
        pairs = zip(self.names[column], amounts.tolist(), strict=True)
        ranked = sorted((pair for pair in pairs if all(pair)), key=lambda pair: (-pair[1], pair[0]))
        return dict(ranked)

    def numbers(self, column: str, mask: np.ndarray) -> np.ndarray:
        """The finite values of a number column where the mask is true: [m]."""
        values: np.ndarray = self.table[column].to_numpy()
        return np.asarray(np.nan_to_num(values[mask]))

    def rows(self, positions: Sequence[int]) -> list[LedgerRow]:
        """The rows at some positions, in that order, without the evidence of verdicts."""
        return list(to_rows(self.table.take(pa.array(positions, pa.int64()))))

    @property
    def everything(self) -> np.ndarray:
        """bool [n]: all rows."""
        return np.ones(len(self), dtype=bool)

    @property
    def pages(self) -> np.ndarray:
        """bool [n]: rows of pages."""
        return self.where(kind=RowKind.PAGE)

    @property
    def documents(self) -> np.ndarray:
        """bool [n]: rows of documents."""
        return self.where(kind=RowKind.DOCUMENT)

    def page_hash(self, rows: np.ndarray, seed: int = 0) -> np.ndarray:
        """uint64 [m]: a draw for each page that depends on its key and the seed alone."""
        index = self.numbers("page_index", self.everything)[rows].astype(np.int64).view(np.uint64)
        with np.errstate(over="ignore"):
            return _mixed(self.document[rows] ^ _mixed((index + np.uint64(seed + 1)) * _GOLDEN))


def read_columns(place: Place) -> LedgerColumns:
    """Read the ledger of a corpus, without the evidence of verdicts.

    Raises:
        ShardError: a part of the ledger is damaged or of another schema.
    """
    columns = [*CODED, *NUMBERS, *TEXTS, *(f"ms_{stage}" for stage in STAGES)]
    table = read_rows(place, columns=columns)
    coded = {column: _coded(table[column]) for column in CODED}
    digests, names = _coded(table["doc_sha256"])
    document = _first_digits(names)[digests] if names else np.zeros(0, dtype=np.uint64)
    return LedgerColumns(
        table=table,
        codes={column: codes for column, (codes, _) in coded.items()},
        names={column: names for column, (_, names) in coded.items()},
        document=document,
    )


def _coded(column: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """int32 [n] codes and the values they stand for."""
    encoded = pa.chunked_array(column).combine_chunks() if column.num_chunks else None
    if encoded is None or not len(encoded):
        return np.zeros(0, dtype=np.int32), ()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    names = tuple(value or "" for value in encoded.dictionary.to_pylist())
    return encoded.indices.to_numpy(zero_copy_only=False), names


def _first_digits(values: Iterable[str]) -> np.ndarray:
    """uint64 [n]: 16 hex digits of each text as a number; 0 where it has none."""
    return np.fromiter((int(value[:16] or "0", 16) for value in values), dtype=np.uint64)


def _mixed(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: every bit of the input moves every bit of the output."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))
