"""Pages to look at: a seeded choice of written, rejected and failed pages, with their pictures.

Written pages come from the shards by the offsets of the index; rejected ones from the small
pictures that a build keeps in `thumbs/*.parquet`; failed ones have none. A picture that cannot
be read leaves its card without one: the ledger's row is what the report owes.
"""

from __future__ import annotations

import base64
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...engine.errors import DataError
from ...engine.image import decode, size_of, thumbnail
from ...engine.store.ledger import Fate
from ...engine.store.place import Place
from .arrays import Ledger

THUMB_WIDTH_PX = 460
BOX_LIMIT = 1500
BUDGET_BYTES = 4_000_000
_INDEX_COLUMNS = ("key", "image_offset", "image_bytes", "json_offset", "json_bytes")


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small JPEG of a page and the boxes of its words."""

    data: bytes
    width: int
    height: int
    boxes: np.ndarray
    """float64 [words, 4]: fractions of the page."""

    @property
    def uri(self) -> str:
        """The image as a data URI."""
        kind = (
            "webp" if self.data[8:12] == b"WEBP" else "png" if self.data[:1] == b"\x89" else "jpeg"
        )
        return f"data:image/{kind};base64,{base64.b64encode(self.data).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class PageCard:
    """A page's row of the ledger, and its picture where there is one."""

    row: dict[str, Any]
    picture: Thumbnail | None = None


def written_cards(place: Place, ledger: Ledger, *, limit: int, seed: int = 0) -> list[PageCard]:
    """Written pages of as many different documents as possible, with their pictures."""
    rows = np.flatnonzero(ledger.pages & ledger.where(status=Fate.WRITTEN))
    chosen = spread(ledger, rows, limit=limit, group=ledger.document, seed=seed)
    cards = [PageCard(row) for row in ledger.rows(chosen)]
    by_shard: dict[str, list[int]] = defaultdict(list)
    for position, card in enumerate(cards):
        by_shard[card.row["shard"]].append(position)
    for shard, positions in by_shard.items():
        pictures = _pictures_of_shard(place, shard, [cards[p].row["key"] for p in positions])
        for position in positions:
            cards[position] = replace(
                cards[position], picture=pictures.get(cards[position].row["key"])
            )
    return _within_budget(cards)


def rejected_cards(place: Place, ledger: Ledger, *, limit: int, seed: int = 0) -> list[PageCard]:
    """Rejected pages, of as many reasons as possible; those with a kept picture first."""
    rejected = ledger.pages & ledger.where(status=Fate.REJECTED)
    pictured = _find(ledger, rejected, _thumb_keys(place))
    rows = pictured if pictured.size else np.flatnonzero(rejected)
    chosen = spread(ledger, rows, limit=limit, group=ledger.codes["reason"], seed=seed)
    found = ledger.rows(chosen)
    pictures = read_thumbs(place, {row["key"] for row in found} if pictured.size else set())
    return _within_budget([PageCard(row, pictures.get(row["key"])) for row in found])


def failed_cards(ledger: Ledger, *, limit: int, seed: int = 0) -> list[PageCard]:
    """Failed pages, of as many reasons as possible."""
    rows = np.flatnonzero(ledger.pages & ledger.where(status=Fate.FAILED))
    chosen = spread(ledger, rows, limit=limit, group=ledger.codes["reason"], seed=seed)
    return [PageCard(row) for row in ledger.rows(chosen)]


def spread(
    ledger: Ledger, rows: np.ndarray, *, limit: int, group: np.ndarray, seed: int = 0
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
    rows = rows[np.argsort(_turn(ledger.document[rows]), kind="stable")]
    rows = rows[np.argsort(_turn(group[rows]), kind="stable")]
    return [int(row) for row in rows[:limit]]


def _turn(values: np.ndarray) -> np.ndarray:
    """int64 [m]: how often each value has come before."""
    names, which = np.unique(values, return_inverse=True)
    order = np.argsort(which, kind="stable")
    first = np.searchsorted(which[order], np.arange(len(names)))
    turn = np.empty(len(values), dtype=np.int64)
    turn[order] = np.arange(len(values)) - first[which[order]]
    return turn


def read_thumbs(place: Place, keys: set[str] | None = None) -> dict[str, Thumbnail]:
    """The pictures that a build kept of pages that are in no shard; all, or those of some keys."""
    pictures: dict[str, Thumbnail] = {}
    if keys is not None and not keys:
        return pictures
    for name in _thumb_files(place):
        table = pq.read_table(io.BytesIO(place.read_bytes(name)))
        if keys is not None:
            wanted = [key in keys for key in table["key"].to_pylist()]
            table = table.filter(pa.array(wanted, type=pa.bool_()))
        for row in table.to_pylist():
            boxes = np.asarray(row["words"] or [], dtype=np.float64)
            boxes = boxes[: len(boxes) // 4 * 4].reshape(-1, 4)
            pictures[row["key"]] = Thumbnail(row["jpeg"], row["width"], row["height"], boxes)
    return pictures


def _thumb_files(place: Place) -> list[str]:
    return [f"thumbs/{name}" for name in place.list("thumbs") if name.endswith(".parquet")]


def _thumb_keys(place: Place) -> list[str]:
    keys: list[str] = []
    for name in _thumb_files(place):
        table = pq.read_table(io.BytesIO(place.read_bytes(name)), columns=["key"])
        keys += table["key"].to_pylist()
    return keys


def _find(ledger: Ledger, mask: np.ndarray, keys: list[str]) -> np.ndarray:
    """Positions of the rows, within the mask, that have one of the keys: int64 [m]."""
    have = pc.is_in(ledger.table["key"], value_set=pa.array(keys, pa.string()))
    return np.flatnonzero(mask & have.to_numpy())


def _pictures_of_shard(place: Place, shard: str, keys: Sequence[str]) -> dict[str, Thumbnail]:
    pictures: dict[str, Thumbnail] = {}
    try:
        data = place.read_bytes(f"index/{shard}.parquet")
        table = pq.read_table(io.BytesIO(data), columns=list(_INDEX_COLUMNS))
    except (OSError, pa.ArrowException):
        return pictures
    wanted = [key in keys for key in table["key"].to_pylist()]
    for entry in table.filter(pa.array(wanted, type=pa.bool_())).to_pylist():
        reader = _member_reader(place, f"shards/{shard}.tar", entry)
        try:
            pictures[entry["key"]] = _picture(reader("image"), reader("json"))
        except (OSError, DataError, ValueError, KeyError, TypeError):
            # `pagemill verify` names damage in shards; here the card goes without its picture.
            continue
    return pictures


def _member_reader(place: Place, name: str, entry: dict[str, Any]) -> Callable[[str], bytes]:
    def read(member: str) -> bytes:
        return place.read_range(name, entry[f"{member}_offset"], entry[f"{member}_bytes"])

    return read


def _picture(image: bytes, description: bytes) -> Thumbnail:
    page = orjson.loads(description)
    boxes = np.asarray(page["words"]["bbox"], dtype=np.float64).reshape(-1, 4)
    boxes /= np.tile([max(1, page["width"]), max(1, page["height"])], 2)
    small = thumbnail(decode(image), THUMB_WIDTH_PX)
    width, height = size_of(small)
    return Thumbnail(small, width, height, boxes)


def _within_budget(cards: list[PageCard]) -> list[PageCard]:
    """The cards, without pictures from where they would pass half of the report's budget."""
    left = BUDGET_BYTES // 2
    kept = []
    for card in cards:
        left -= len(card.picture.data) * 4 // 3 if card.picture else 0
        kept.append(card if left >= 0 else replace(card, picture=None))
    return kept
