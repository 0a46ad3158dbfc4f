"""How fast pages are made of texts and fonts: each kind alone, drawn and encoded, on one core.

python bench/typeset.py out/small-data [--seconds 4]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import cv2
from pagemill.engine.image import encode
from pagemill.engine.typeset.compose import KINDS, Typesetter, compose_page
from pagemill.engine.typeset.config import KindConfig, TypesetConfig
from pagemill.engine.typeset.material import load_material
from record import Measure, save


def main() -> None:
    """Measure, print, write bench/results/typeset.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="as tools/make_small_data.py makes it")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each kind; 4")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    material = load_material(arguments.data)
    measures = []
    for kind in KINDS:
        kinds = KindConfig(**{name: float(name == kind) for name in KINDS})
        typesetter = Typesetter(TypesetConfig(kind=kinds), material, 0)
        durations = timed(typesetter, arguments.seconds)
        measures.append(Measure(f"{kind}", "pages/s", [1 / seconds for seconds in durations]))
        print(f"{kind:8} {len(durations) / sum(durations):8.1f} pages/s, {len(durations)} pages")
    save(
        "typeset",
        "Typesetting pages",
        measures,
        notes="One core; a page drawn with its ground truth and encoded as PNG. The median page; "
        "p10 and p90 are the slow and the fast ones.",
    )


def timed(typesetter: Typesetter, seconds: float) -> list[float]:
    """Seconds of each page, for about so long in all; the first pages warm up fonts."""
    durations: list[float] = []
    number, until = 0, time.perf_counter() + 1.5 * seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        page = compose_page(typesetter, number)
        encode(page.image, typesetter.config.image)
        durations.append(time.perf_counter() - began)
        number += 1
    kept = durations[len(durations) // 3 :]
    assert statistics.median(kept) > 0
    return kept


if __name__ == "__main__":
    main()
