"""How well and how fast the text layer is judged, on a labelled set and on real pages.

    python bench/verdict.py [TRUSTED_DIR...] [--lying DIR...] [--hidden DIR...] [--backend mupdf]

The labelled set is made by `tests/support/lying.py`: its two halves share no passage, font or
random number; limits were set on `dev`. PDFs in TRUSTED_DIR should be trusted page by page, in the
other folders no page should. Times are of `judge` alone, one thread, one page at a time, each
the least of three.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pagemill.engine.errors import PdfError
from pagemill.engine.page import TextLayer, Verdict
from pagemill.engine.read.backend.registry import open_document
from pagemill.engine.verdict.decision import judge
from record import ROOT, Measure, save

sys.path.insert(0, str(ROOT / "tests"))

MOST_PAGES = 30
"""of one document."""


@dataclass(frozen=True, slots=True)
class Judged:
    name: str
    kind: str
    trusted: bool
    """What the page is labelled."""
    verdict: Verdict
    ms: float

    @property
    def believed(self) -> bool:
        return self.verdict.name == "trusted"


def pages(path: Path, backend: str, dpi: float) -> Iterator[tuple[np.ndarray, TextLayer, str]]:
    document = open_document(backend, path)
    try:
        for index in range(min(document.page_count, MOST_PAGES)):
            try:
                image = document.render(index, dpi=dpi, colour="auto")
                layer = document.text(index, dpi=dpi)
            except PdfError as err:
                print(f"left out: {err}", file=sys.stderr)
                continue
            yield image, layer, document.producer
    finally:
        document.close()


def timed(image: np.ndarray, layer: TextLayer, producer: str) -> tuple[Verdict, float]:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        verdict = judge(image, layer, producer=producer)
        times.append(time.perf_counter() - start)
    return verdict, min(times) * 1000


def made(split: str, backend: str, dpi: float) -> Iterator[Judged]:
    from support.lying import samples

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.pdf"
        for sample in samples(split):
            path.write_bytes(sample.pdf)
            for image, layer, _ in pages(path, backend, dpi):
                verdict, ms = timed(image, layer, sample.producer)
                yield Judged(sample.name, sample.kind, sample.trusted, verdict, ms)


def real(folder: Path, kind: str, trusted: bool, backend: str, dpi: float) -> Iterator[Judged]:
    for path in sorted(folder.rglob("*.pdf")):
        try:
            for index, (image, layer, producer) in enumerate(pages(path, backend, dpi)):
                verdict, ms = timed(image, layer, producer)
                yield Judged(f"{path.stem}:{index}", kind, trusted, verdict, ms)
        except PdfError as err:
            print(f"left out: {err}", file=sys.stderr)


def show(title: str, judged: list[Judged]) -> tuple[float, float]:
    """Prints the table of a set; precision and recall of `trusted`."""
    print(f"\n{title}: {len(judged)} pages")
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for page in judged:
        kinds[("honest: " if page.trusted else "lying:  ") + page.kind][page.verdict.name] += 1
    for kind, counts in sorted(kinds.items()):
        print(f"  {kind:34}", "  ".join(f"{name} {n}" for name, n in counts.most_common()))
    believed = [page for page in judged if page.believed]
    honest = [page for page in judged if page.trusted]
    right = sum(page.trusted for page in believed)
    precision, recall = right / max(1, len(believed)), right / max(1, len(honest))
    print(f"  trusted: precision {precision:.3f}, recall {recall:.3f}")
    for page in judged:
        if page.believed != page.trusted:
            print(f"    wrong: {page.name} is {page.verdict.name} {page.verdict.score:.2f}")
    return precision, recall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trusted", nargs="*", type=Path)
    parser.add_argument("--lying", nargs="*", type=Path, default=[])
    parser.add_argument("--hidden", nargs="*", type=Path, default=[])
    parser.add_argument("--backend", default="mupdf")
    parser.add_argument("--dpi", type=float, default=144.0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    measures = []
    for split in ("dev", "held_out"):
        judged = list(made(split, options.backend, options.dpi))
        precision, recall = show(f"labelled, {split}", judged)
        name = f"{len(judged)} made pages, {split}"
        measures.append(Measure(f"precision of trusted, {name}", "", [precision], ">= 0.97"))
        measures.append(Measure(f"recall of trusted, {name}", "", [recall], ">= 0.90"))
    groups = ((options.trusted, True), (options.lying, False), (options.hidden, False))
    judged = [
        page
        for folders, trusted in groups
        for folder in folders
        for page in real(folder, folder.name, trusted, options.backend, options.dpi)
        if trusted or page.verdict.name != "none"
    ]
    if judged:
        precision, recall = show("real documents", judged)
        name = f"{len(judged)} pages of real documents"
        measures.append(Measure(f"precision of trusted, {name}", "", [precision], ">= 0.97"))
        measures.append(Measure(f"recall of trusted, {name}", "", [recall], ">= 0.90"))
        times = [page.ms for page in judged if page.trusted]
        if times:
            print(f"\njudge: {np.mean(times):.2f} ms a page on average, on honest real pages")
            measures.append(Measure("judging a page", "ms", times, "<= 5 on average"))
    name = "verdict" if options.backend == "mupdf" else f"verdict-{options.backend}"
    notes = (
        f"Backend {options.backend}, {options.dpi:g} dpi. Real pages labelled by the folder they "
        "came in; pages without words are left out of the lying ones."
    )
    print(f"\n{save(name, 'The verdict on text layers', measures, notes=notes)}")


if __name__ == "__main__":
    main()
