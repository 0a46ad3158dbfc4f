"""Put the preview together and store it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ...corruption import Level, Schedule, corrupt, plan_page
from ...corruption.leak import leaks
from ...corruption.level import LEVELS
from ...corruption.operator import MASKS, OPERATORS
from ...corruption.severity import SeverityLookup
from ...engine.errors import ConfigError
from ...engine.store.place import Place
from ..kit.page import render_page, write_page
from ..kit.view import StackPart
from .contact_sheet import ContactSheet, contact_sheet
from .leak_check import LeakCheck, leak_check
from .level_ladder import Ladder, level_ladder
from .level_legend import LevelCard, level_cards, level_stack
from .line_choice import long_lines, short_runs
from .page_choice import ChosenPage, choose_page, choose_pages
from .severity_table import table_rows
from .whole_page import CorruptedPage, CorruptedPageView, Focus, view_page

WIDTH_PX = 1400
_TRIES = 6
"""Pages that are looked at for each that is shown: some have no text that can be corrupted."""
_MORE_PAGES = 5
"""Pages besides those shown that lines are taken from."""
_LINES = 6
"""Lines on which a single operator is shown."""


@dataclass(frozen=True, slots=True)
class PreviewSummary:
    """What a preview shows."""

    pages: int
    regions: Mapping[Level, int]
    """By level."""
    leaks: tuple[str, ...]
    """What the checks of the masks found; empty is good."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the template draws from."""

    name: str
    """Of the corpus."""
    seed: int
    fingerprint: str
    """Of the schedule."""
    changes: bool
    """Whether the schedule changes the mixture later."""
    levels: Sequence[LevelCard]
    ladder: Ladder | None
    pages: Sequence[CorruptedPageView]
    focus: str
    """What alone is in full colour, in words."""
    sheet: ContactSheet | None
    check: LeakCheck
    table: Sequence[tuple[str, str]]
    """(name, value) of the severity table."""

    @property
    def mixture(self) -> list[StackPart]:
        """The shares of the levels."""
        return level_stack({card.level: card.share for card in self.levels})

    @property
    def regions(self) -> Counter[Level]:
        """On all pages, by level."""
        regions: Counter[Level] = Counter(dict.fromkeys(LEVELS, 0))
        for view in self.pages:
            regions.update(view.page.levels)
        return regions


def write_preview(
    place: Place,
    out: Path,
    *,
    schedule: Schedule,
    seed: int = 0,
    level: str | None = None,
    operator: str | None = None,
    key: str | None = None,
    pages: int = 3,
) -> PreviewSummary:
    """Write the preview of a corpus; the same arguments give the same bytes.

    Args:
        place: of the corpus.
        out: the HTML file to write.
        schedule: whose plans are shown, at position 0.
        seed: of the plans and of the choice of pages.
        level: the only one to show in full colour.
        operator: the only one of the contact sheet, on several lines.
        key: of the only page to show.
        pages: how many to show.

    Raises:
        ConfigError: an unknown level, operator or key; no page with words; `out` cannot be written.
        ShardError: the corpus is damaged.
    """
    focus = _focus(level, operator)
    if pages < 1:
        raise ConfigError(f"pages is {pages}; a preview shows at least 1 page")
    shown, others = _choose(place, schedule, seed, key, pages)
    name = place.uri.rstrip("/").rpartition("/")[2] or place.uri
    view = _view(name, shown, others, schedule, seed, focus)
    html = render_page(
        "corruption/preview.html.jinja",
        view,
        title=f"{name} · Pagemill preview",
        styles=("corruption/preview.css",),
        width_px=WIDTH_PX,
    )
    write_page(html, out)
    return PreviewSummary(len(shown), dict(view.regions), view.check.messages)


def _focus(level: str | None, operator: str | None) -> Focus:
    if level is not None and level not in set(LEVELS):
        raise ConfigError(f"there is no level {level!r}; there are {', '.join(LEVELS)}")
    if operator is not None and operator not in OPERATORS and operator not in MASKS:
        names = ", ".join((*OPERATORS, *MASKS))
        raise ConfigError(f"there is no operator {operator!r}; there are {names}")
    return Focus(None if level is None else Level(level), operator)


def _choose(
    place: Place, schedule: Schedule, seed: int, key: str | None, count: int
) -> tuple[list[CorruptedPage], list[ChosenPage]]:
    """The pages to show, and some more to take lines from."""
    if key is not None:
        only = _corrupted(choose_page(place, key), schedule, seed)
        more = islice(choose_pages(place, seed), _MORE_PAGES)
        return [only], [chosen for chosen in more if chosen.page.key != key]
    order = choose_pages(place, seed)
    with_regions: list[CorruptedPage] = []
    without: list[ChosenPage] = []
    for chosen in islice(order, _TRIES * count):
        plan = plan_page(chosen.page, seed=seed, epoch=0, schedule=schedule)
        if plan.regions:
            with_regions.append(_corrupted(chosen, schedule, seed))
        else:
            without.append(chosen)
        if len(with_regions) == count:
            break
    missing = without[: count - len(with_regions)]
    shown = with_regions + [_corrupted(chosen, schedule, seed) for chosen in missing]
    return shown, list(islice(order, _MORE_PAGES))


def _corrupted(chosen: ChosenPage, schedule: Schedule, seed: int) -> CorruptedPage:
    plan = plan_page(chosen.page, seed=seed, epoch=0, schedule=schedule)
    image = corrupt(chosen.image, plan, key=chosen.page.key)
    return CorruptedPage(chosen, plan, image, tuple(leaks(chosen.image, chosen.page, plan)))


def _view(
    name: str,
    shown: list[CorruptedPage],
    others: list[ChosenPage],
    schedule: Schedule,
    seed: int,
    focus: Focus,
) -> Preview:
    """Everything that the page shows."""
    table = schedule.table
    graded = [operator for operator in OPERATORS if operator in table.curves]
    lookup = SeverityLookup(table, graded)
    operators = [focus.operator] if focus.operator else [*graded, *MASKS]
    pages = [*(page.chosen for page in shown), *others]
    lines = long_lines(pages, 1, seed)
    runs = short_runs(pages, _LINES, seed)
    on_pages = _on_pages(focus, shown)
    return Preview(
        name=name,
        seed=seed,
        fingerprint=schedule.fingerprint,
        changes=bool(schedule.entries),
        levels=level_cards(schedule),
        ladder=level_ladder(lines[0], lookup, focus.operator, seed) if lines else None,
        pages=[view_page(page, on_pages) for page in shown],
        focus=on_pages.text,
        sheet=contact_sheet(runs, lookup, operators, seed) if runs else None,
        check=leak_check(shown),
        table=table_rows(table),
    )


def _on_pages(focus: Focus, shown: list[CorruptedPage]) -> Focus:
    """The focus without an operator that none of the pages has."""
    regions = [region for page in shown for region in page.plan.regions]
    return focus if any(map(focus, regions)) else Focus(focus.level)
