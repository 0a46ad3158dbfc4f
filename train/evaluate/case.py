"""A page with what is asked of it: regions of every level, and its whole text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...corruption import CorruptionPlan, Level, Mixture, Schedule, corrupt, plan_page
from ...corruption.schedule import DEFAULT
from ...engine.errors import DataError
from ...engine.failure import Failures
from ...engine.key import keyed_hash
from ...engine.page import Page
from ...engine.progress import Progress
from ...model.prompt.task import READ, RESTORE
from ..stream.box import UNKNOWN
from ..stream.corpus import PageSource, sample_error
from ..stream.sample import LEAST_TO_RESTORE, LengthPlanner, SampleBuilder, SampleConfig
from ..stream.token_count import text_pieces
from .config import EvalConfig
from .plan import PlannedPage, open_sources, plan_pages
from .region import LEVEL_NAMES, AskedRegion, ask_regions, group_regions, round_robin

FAILURES_IN_A_ROW = 10
"""Cases that go wrong one after the other end an evaluation."""
CORRUPTIONS = tuple(level for level in Level if level is not Level.CLEAN)
BOX_MARKS = 3
"""Tokens around a box: a line break and two marks."""
CLEAN, CORRUPTED = "clean", "corrupted"
"""How a page is read as a whole, beside the levels."""
ALL = 1_000_000
"""Regions of a page, where none is left out."""


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
    read_phrasing: int
    """Which phrasing asks for the page."""
    restore_phrasing: int
    """Which phrasing asks for regions."""
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
            raise sample_error(err, self.source, self.row) from err
        return image

    def view(self, image: np.ndarray, name: str) -> np.ndarray:
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
    failures: Failures | None = None,
) -> list[Case]:
    """The cases of an evaluation, the same on every rank.

    Args:
        config: what is asked.
        processor: whose tokens texts are counted in.
        corpora: used where the configuration names none.
        schedule: that plans are drawn by; the default one when left out.
        progress: called with pages done and pages in all.
        failures: where pages that cannot be opened are recorded; they are left out.

    Raises:
        ConfigError: not a corpus, or plans that do not fit.
        DataError: too many pages in a row cannot be opened.
    """
    schedule = schedule or DEFAULT
    failures = failures or Failures(FAILURES_IN_A_ROW)
    sources = open_sources(config.data or corpora, config.split)
    most = max(LEAST_TO_RESTORE, config.most_new_tokens)
    lengths = LengthPlanner(processor, SampleConfig(most_answer_tokens=most), config.seed)
    builder = SampleBuilder(lengths, schedule, do_normalize=False)
    cases: list[Case] = []
    for planned in plan_pages(config, sources, schedule, progress=progress, failures=failures):
        try:
            case = make_case(planned, config, builder)
        except Exception as err:  # noqa: BLE001  one page's fate; system errors are raised again
            failures.add(planned.page.key, err)
            continue
        failures.success()
        if case.regions or case.text:
            cases.append(case)
    return mark_shown(cases, config)


def make_case(planned: PlannedPage, config: EvalConfig, builder: SampleBuilder) -> Case:
    """What is asked of a page."""
    page, plan = planned.page, planned.plan
    pieces = builder.writer.text_tokenizer.encode_batch(text_pieces(page))
    tokens = sum(len(piece.ids) for piece in pieces)
    regions, groups = regions_and_groups(page, plan, tokens, config, builder)
    text = page.layer.text
    fits = config.read_pages and 0 < tokens < config.most_new_tokens and UNKNOWN not in text
    plans: dict[str, CorruptionPlan | None] = {CORRUPTED: plan}
    if fits:
        plans[CLEAN] = None
        if config.page_levels:
            plans |= {
                str(level): plan_at_level(page, plan, builder.schedule, level)
                for level in CORRUPTIONS
            }
    phrasing_key = keyed_hash("evaluate.phrase", config.seed, page.key)
    return Case(
        source=planned.source,
        row=planned.row,
        key=page.key,
        width=page.width,
        height=page.height,
        plans=plans,
        regions=regions,
        groups=groups,
        text=text if fits else "",
        text_tokens=tokens if fits else 0,
        read_phrasing=phrasing_key % len(READ),
        restore_phrasing=phrasing_key % len(RESTORE),
    )


def regions_and_groups(
    page: Page, plan: CorruptionPlan, tokens: int, config: EvalConfig, builder: SampleBuilder
) -> tuple[tuple[AskedRegion, ...], tuple[tuple[int, ...], ...]]:
    """The regions that are asked for, and their numbers prompt by prompt."""
    tokenizer = builder.writer.text_tokenizer
    room = int(builder.planner.answer_room(np.array([tokens]), np.array([False]))[0])
    if config.as_trained:
        targets = builder.choose_boxes(page, plan, room)
        trained = {target.first_word for target in targets if not target.cut}
        every = ask_regions(page, plan, replace(config, regions=ALL), tokenizer)
        regions = tuple(region for region in every if region.first_word in trained)
        return regions, ((tuple(range(len(regions))),) if regions else ())
    regions = ask_regions(page, plan, config, tokenizer)
    box_tokens = [len(tokenizer.encode(region.box_text).ids) + BOX_MARKS for region in regions]
    return regions, tuple(group_regions(regions, box_tokens, room, config.most_new_tokens // 2))


def plan_at_level(
    page: Page, plan: CorruptionPlan, schedule: Schedule, level: Level
) -> CorruptionPlan:
    """The plan with everything corrupted at one level; the regions are the same."""
    clean = schedule.shares(plan.position)[0]
    mixture = Mixture(**{**dict.fromkeys(LEVEL_NAMES, 0.0), "clean": clean, level: 1 - clean})
    alone = Schedule(config=replace(schedule.config, mixture=mixture))
    return plan_page(page, seed=plan.seed, epoch=plan.epoch, schedule=alone, position=plan.position)


def mark_shown(cases: list[Case], config: EvalConfig) -> list[Case]:
    """The cases with the regions whose pictures are kept, the levels in turn, drawn by name."""
    by_level: dict[str, list[tuple[int, int, int]]] = {name: [] for name in LEVEL_NAMES}
    for place, case in enumerate(cases):
        for number, region in enumerate(case.regions):
            rank = keyed_hash("evaluate.shown", config.seed, case.key, region.first_word)
            by_level[region.level].append((rank, place, number))
    picked = list(round_robin([sorted(level) for level in by_level.values()]))[: config.shown]
    return [
        replace(case, shown=frozenset(number for _, of_case, number in picked if of_case == place))
        for place, case in enumerate(cases)
    ]
