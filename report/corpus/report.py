"""Put the report together and store it as `report.html`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from ...engine.store.place import Place
from ..kit.page import render_page, write_page
from ..kit.view import FigureSection, NavigationLink
from .data import CorpusData, read_corpus
from .distribution import pages, text_layers
from .excluded import ExcludedGroup, excluded
from .gallery import CardGroup, gallery
from .overview import Overview, ReasonTable, overview, reason_tables
from .production import shards, timing

FILE = "report.html"
WIDTH_PX = 1160


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """What the template draws from."""

    data: CorpusData
    overview: Overview
    reasons: Sequence[ReasonTable]
    figures: Sequence[FigureSection]
    gallery: Sequence[CardGroup]
    excluded: Sequence[ExcludedGroup]

    @property
    def config(self) -> str:
        """The configuration as JSON."""
        return orjson.dumps(self.data.info.config, option=orjson.OPT_INDENT_2).decode()

    @property
    def has_pictures(self) -> bool:
        """Whether any card has a picture."""
        return any(entry.picture for group in self.gallery for entry in group.entries)

    @property
    def has_reasons(self) -> bool:
        """Whether there is anything to say of what was left out."""
        return bool(self.reasons or self.data.summary.pages["found"])

    @property
    def excluded_rows(self) -> tuple[int, int]:
        """Rows that are shown of what was left out, and rows in all."""
        shown = sum(len(group.entries) for group in self.excluded)
        return shown, sum(group.amount for group in self.excluded)

    @property
    def links(self) -> list[NavigationLink]:
        """To the sections that are there."""
        sections = [("overview", "Overview", True), ("reasons", "Reasons", self.has_reasons)]
        sections += [
            (figures.name, figures.name.capitalize(), bool(figures)) for figures in self.figures
        ]
        sections += [("samples", "Samples", bool(self.gallery))]
        sections += [("rows", "Rows", bool(self.excluded))]
        return [NavigationLink(name, title) for name, title, there in sections if there]


def write_corpus_report(place: Place, out: Path | None = None) -> str:
    """Write the report of a corpus; the same corpus gives the same bytes.

    Args:
        place: of the corpus.
        out: the file; `report.html` in the corpus if not given.

    Returns:
        Where it was written.

    Raises:
        ConfigError: the place holds no corpus, or the file cannot be written.
        ShardError: `corpus.json` or the ledger is damaged.
    """
    html = render_report(read_corpus(place))
    if out is not None:
        write_page(html, out)
        return str(out)
    place.write_bytes(FILE, html.encode("utf-8"))
    return f"{place.uri}/{FILE}"


def render_report(data: CorpusData) -> str:
    """The report as HTML."""
    anchors: set[str] = set()
    view = CorpusReport(
        data=data,
        overview=overview(data),
        reasons=reason_tables(data),
        figures=(text_layers(data), pages(data), shards(data), timing(data)),
        gallery=gallery(data, anchors),
        excluded=excluded(data, anchors),
    )
    return render_page(
        "corpus/corpus.html.jinja",
        view,
        title=f"{data.name} · Pagemill report",
        styles=("corpus/corpus.css",),
        width_px=WIDTH_PX,
    )
