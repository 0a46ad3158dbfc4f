"""How long corruption takes, against augraphy and against albumentations over the full page.

python bench/corrupt.py CORPUS [--pages 60] [--augraphy PYTHON] [--augraphy-pages 12]

One core. Pages are grey and brought to 2 MP. PYTHON is the interpreter of an environment with
augraphy in it (`pip install augraphy`); without it that row is left out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NO_ALBUMENTATIONS_UPDATE="1")

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import albumentations
import cv2
import numpy as np
from pagemill.corruption import CorruptionConfig, Schedule, corrupt, plan_page
from pagemill.corruption.effect.plan import EffectConfig
from pagemill.corruption.region import RegionConfig
from pagemill.corruption.schedule import OperatorConfig
from pagemill.engine.geometry import scale
from pagemill.engine.page import Page
from pagemill.engine.store.place import Place
from pages import read_pages
from record import Measure, save

PIXELS = 2_000_000
SHARED = {
    "gaussian_blur": albumentations.GaussianBlur(sigma_limit=(0.5, 2.0), p=1),
    "defocus": albumentations.Defocus(radius=(2, 3), p=1),
    "motion_blur": albumentations.MotionBlur(blur_limit=(3, 7), p=1),
    "downsample": albumentations.Downscale(scale_range=(0.5, 0.7), p=1),
    "noise": albumentations.GaussNoise(std_range=(0.1, 0.2), p=1),
    "dropout": albumentations.PixelDropout(dropout_prob=0.1, drop_value=255, p=1),
    "ink_thin": albumentations.Morphological(scale=(2, 2), operation="dilation", p=1),
    "ink_spread": albumentations.Morphological(scale=(2, 2), operation="erosion", p=1),
    "jpeg": albumentations.ImageCompression(quality_range=(20, 60), p=1),
}
"""Operators of ours that albumentations has too."""
AUGRAPHY = """
import json, sys, time
import cv2
from augraphy import default_augraphy_pipeline
pipeline = default_augraphy_pipeline()
pages = [cv2.imread(path) for path in sys.argv[1:]]
try:
    pipeline(pages[0])
except Exception as err:
    print("augraphy:", repr(err), file=sys.stderr)
times, errors = [], 0
for page in pages:
    start = time.perf_counter()
    try:
        pipeline(page)
    except Exception as err:
        print("augraphy:", repr(err), file=sys.stderr)
        errors += 1
        continue
    times.append((time.perf_counter() - start) * 1000)
print(json.dumps([times, errors]))
"""


def main() -> int:
    """Measure, print and record; the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--augraphy", metavar="PYTHON")
    parser.add_argument("--augraphy-pages", type=int, default=12)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    found = itertools.islice(read_pages(Place.at(arguments.corpus)), arguments.pages)
    pages = [resized(*page) for page in found]
    images = [image for image, _ in pages]
    measures = timings(pages)
    if arguments.augraphy:
        times, errors = augraphy(arguments.augraphy, images[: arguments.augraphy_pages])
        measures += [
            Measure("augraphy, default pipeline: mean over pages", "ms", [mean(times)]),
            Measure("augraphy, default pipeline: each page", "ms", times),
            Measure("augraphy, default pipeline: pages it raised on", "pages", [errors]),
            Measure(
                "augraphy over corrupt", "x", [mean(times) / measures[0].values[0]], ">= 800", True
            ),
        ]
    for measure in measures:
        row = measure.row()
        print(f"{row['what']:56s} {row['median']:10.2f} {row['unit']:4s} {row['target']}")
    save(
        "corrupt",
        "Corrupting a page",
        measures,
        notes=f"{len(pages)} grey pages of 2 MP, one core, each the least of several runs "
        "(augraphy: one run a page after one to warm up). augraphy runs in an environment of its "
        "own, on the same pages as colour.",
    )
    return 0


def timings(pages: list[tuple[np.ndarray, Page]]) -> list[Measure]:
    """Ours on every page, by schedule, and albumentations with the same operators."""
    default = Schedule()
    plans = [plan_page(page, seed=1, epoch=0, schedule=default) for _, page in pages]
    counts = [len(plan.regions) for plan in plans]
    images = [image for image, _ in pages]
    ours = best(lambda n: corrupt(images[n], plans[n]), len(pages))
    planned = best(lambda n: plan_page(pages[n][1], seed=1, epoch=0, schedule=default), len(pages))
    full = Schedule(config=CorruptionConfig(region=RegionConfig(share=1.0, exclude=False)))
    crowded = [plan_page(page, seed=1, epoch=0, schedule=full) for _, page in pages]
    ours_full = best(lambda n: corrupt(images[n], crowded[n]), len(pages))
    aged = Schedule(config=CorruptionConfig(effect=EffectConfig(share=1.0)))
    affected = [plan_page(page, seed=1, epoch=0, schedule=aged) for _, page in pages]
    ours_affected = best(lambda n: corrupt(images[n], affected[n]), len(pages))
    same = Schedule(
        config=CorruptionConfig(
            operator=OperatorConfig(light=tuple(SHARED), moderate=tuple(SHARED))
        )
    )
    alike = [plan_page(page, seed=1, epoch=0, schedule=same) for _, page in pages]
    ours_same = best(lambda n: corrupt(images[n], alike[n]), len(pages))
    compose = albumentations.Compose(list(SHARED.values()), seed=1)
    theirs = best(lambda n: compose(image=images[n]), len(pages), repeats=2)
    return [
        Measure("corrupt, default schedule: mean over pages", "ms", [mean(ours)], "<= 4", True),
        Measure("corrupt, default schedule: each page", "ms", ours),
        Measure("plan_page: mean over pages", "ms", [mean(planned)], "<= 1", True),
        Measure("plan_page: each page", "ms", planned),
        Measure("regions on a page", "", counts),
        Measure("corrupt, 40 regions wherever there are so many", "ms", [mean(ours_full)]),
        Measure("corrupt with effects on every page", "ms", [mean(ours_affected)]),
        Measure("albumentations Compose of 9 operators, full page", "ms", [mean(theirs)]),
        Measure("corrupt with these 9 operators", "ms", [mean(ours_same)]),
        Measure("Compose over corrupt", "x", [mean(theirs) / mean(ours_same)], ">= 5", True),
    ]


def resized(image: np.ndarray, page: Page) -> tuple[np.ndarray, Page]:
    """The page at 2 MP."""
    factor = (PIXELS / image.size) ** 0.5
    size = (round(page.width * factor), round(page.height * factor))
    layer = replace(
        page.layer,
        words=tuple(replace(one, box=scale(one.box, factor)) for one in page.layer.words),
        lines=tuple(replace(one, box=scale(one.box, factor)) for one in page.layer.lines),
        blocks=tuple(replace(one, box=scale(one.box, factor)) for one in page.layer.blocks),
        figures=tuple(replace(one, box=scale(one.box, factor)) for one in page.layer.figures),
    )
    page = replace(
        page, width=size[0], height=size[1], layer=layer, x_height=page.x_height * factor
    )
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA)), page


def best(step: Callable[[int], object], count: int, repeats: int = 5) -> list[float]:
    """Least milliseconds of several runs, for each page."""
    times = [float("inf")] * count
    for _ in range(repeats):
        for number in range(count):
            start = time.perf_counter()
            step(number)
            times[number] = min(times[number], (time.perf_counter() - start) * 1000)
    return times


def augraphy(python: str, images: list[np.ndarray]) -> tuple[list[float], int]:
    """Milliseconds of augraphy's default pipeline for each page, and how many pages it raised on.

    Its effects are drawn from global generators, so both differ from run to run.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, image in enumerate(images):
            path = Path(folder) / f"{number}.png"
            cv2.imwrite(str(path), image)
            paths.append(str(path))
        done = subprocess.run(
            [python, "-c", AUGRAPHY, *paths], capture_output=True, text=True, check=True, cwd=folder
        )
    print(done.stderr, end="", file=sys.stderr)
    times, errors = json.loads(done.stdout.splitlines()[-1])
    return times, errors


def mean(values: list[float]) -> float:
    return float(np.mean(values))


if __name__ == "__main__":
    sys.exit(main())
