"""A page with what is asked of it: regions of every level, and its whole text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest
from typing import Any

import numpy as np

from ...corruption import CorruptionPlan, Level, Mixture, Schedule, corrupt, plan_page
from ...corruption.schedule import DEFAULT
from ...engine.errors import DataError
from ...engine.geometry import Box, union
from ...engine.key import keyed_hash
from ...engine.page import Page
from ...engine.progress import Progress
from ...model.prompt.task import READ, RESTORE
from ..stream.box import UNKNOWN, box_candidates, box_text
from ..stream.corpus import PageSource, refused
from ..stream.sample import LEAST_TO_RESTORE, LengthPlanner, SampleBuilder, SampleConfig
from ..stream.token_count import pieces_of
from .config import EvalConfig
from .plan import Planned, open_sources, planned

LEVEL_NAMES = tuple(str(level) for level in Level)
CORRUPTIONS = tuple(level for level in Level if level is not Level.CLEAN)
BOX_MARKS = 3
"""Tokens around a box: a line break and two marks."""
CLEAN, CORRUPTED = "clean", "corrupted"
"""How a page is read as a whole, beside the levels."""
ALL = 1_000_000
"""Regions of a page, where none is left out."""


@dataclass(frozen=True, slots=True)
class AskedRegion:
    """One region that is asked for."""

    place: int
    """Its first word on the page."""
    box: Box
    """px of the corrupted page."""
    where: str
    """The same in thousandths of the page, as prompts write it."""
    lines: tuple[Box, ...]
    """Around its words on each line, px of the corrupted page."""
    target: str
    """In one line, as training asks for it."""
    level: str
    kind: str
    tokens: int
    """Of the target."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One page."""

    source: PageSource
    row: int
    key: str
    width: int
    height: int
    """px."""
    plans: dict[str, CorruptionPlan | None]
    """`corrupted`, whose regions are asked for; then the other ways to read the page as a whole."""
    regions: tuple[AskedRegion, ...]
    """In reading order."""
    groups: tuple[tuple[int, ...], ...]
    """Numbers of the regions of each prompt."""
    text: str
    """Of the page; empty where it is not read as a whole."""
    text_tokens: int
    phrases: tuple[int, int]
    """Which phrasing asks for the page, and which for regions."""
    shown: frozenset[int] = frozenset()
    """Regions whose picture is kept."""

    @property
    def document(self) -> str:
        """Names the document, for resampling."""
        return self.key.rpartition("_")[0]

    def pixels(self) -> np.ndarray:
        """The clean page, uint8 [height, width] or [height, width, 3].

        Raises:
            DataError: it cannot be read; names shard and key.
        """
        try:
            image = self.source.image(self.row)
        except (OSError, ValueError, DataError) as err:
            raise refused(err, self.source, self.row) from err
        return image

    def drawn(self, image: np.ndarray, name: str) -> np.ndarray:
        """The page as one of its plans has it."""
        plan = self.plans[name]
        return image if plan is None else corrupt(image, plan, key=self.key)


def open_cases(
    config: EvalConfig,
    processor: Any,
    corpora: Sequence[str],
    *,
    schedule: Schedule | None = None,
    progress: Progress | None = None,
) -> list[Case]:
    """The cases of an evaluation, the same on every rank.

    Args:
        config: what is asked.
        processor: whose tokens texts are counted in.
        corpora: used where the configuration names none.
        schedule: that plans are drawn by; the default one when left out.
        progress: called with pages done and pages in all.

    Raises:
        ConfigError: not a corpus, or plans that do not fit.
        DataError: a page cannot be read.
    """
    schedule = schedule or DEFAULT
    sources = open_sources(config.data or corpora, config.split)
    most = max(LEAST_TO_RESTORE, config.most_new_tokens)
    profile = LengthPlanner(processor, SampleConfig(most_answer_tokens=most), config.seed)
    maker = SampleBuilder(profile, schedule, do_normalize=False)
    pages = planned(config, sources, schedule, progress=progress)
    cases = [case_of(one, config, maker) for one in pages]
    return with_shown([case for case in cases if case.regions or case.text], config)


def case_of(one: Planned, config: EvalConfig, maker: SampleBuilder) -> Case:
    """What is asked of a page."""
    page, plan = one.page, one.plan
    whole = page.layer.text
    tokens = sum(len(part.ids) for part in maker.text.encode_batch(pieces_of(page)))
    if config.as_trained:
        trained = trained_places(page, plan, tokens, maker)
        every = regions_of(page, plan, replace(config, regions=ALL), maker.text)
        regions = tuple(region for region in every if region.place in trained)
        groups: tuple[tuple[int, ...], ...] = (tuple(range(len(regions))),) if regions else ()
    else:
        regions = regions_of(page, plan, config, maker.text)
        room = int(maker.profile.answers(np.array([tokens]), np.array([False]))[0])
        asked = [len(maker.text.encode(one.where).ids) + BOX_MARKS for one in regions]
        groups = tuple(grouped(regions, asked, room, config.most_new_tokens // 2))
    fits = config.read_pages and 0 < tokens < config.most_new_tokens and UNKNOWN not in whole
    plans: dict[str, CorruptionPlan | None] = {CORRUPTED: plan}
    if fits:
        plans[CLEAN] = None
        if config.page_levels:
            plans |= {str(one): at_level(page, plan, maker.schedule, one) for one in CORRUPTIONS}
    drawn = keyed_hash("evaluate.phrase", config.seed, page.key)
    return Case(
        source=one.source,
        row=one.row,
        key=page.key,
        width=page.width,
        height=page.height,
        plans=plans,
        regions=regions,
        groups=groups,
        text=whole if fits else "",
        text_tokens=tokens if fits else 0,
        phrases=(drawn % len(READ), drawn % len(RESTORE)),
    )


def trained_places(page: Page, plan: CorruptionPlan, tokens: int, maker: SampleBuilder) -> set[int]:
    """First words of the boxes that training asks for where it does not read the whole page."""
    room = maker.profile.answers(np.array([tokens]), np.array([False]))[0]
    return {one.place for one in maker.chosen(page, plan, int(room)) if not one.cut}


def at_level(page: Page, plan: CorruptionPlan, schedule: Schedule, level: Level) -> CorruptionPlan:
    """The plan with everything corrupted at one level; the regions are the same."""
    clean = schedule.shares(plan.position)[0]
    mixture = Mixture(**{**dict.fromkeys(LEVEL_NAMES, 0.0), "clean": clean, level: 1 - clean})
    alone = Schedule(config=replace(schedule.config, mixture=mixture))
    return plan_page(page, seed=plan.seed, epoch=plan.epoch, schedule=alone, position=plan.position)


def regions_of(
    page: Page, plan: CorruptionPlan, config: EvalConfig, text: Any
) -> tuple[AskedRegion, ...]:
    """Regions of a page, the levels in turn, in reading order."""
    by_start = {region.words[0]: region for region in plan.regions}
    line_stops = {line.words[0]: line.words[1] for line in page.layer.lines}
    by_level: list[list[AskedRegion]] = [[] for _ in LEVEL_NAMES]
    for place, box, target, level in box_candidates(page, plan, config.seed):
        tokens = len(text.encode(target).ids)
        if 0 < tokens < config.most_new_tokens:
            region = by_start.get(place)
            stop = region.words[1] if region else line_stops[place]
            by_level[level].append(
                AskedRegion(
                    place=place,
                    box=box_of(box),
                    where=box_text(box, page),
                    lines=lines_of(page, plan, place, stop),
                    target=target,
                    level=LEVEL_NAMES[level],
                    kind=str(region.kind) if region else "line",
                    tokens=tokens,
                )
            )
    taken = list(in_turn(by_level))[: config.regions]
    return tuple(sorted(taken, key=lambda one: one.place))


def lines_of(page: Page, plan: CorruptionPlan, start: int, stop: int) -> tuple[Box, ...]:
    """Boxes around words on each line, where they lie on the corrupted page."""
    words = page.layer.words[start:stop]
    boxes = [
        union([word.box for word in row]) for _, row in groupby(words, key=lambda word: word.line)
    ]
    return tuple(plan.move_boxes(boxes))


def box_of(box: Sequence[float]) -> Box:
    """A box as a tuple."""
    x0, y0, x1, y1 = box
    return float(x0), float(y0), float(x1), float(y1)


def in_turn(groups: Sequence[Sequence[Any]]) -> Iterator[Any]:
    """One of each group, then the next of each, until all are taken."""
    for row in zip_longest(*groups):
        yield from (one for one in row if one is not None)


def grouped(
    regions: Sequence[AskedRegion], asked: Sequence[int], room: int, most: int
) -> Iterator[tuple[int, ...]]:
    """Numbers of regions for one prompt each, as many as training asks for at once.

    Args:
        regions: of a page.
        asked: tokens that each one's box takes.
        room: tokens that boxes and answers of a prompt may take together.
        most: tokens that its answers may take.
    """
    group: list[int] = []
    total = answer = 0
    for number, (region, box) in enumerate(zip(regions, asked, strict=True)):
        own = region.tokens + 1
        if group and (total + own + box > room or answer + own > most):
            yield tuple(group)
            group, total, answer = [], 0, 0
        group.append(number)
        total += own + box
        answer += own
    if group:
        yield tuple(group)


def with_shown(cases: list[Case], config: EvalConfig) -> list[Case]:
    """The cases with the regions whose pictures are kept, the levels in turn, drawn by name."""
    by_level: dict[str, list[tuple[int, int, int]]] = {name: [] for name in LEVEL_NAMES}
    for at, case in enumerate(cases):
        for number, region in enumerate(case.regions):
            rank = keyed_hash("evaluate.shown", config.seed, case.key, region.place)
            by_level[region.level].append((rank, at, number))
    taken = list(in_turn([sorted(group) for group in by_level.values()]))[: config.shown]
    return [
        replace(case, shown=frozenset(number for _, own, number in taken if own == at))
        for at, case in enumerate(cases)
    ]
