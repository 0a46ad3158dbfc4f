"""Whole pages: the corrupted image with its regions outlined, and their targets beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...corruption.level import LEVELS, Level
from ...corruption.plan import CorruptionPlan, PlannedRegion
from ...engine.geometry import Box
from ..corpus.markup import esc, plural, tail
from .legend import chip, rate, stack, tally
from .pick import Picked
from .picture import page_uri


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page with its plan, what came out, and what of the masked text is left."""

    picked: Picked
    plan: CorruptionPlan
    image: np.ndarray
    leaks: tuple[str, ...]

    @property
    def levels(self) -> Counter[Level]:
        """Regions by level."""
        return Counter(region.level for region in self.plan.regions)


@dataclass(frozen=True, slots=True)
class Focus:
    """What is shown in full colour; everything where nothing is asked for."""

    level: Level | None = None
    operator: str | None = None

    def __call__(self, region: PlannedRegion) -> bool:
        """Is this region asked for?"""
        return self.level in (None, region.level) and self.operator in (None, region.operator)


def pages(shown: Sequence[ShownPage], focus: Focus) -> str:
    """The section of whole pages."""
    total: Counter[Level] = Counter()
    for one in shown:
        total.update(one.levels)
    inner = "".join(_page(number, one, focus) for number, one in enumerate(shown, 1))
    asked = [f"the level {focus.level}"] if focus.level else []
    asked += [f"the operator {focus.operator}"] if focus.operator else []
    only = f" Regions of {' and '.join(asked)} are in full colour." if asked else ""
    return (
        '<section id="pages"><h2>Whole pages</h2>'
        f'<p class="lead">{plural(sum(total.values()), "region")} on '
        f"{plural(len(shown), 'page')}, numbered in the order of the text; each has its target "
        f"in the list.{esc(only)} Where a number or a name would have to be guessed, or the width "
        "of the mask would tell the length of the text, a region is never heavy; the others are "
        "heavy the more often. The shortest texts are never moderate but light.</p>"
        f"{inner}</section>"
    )


def _page(number: int, one: ShownPage, focus: Focus) -> str:
    page, regions = one.picked.page, one.plan.regions
    marks = "".join(
        _mark(f"p{number}", n, region, page.width, page.height, focus)
        for n, region in enumerate(regions, 1)
    )
    rows = "".join(_row(f"p{number}", n, region, focus) for n, region in enumerate(regions, 1))
    ratio = f"{page.width} / {page.height}"
    label = f"Page {page.page_index + 1} of {one.picked.name or page.key}, corrupted"
    return (
        f'<article class="page" id="p{number}">{_head(one)}'
        '<div class="spread"><div><div class="switches">'
        '<label><input type="checkbox" class="see-marks" checked>outlines</label>'
        '<label><input type="checkbox" class="see-clean">clean page</label></div>'
        f'<div class="narrow-scroll"><div class="leaf" style="aspect-ratio:{ratio}">'
        f'<img class="corrupted" src="{page_uri(one.image)}" alt="{esc(label)}">'
        f'<img class="clean-page" src="{page_uri(one.picked.image)}" alt="The page as it was">'
        f"{marks}</div></div></div>"
        '<div class="beside"><p class="columns soft"><span>region and target</span>'
        "<span>severity</span><span>errors</span></p>"
        f'<div class="list"><ol>{rows}</ol></div></div></div></article>'
    )


def _head(one: ShownPage) -> str:
    page, heavy = one.picked.page, one.levels[Level.HEAVY]
    told = [
        f"page {page.page_index + 1} of {page.page_count}",
        f"{page.width} × {page.height} px",
        f"x-height {page.x_height:.0f} px",
        page.language,
    ]
    effects = ", ".join(effect.name.replace("_", " ") for effect in one.plan.effects)
    if effects:
        told.append(f"whole page: {effects}")
    facts = " <i>·</i> ".join(esc(part, 200) for part in told if part)
    if one.leaks:
        state = "".join(f'<p class="leak">{esc(message, 400)}</p>' for message in one.leaks)
    elif heavy:
        state = f'<p class="no-leak">no leak found in {plural(heavy, "heavy region")}</p>'
    else:
        state = '<p class="soft">no heavy region on this page</p>'
    amounts = {level: float(one.levels[level]) for level in LEVELS}
    name = tail(one.picked.name, 80) or page.key
    return (
        f'<div class="page-head"><div><h3><bdi>{esc(name)}</bdi></h3>'
        f'<p class="soft">{facts}</p><p class="soft"><code>{esc(page.key)}</code></p></div>'
        f'<div class="counts">{stack(amounts)}<p>{tally(one.levels)}</p>{state}</div></div>'
    )


def _mark(
    page: str, number: int, region: PlannedRegion, width: int, height: int, focus: Focus
) -> str:
    x0, y0, x1, y1 = _inside(region.moved, width, height)
    place = (
        f"left:{100 * x0 / width:.2f}%;top:{100 * y0 / height:.2f}%;"
        f"width:{100 * (x1 - x0) / width:.2f}%;height:{100 * (y1 - y0) / height:.2f}%"
    )
    told = " · ".join(part for part in (region.level, region.operator) if part)
    return (
        f'<a class="mark {region.level}{_faint(region, focus)}" id="{page}m{number}" '
        f'data-region="{page}r{number}" href="#{page}r{number}" style="{place}" '
        f'title="{number} · {esc(told)}"><b>{number}</b></a>'
    )


def _row(page: str, number: int, region: PlannedRegion, focus: Focus) -> str:
    untouched = region.level is Level.CLEAN
    operator = f"<code>{esc(region.operator)}</code>" if region.operator else ""
    severity = "" if untouched else f"{region.severity:.2f}"
    target = "\n".join(esc(line) for line in region.target.splitlines())
    return (
        f'<li class="{region.level}{_faint(region, focus)}" id="{page}r{number}" '
        f'data-region="{page}m{number}">'
        f'<a class="number" href="#{page}m{number}">{number}</a>'
        f'<span class="how">{chip(region.level)} {operator} '
        f'<span class="soft">{esc(region.kind)}</span></span>'
        f'<span class="num soft">{severity}</span>'
        f'<span class="num">{"" if untouched else rate(region.error_rate)}</span>'
        f'<p class="target" dir="auto">{target}</p></li>'
    )


def _faint(region: PlannedRegion, focus: Focus) -> str:
    return "" if focus(region) else " faint"


def _inside(box: Box, width: int, height: int) -> Box:
    """The part of a box that lies on the page."""
    x0, y0 = min(max(box[0], 0.0), width - 1.0), min(max(box[1], 0.0), height - 1.0)
    return x0, y0, min(max(box[2], x0 + 1), float(width)), min(max(box[3], y0 + 1), float(height))
