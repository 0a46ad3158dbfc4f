"""The top of the report: the corpus in numbers, the sum that must come out, the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ...engine.store.ledger import Fate, RowKind
from ..kit.chart import bar_chart
from ..kit.numbers import count, duration, plural, share, size
from ..kit.text import slug
from ..kit.view import StackPart, Tile
from .data import CorpusData
from .page_name import reason_meaning, shell_command

FATES = (Fate.WRITTEN, Fate.REJECTED, Fate.FAILED)
_REASON_GROUPS = (
    (RowKind.PAGE, Fate.REJECTED, "Pages rejected by the filters"),
    (RowKind.PAGE, Fate.FAILED, "Pages that could not be read"),
    (RowKind.DOCUMENT, Fate.FAILED, "Documents that could not be opened"),
    (RowKind.DOCUMENT, Fate.REJECTED, "Documents without a page in the corpus"),
)


@dataclass(frozen=True, slots=True)
class Overview:
    """Totals, fates, and the equation of the ledger."""

    tiles: tuple[Tile, ...]
    fates: tuple[StackPart, ...]
    pages: Mapping[str, int]
    unopened: int
    """Documents that could not be opened."""
    adds_up: bool
    verify_command: str

    @property
    def shares(self) -> list[tuple[str, str, str]]:
        """(class, name, share) of each fate."""
        whole = sum(part.amount for part in self.fates)
        return [(part.css, part.css, share(part.amount, whole)) for part in self.fates]

    @property
    def failed_pages(self) -> int:
        """Pages of documents that were opened."""
        return self.pages[Fate.FAILED] - self.unopened


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often a reason was given."""

    reason: str
    meaning: str
    target: str
    """The `id` of its rows."""
    bar: Markup
    amount: int


@dataclass(frozen=True, slots=True)
class ReasonTable:
    """The reasons of one kind of loss."""

    title: str
    unit: str
    whole: int
    found: int
    """Pages or documents in all."""
    rows: tuple[ReasonCount, ...]


def overview(data: CorpusData) -> Overview:
    """Headline totals, the bar of fates, and the equation of the ledger."""
    pages, documents = data.summary.pages, data.summary.documents
    shards = data.info.shards
    in_all = f"{size(sum(shard.bytes for shard in shards))} in all" if shards else "none written"
    tiles = (
        Tile(
            "pages written", count(pages["written"]), f"of {plural(pages['found'], 'page')} found"
        ),
        Tile("documents", count(documents["found"]), _opened(documents)),
        Tile("shards", count(len(shards)), in_all),
        *_speed_tiles(data),
    )
    return Overview(
        tiles=tiles,
        fates=tuple(StackPart(fate, pages[fate], _fate_text(fate, pages)) for fate in FATES),
        pages=pages,
        unopened=documents["failed"],
        adds_up=data.adds_up,
        verify_command=shell_command(data.place, "verify"),
    )


def reason_tables(data: CorpusData) -> list[ReasonTable]:
    """Why pages and documents are not in the shards, with the meaning of each reason."""
    tables = []
    for kind, fate, title in _REASON_GROUPS:
        mask = data.ledger.where(kind=kind, status=fate)
        counts = data.ledger.counts("reason", mask)
        if counts:
            totals = data.summary.pages if kind == RowKind.PAGE else data.summary.documents
            rows = tuple(
                ReasonCount(
                    reason,
                    reason_meaning(reason),
                    group_id(kind, fate, reason),
                    bar_chart([(fate, amount)], max(counts.values())),
                    amount,
                )
                for reason, amount in counts.items()
            )
            whole = sum(counts.values())
            tables.append(ReasonTable(title, kind.value, whole, totals["found"], rows))
    return tables


def group_id(kind: RowKind, fate: Fate, reason: str) -> str:
    """The `id` of the rows with a reason."""
    return slug(f"{kind}-{fate}-{reason}")


def _fate_text(fate: Fate, pages: Mapping[str, int]) -> str:
    whole = sum(pages[fate] for fate in FATES)
    return f"{fate}: {count(pages[fate])} ({share(pages[fate], whole)})"


def _opened(documents: Mapping[str, int]) -> str:
    if not documents["found"]:
        return "none found"
    failed = documents["failed"]
    text = f"{count(failed)} could not be opened" if failed else "all opened"
    duplicates = documents["duplicates"]
    return f"{text}, {plural(duplicates, 'duplicate')}" if duplicates else text


def _speed_tiles(data: CorpusData) -> list[Tile]:
    """Pages per second and wall time of the last run, where `corpus.json` has them."""
    run: Any = data.info.totals.get("run")
    if not isinstance(run, Mapping) or not run.get("wall_s") or not run.get("pages"):
        return []
    wall_s, pages = float(run["wall_s"]), float(run["pages"])
    workers = f" on {plural(run['workers'], 'worker')}" if run.get("workers") else ""
    return [Tile("pages per second", f"{pages / wall_s:,.1f}", f"in {duration(wall_s)}{workers}")]
