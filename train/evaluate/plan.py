"""Which pages are evaluated, and what is done to them: drawn from a seed, or frozen in a file.

A file of plans has one plan a line, as `CorruptionPlan.to_json` writes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...corruption import CorruptionPlan, Schedule, plan_page
from ...engine.errors import ConfigError, DataError
from ...engine.failure import Failures
from ...engine.files import write_atomic
from ...engine.page import Page
from ...engine.progress import Progress
from ...engine.store.corpus import FILE, CorpusInfo
from ...engine.store.place import Place
from ..stream.conversation import SUFFIXES
from ..stream.corpus import PageSource, choose_pages, open_page_source, sample_error
from .config import EvalConfig

HELD_OUT = ("val", "test", "train")
"""Splits in the order in which one is taken where none is named."""


@dataclass(frozen=True, slots=True, eq=False)
class PlannedPage:
    """A page and its plan."""

    source: PageSource
    row: int
    page: Page
    plan: CorruptionPlan


def open_sources(corpora: Sequence[str], split: str) -> list[PageSource]:
    """The corpora; files of conversations are left out, because nothing is corrupted in them.

    Raises:
        ConfigError: not a corpus, no such split, or nothing but conversations.
        ShardError: a corpus is damaged.
    """
    sources = []
    for corpus in corpora:
        if Path(corpus).suffix not in SUFFIXES:
            place = Place.at(corpus)
            if not place.exists(FILE):
                raise ConfigError(
                    f"{corpus} is not a corpus: there is no {FILE} in it. Make one of your "
                    f"documents first: pagemill build {corpus} --out corpus"
                )
            splits = CorpusInfo.load(place).splits
            first = next((name for name in HELD_OUT if splits.get(name)), HELD_OUT[-1])
            sources.append(open_page_source(corpus, split=split or first))
    if not sources:
        raise ConfigError("the evaluation has no corpus: name one with --data, or in eval.data")
    return sources


def locate_pages(sources: Sequence[PageSource]) -> dict[str, tuple[PageSource, int]]:
    """Key of every page to its source and row; of a page in several sources, the first."""
    rows: dict[str, tuple[PageSource, int]] = {}
    for source in sources:
        for row, key in enumerate(source.keys.tolist()):
            rows.setdefault(key, (source, row))
    return rows


def plan_pages(
    config: EvalConfig,
    sources: Sequence[PageSource],
    schedule: Schedule,
    *,
    progress: Progress | None = None,
    failures: Failures,
) -> Iterator[PlannedPage]:
    """The pages of an evaluation with their plans, in an order that does not depend on shards.

    They are drawn as a run draws `data.pages`: with its seed and as many pages, they are the same.

    Args:
        config: names the file of plans, or what they are drawn from.
        sources: where the pages lie.
        schedule: that plans are drawn by.
        progress: called with pages done and pages in all.
        failures: where pages that cannot be read or planned are recorded; they are left out.

    Raises:
        ConfigError: a plan that does not fit its page, or whose page is not there.
        DataError: too many pages in a row cannot be read.
    """
    rows = locate_pages(sources)
    frozen = {plan.key: plan for plan in read_plans(Path(config.plans))} if config.plans else {}
    keys = list(frozen) or choose_pages(list(rows), config.pages or len(rows), config.seed)
    for number, key in enumerate(keys, 1):
        if key not in rows:
            names = ", ".join(source.name for source in sources)
            raise ConfigError(
                f"{config.plans}: there is a plan for {key}, which is not among the pages of "
                f"{names}: name the corpus and the split that the plans were made of"
            )
        source, row = rows[key]
        try:
            page = read_page(source, row)
            plan = frozen.get(key) or plan_page(
                page, seed=config.seed, epoch=config.epoch, schedule=schedule,
                position=config.position,
            )  # fmt: skip
        except Exception as err:  # noqa: BLE001  one page's fate; system errors are raised again
            failures.add(key, err)
        else:
            if frozen:
                check_fits(plan, page, config.plans)
            yield PlannedPage(source, row, page, plan)
        if progress is not None:
            progress(number, len(keys))


def read_page(source: PageSource, row: int) -> Page:
    """The words of a page.

    Raises:
        DataError: they cannot be read; names shard and key.
    """
    try:
        return source.page(row)
    except (OSError, KeyError, TypeError, ValueError, DataError) as err:
        raise sample_error(err, source, row) from err


def check_fits(plan: CorruptionPlan, page: Page, path: str) -> None:
    """Refuse a plan of another image or text than the page has.

    Raises:
        ConfigError: they differ; names the page.
    """
    if (plan.width, plan.height) != (page.width, page.height):
        raise ConfigError(
            f"{path}: the plan for {page.key} is of an image of {plan.width} x {plan.height} px, "
            f"the corpus has {page.width} x {page.height}: it was built otherwise. Write the plans "
            "again with --write-plans"
        )
    words = page.layer.words
    for region in plan.regions:
        first, stop = region.words
        if " ".join(word.text for word in words[first:stop]).split() != region.target.split():
            raise ConfigError(
                f"{path}: the plan for {page.key} has the text {region.target!r} where the corpus "
                "has another: it was built otherwise. Write the plans again with --write-plans"
            )


def write_plans(path: Path, plans: Sequence[CorruptionPlan]) -> None:
    """Write a file of plans, whole or not at all."""
    write_atomic(path, b"".join(plan.to_json() + b"\n" for plan in plans))


def read_plans(path: Path) -> list[CorruptionPlan]:
    """The plans in a file.

    Raises:
        ConfigError: it cannot be read, holds none or a page twice, or a line is not a plan.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as err:
        raise ConfigError(f"cannot read the plans {path}: {err.strerror}") from err
    plans: list[CorruptionPlan] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                plans.append(CorruptionPlan.from_json(line))
            except DataError as err:
                raise ConfigError(f"{path}, line {number}: {err}") from err
    if not plans:
        raise ConfigError(f"{path} holds no plans")
    repeated = [key for key, count in Counter(plan.key for plan in plans).items() if count > 1]
    if repeated:
        raise ConfigError(f"{path} has several plans for {repeated[0]}; a page has one")
    return plans
