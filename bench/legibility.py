"""Do the levels mean what they say? OCR engines read the regions of pages that no table has seen.

python bench/legibility.py CORPUS [--pages 60] [--ocr tesseract,rapidocr] [--seed 1]

CORPUS is built from documents that are not those of the severity table. Regions of one line are
cut out and read as they are and as the default schedule corrupts them. A region counts for an
engine where the engine reads it almost without error when clean, with a margin of 3 px and of 2:
Tesseract drops one short line in fifty for a pixel more or less.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pagemill.corruption import CorruptionPlan, Level, Schedule, corrupt, plan_page
from pagemill.corruption.leak import leaks, stands_elsewhere, widths
from pagemill.corruption.ocr import OcrEngine, open_ocr
from pagemill.corruption.operator import OPERATORS
from pagemill.corruption.plan import PlannedRegion
from pagemill.corruption.region import lines_of
from pagemill.engine.page import Page
from pagemill.engine.score.text import LETTERS_ONLY, character_error_rate
from pagemill.engine.store.place import Place
from pagemill.pipelines.calibrate.measure import CalibrationJob, OcrWorker
from pagemill.pipelines.calibrate.sample import calibration_lines
from pagemill.pipelines.calibrate.table import X_HEIGHTS
from pages import read_pages
from record import Measure, save

READABLE = 0.10
MARGIN_PX = 3
EVEN = tuple(step / 10 for step in range(1, 11))
"""Severities at which curves are taken."""
BUCKETS = (0.0, 8.0, 10.0, 13.0, 1e9)


@dataclass(frozen=True)
class Case:
    """A region as one engine read it."""

    region: PlannedRegion
    x_height: float
    clean: float
    corrupted: float
    read: str


def main() -> int:
    """Measure, print and record; the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--lines", type=int, default=20, help="lines an operator and x-height")
    parser.add_argument("--ocr", default="tesseract,rapidocr")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    names = arguments.ocr.split(",")
    place = Place.at(arguments.corpus)
    pages = list(itertools.islice(read_pages(place), arguments.pages))
    schedule = Schedule()
    plans = [plan_page(page, seed=arguments.seed, epoch=0, schedule=schedule) for _, page in pages]
    drawn = [corrupt(image, plan) for (image, _), plan in zip(pages, plans, strict=True)]
    measures: list[Measure] = []
    for name in names:
        engine = open_ocr(name)
        cases = list(read_regions(engine, pages, plans, drawn))
        measures += level_measures(name, cases)
    if arguments.lines:
        measures += curve_measures(place, names, arguments.lines, schedule)
    measures += mask_measures(place, arguments.seed)
    for measure in measures:
        row = measure.row()
        print(f"{row['what']:64s} {row['median']:8.3f} {row['unit']:8s} {row['target']}")
    save(
        "legibility",
        "What is left to read at each level",
        measures,
        notes=f"{len(pages)} pages of {len({p.doc_sha256 for _, p in pages})} documents that the "
        f"severity table was not fitted on, default schedule. Error rates are character edits "
        f"without white space, over regions of one line that the engine reads with at most "
        f"{READABLE:.0%} errors when clean. Curves: {arguments.lines} lines an operator and "
        f"x-height. Masks: all pages of the corpus.",
    )
    return 0


def read_regions(
    engine: OcrEngine,
    pages: list[tuple[np.ndarray, Page]],
    plans: list[CorruptionPlan],
    drawn: list[np.ndarray],
) -> Iterator[Case]:
    """All regions of one line, clean and corrupted."""
    for (image, page), plan, out in zip(pages, plans, drawn, strict=True):
        heights = lines_of(page).x_height
        regions = [
            r for r in plan.regions if "\n" not in r.target and len(LETTERS_ONLY(r.target)) >= 3
        ]
        first, second = (
            engine.read_lines([cut(image, region, margin) for region in regions])
            for margin in (MARGIN_PX, MARGIN_PX - 1)
        )
        corrupted = engine.read_lines([cut(out, region, MARGIN_PX) for region in regions])
        for region, one, two, after in zip(regions, first, second, corrupted, strict=True):
            rates = [rate(text, region) for text in (one, two)]
            if max(rates) <= READABLE:
                height = float(heights[page.layer.words[region.words[0]].line])
                clean = sum(rates) / 2
                yield Case(region, height, clean, rate(after, region), after)


def rate(read: str, region: PlannedRegion) -> float:
    """Error rate as severities are calibrated: without white space, at most 1."""
    return character_error_rate(read, region.target, form=LETTERS_ONLY, at_most=1.0)


def cut(image: np.ndarray, region: PlannedRegion, margin_px: int) -> np.ndarray:
    """The region's box with a margin."""
    x0, y0, x1, y1 = region.box
    top, left = max(0, int(y0) - margin_px), max(0, int(x0) - margin_px)
    return image[top : int(y1) + margin_px + 1, left : int(x1) + margin_px + 1]


def level_measures(engine: str, cases: list[Case]) -> list[Measure]:
    """The promises of each level, as one engine sees them."""
    by: dict[Level, list[Case]] = defaultdict(list)
    for case in cases:
        by[case.region.level].append(case)
    rise = 100 * np.array([case.corrupted - case.clean for case in by[Level.LIGHT]])
    moderate = np.array([case.corrupted for case in by[Level.MODERATE]])
    heavy = np.array([case.corrupted for case in by[Level.HEAVY]])
    recovered = sum(
        bool(words_of(case.region.target) & words_of(case.read)) for case in by[Level.HEAVY]
    )
    inside = (moderate >= 0.25) & (moderate <= 0.75)
    means = bucket_means(by[Level.MODERATE])
    say = f"{engine}: "
    print(f"\n{engine}: {[(str(level), len(by[level])) for level in Level]}")
    report_worst(by)
    return [
        Measure(f"{say}light, rise of the error rate, mean", "points", [rise.mean()], "<= 3"),
        Measure(
            f"{say}light, rise of the error rate, 90th percentile", "points",
            [float(np.quantile(rise, 0.9))], "<= 10",
        ),
        Measure(
            f"{say}moderate, regions with 25 to 75% errors", "%", [100 * inside.mean()], ">= 80",
            headline=True,
        ),
        Measure(f"{say}moderate, error rate, mean", "%", [100 * moderate.mean()]),
        Measure(f"{say}heavy, error rate, mean", "%", [100 * heavy.mean()], ">= 95"),
        Measure(f"{say}heavy, masks under which a word was read", "masks", [recovered], "0"),
        Measure(
            f"{say}moderate, spread over x-heights", "points",
            [100 * (max(means) - min(means))], "<= 10",
        ),
    ]  # fmt: skip


def bucket_means(cases: list[Case]) -> list[float]:
    """Mean error rate by x-height, buckets of at least 20 regions."""
    found = []
    for low, high in itertools.pairwise(BUCKETS):
        rates = [case.corrupted for case in cases if low <= case.x_height < high]
        if len(rates) >= 20:
            found.append(float(np.mean(rates)))
    return found or [0.0]


def report_worst(by: dict[Level, list[Case]]) -> None:
    """By operator, for whoever tunes them."""
    for level in (Level.LIGHT, Level.MODERATE):
        for name in OPERATORS:
            rates = np.array(
                [
                    c.corrupted - (c.clean if level is Level.LIGHT else 0)
                    for c in by[level]
                    if c.region.operator == name
                ]
            )
            if len(rates):
                inside = ((rates >= 0.25) & (rates <= 0.75)).mean()
                print(
                    f"  {level:9s}{name:15s} n {len(rates):3d} mean {rates.mean():.3f} "
                    f"p90 {np.quantile(rates, 0.9):.3f} inside {inside:.2f}"
                )


def words_of(text: str) -> set[str]:
    return {word.casefold() for word in text.split() if len(word) >= 4}


def curve_measures(
    place: Place, engines: list[str], lines: int, schedule: Schedule
) -> list[Measure]:
    """Severity against error rate on lines of these documents."""
    found = calibration_lines(place, X_HEIGHTS, 3 * lines)
    reader = OcrWorker(engines, found, seed=7)
    spearman: list[float] = []
    spread: list[float] = []
    errors: dict[str, list[np.ndarray]] = defaultdict(list)
    for size, height in enumerate(X_HEIGHTS):
        every = tuple(range(len(found[size])))
        job = CalibrationJob("", size, every, (0.0,), trims_px=(0, 1))
        clean = reader.measure(job).errors
        good = np.flatnonzero(clean.max(axis=(0, 1)) <= READABLE)
        if len(good) < 8:
            continue
        for number, name in enumerate(OPERATORS):
            picked = tuple(np.roll(good, -number * lines)[:lines].tolist())
            middle = schedule.severity_lookup.severity(name, Level.MODERATE, height, 0.5)
            job = CalibrationJob(name, size, picked, (*EVEN, middle))
            rates = reader.measure(job).errors
            errors[name].append(rates.mean(axis=2))
        print(f"  curves at {height:g} px done", file=sys.stderr)
    for rates in errors.values():
        grid = np.mean(rates, axis=0)[:, :-1]
        spearman += [rank_correlation(np.array(EVEN), row) for row in grid]
        at_middle = np.stack(rates)[:, :, -1].mean(axis=1)
        spread.append(100 * float(at_middle.max() - at_middle.min()))
    worst = sorted(zip(spread, errors, strict=True))[::-1]
    print("  spread by operator:", ", ".join(f"{name} {value:.0f}" for value, name in worst))
    print("  Spearman:", ", ".join(f"{value:.2f}" for value in spearman))
    return [
        Measure("severity to error rate, Spearman, each operator", "", spearman, ">= 0.95"),
        Measure("severity to error rate, Spearman, worst operator", "", [min(spearman)], ">= 0.95"),
        Measure(
            "error rate at mid moderate, spread over x-heights, each operator", "points", spread,
            "<= 10",
        ),
    ]  # fmt: skip


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rho, ties sharing their mean rank."""

    def ranks(values: np.ndarray) -> np.ndarray:
        order = np.argsort(values, kind="stable")
        place = np.empty(len(values))
        place[order] = np.arange(len(values))
        return np.array([place[values == value].mean() for value in values])

    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def mask_measures(place: Place, seed: int) -> list[Measure]:
    """What masks give away, over the whole corpus."""
    schedule = Schedule()
    plans, found, elsewhere, masks = [], 0, [], 0
    for image, page in read_pages(place):
        plan = plan_page(page, seed=seed, epoch=0, schedule=schedule)
        heavy = sum(region.level is Level.HEAVY for region in plan.regions)
        plans.append(plan)
        masks += heavy
        found += len(leaks(image, page, plan))
        if heavy:
            elsewhere.append(100 * stands_elsewhere(page, plan))
    r2, wide = widths(plans)
    return [
        Measure(f"leaks found by pixels, {masks} masks", "masks", [found], "0"),
        Measure(f"R² of characters on mask width, {wide} line and block masks", "", [r2], "<= 0.2"),
        Measure("masked words that stand elsewhere on the page", "%", elsewhere),
    ]


if __name__ == "__main__":
    sys.exit(main())
