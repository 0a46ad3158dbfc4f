"""Put the preview together and store it."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path

from ...corruption import Level, Schedule, corrupt, plan_page
from ...corruption.leak import leaks
from ...corruption.level import LEVELS
from ...corruption.operator import MASKS, OPERATORS
from ...corruption.severity import SeverityLookup
from ...engine.errors import ConfigError
from ...engine.store.place import Place
from ..corpus.markup import esc
from .checks import foot
from .ladder import ladder
from .legend import masthead
from .pick import Picked, page_of, pages_of
from .sheet import sheet
from .specimen import long_lines, short_runs
from .whole import Focus, ShownPage
from .whole import pages as whole_pages

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
    shown, others = _shown(place, schedule, seed, key, pages)
    name = place.uri.rstrip("/").rpartition("/")[2] or place.uri
    html = _render(name, shown, others, schedule, seed, focus)
    try:
        Place.at(str(out.absolute().parent)).write_bytes(out.name, html.encode("utf-8"))
    except OSError as err:
        raise ConfigError(f"cannot write {out}: {err.strerror}") from err
    regions: Counter[Level] = Counter(dict.fromkeys(LEVELS, 0))
    for one in shown:
        regions.update(one.levels)
    found = tuple(message for one in shown for message in one.leaks)
    return PreviewSummary(len(shown), dict(regions), found)


def _focus(level: str | None, operator: str | None) -> Focus:
    if level is not None and level not in set(LEVELS):
        raise ConfigError(f"there is no level {level!r}; there are {', '.join(LEVELS)}")
    if operator is not None and operator not in OPERATORS and operator not in MASKS:
        known = ", ".join((*OPERATORS, *MASKS))
        raise ConfigError(f"there is no operator {operator!r}; there are {known}")
    return Focus(None if level is None else Level(level), operator)


def _shown(
    place: Place, schedule: Schedule, seed: int, key: str | None, count: int
) -> tuple[list[ShownPage], list[Picked]]:
    """The pages to show, and some more to take lines from."""
    if key is not None:
        only = _corrupted(page_of(place, key), schedule, seed)
        more = islice(pages_of(place, seed), _MORE_PAGES)
        return [only], [picked for picked in more if picked.page.key != key]
    order = pages_of(place, seed)
    with_regions: list[ShownPage] = []
    without: list[Picked] = []
    for picked in islice(order, _TRIES * count):
        plan = plan_page(picked.page, seed=seed, epoch=0, schedule=schedule)
        if plan.regions:
            with_regions.append(_corrupted(picked, schedule, seed))
        else:
            without.append(picked)
        if len(with_regions) == count:
            break
    missing = without[: count - len(with_regions)]
    shown = with_regions + [_corrupted(picked, schedule, seed) for picked in missing]
    return shown, list(islice(order, _MORE_PAGES))


def _corrupted(picked: Picked, schedule: Schedule, seed: int) -> ShownPage:
    plan = plan_page(picked.page, seed=seed, epoch=0, schedule=schedule)
    image = corrupt(picked.image, plan, key=picked.page.key)
    return ShownPage(picked, plan, image, tuple(leaks(picked.image, picked.page, plan)))


def _render(
    name: str,
    shown: list[ShownPage],
    others: list[Picked],
    schedule: Schedule,
    seed: int,
    focus: Focus,
) -> str:
    """The preview as HTML; scripts other than its own are forbidden by its own policy."""
    style, script = _asset("preview.css"), _asset("preview.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    table = schedule.table
    graded = [one for one in OPERATORS if one in table.curves]
    lookup = SeverityLookup(table, graded)
    operators = [focus.operator] if focus.operator else [*graded, *MASKS]
    picked = [one.picked for one in shown]
    lines = long_lines([*picked, *others], 1, seed)
    runs = short_runs([*picked, *others], _LINES, seed)
    sections = [
        ladder(lines[0], lookup, focus.operator, seed) if lines else "",
        whole_pages(shown, _on_pages(focus, shown)),
        sheet(runs, lookup, operators, seed) if runs else "",
        foot(table, shown),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{esc(name)} · Pagemill preview</title>"
        f"<style>{style}</style></head><body>{masthead(name, schedule, seed)}"
        f"<main>{''.join(sections)}</main><script>{script}</script></body></html>\n"
    )


def _on_pages(focus: Focus, shown: list[ShownPage]) -> Focus:
    """The focus without an operator that none of the pages has."""
    regions = [region for one in shown for region in one.plan.regions]
    return focus if any(map(focus, regions)) else Focus(focus.level)


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
