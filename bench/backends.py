"""Pages a second and failures of the two backends, rendering and text apart.

    python bench/backends.py DIR

Every document is read in its own supervised way: a page that fails is counted, a document that
hangs is given up after its deadline.
"""

from __future__ import annotations

import argparse
import multiprocessing
import queue
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from record import Measure, save

DEADLINE_S = 30.0
BACKENDS = ("mupdf", "poppler")


@dataclass
class Tally:
    """What one backend did with all documents."""

    opened: int = 0
    refused: int = 0
    hung: int = 0
    pages: int = 0
    failed: int = 0
    render_ms: list[float] = field(default_factory=list)
    text_ms: list[float] = field(default_factory=list)


def read(backend: str, path: str, answers: multiprocessing.Queue) -> None:
    """Read one document page by page; one answer a page."""
    from pagemill.engine.errors import PdfError
    from pagemill.engine.read.backend.registry import open_document

    try:
        document = open_document(backend, Path(path))
    except PdfError as err:
        answers.put(("refused", err.reason))
        return
    answers.put(("opened", document.page_count))
    for index in range(document.page_count):
        try:
            start = time.perf_counter()
            document.render(index, dpi=144, colour="grey")
            middle = time.perf_counter()
            document.text(index, dpi=144)
            done = time.perf_counter()
        except (PdfError, RuntimeError, SystemError, ValueError) as err:
            answers.put(("failed", str(err)))
            continue
        answers.put(("page", (middle - start) * 1e3, (done - middle) * 1e3))
    answers.put(("end",))


def supervise(backend: str, path: Path, tally: Tally) -> None:
    """Read a document in a process of its own; give it up when it goes silent."""
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    process = spawn.Process(target=read, args=(backend, str(path), answers), daemon=True)
    process.start()
    while True:
        try:
            answer = answers.get(timeout=DEADLINE_S)
        except queue.Empty:
            tally.hung += 1
            process.kill()
            break
        if answer[0] == "opened":
            tally.opened += 1
        elif answer[0] == "refused":
            tally.refused += 1
            break
        elif answer[0] == "failed":
            tally.failed += 1
            tally.pages += 1
        elif answer[0] == "page":
            tally.pages += 1
            tally.render_ms.append(answer[1])
            tally.text_ms.append(answer[2])
        else:
            break
    process.join()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    chosen = arguments.parse_args()
    paths = sorted(chosen.folder.rglob("*.pdf"))
    if not paths:
        sys.exit(f"there is no PDF in {chosen.folder}")
    measures: list[Measure] = []
    tallies = {backend: Tally() for backend in BACKENDS}
    for backend, tally in tallies.items():
        for path in paths:
            supervise(backend, path, tally)
        measures += report(backend, tally)
    ratio = rate(tallies["mupdf"]) / rate(tallies["poppler"])
    print(f"MuPDF over poppler: {ratio:.1f} times the pages a second")
    measures.append(Measure("MuPDF over poppler, render and text", "x", [ratio], headline=True))
    notes = (
        f"{len(paths)} files of {chosen.folder.name}, 144 dpi grey, one core, page by page through "
        "Pagemill's own backend files, so poppler's figure includes starting its programs."
    )
    save(
        f"backends-{chosen.folder.name}",
        f"Backends on {chosen.folder.name} documents",
        measures,
        notes=notes,
    )


def rate(tally: Tally) -> float:
    """Pages a second, rendering and text together."""
    return 1e3 * len(tally.render_ms) / (sum(tally.render_ms) + sum(tally.text_ms))


def report(backend: str, tally: Tally) -> list[Measure]:
    print(
        f"{backend:8s} {rate(tally):7.1f} pages/s; render {sum(tally.render_ms) / tally.pages:.1f} "
        f"ms, text {sum(tally.text_ms) / tally.pages:.1f} ms a page; {tally.opened} opened, "
        f"{tally.refused} refused, {tally.hung} hung; {tally.failed} of {tally.pages} pages failed"
    )
    return [
        Measure(f"{backend}: pages", "pages/s", [rate(tally)]),
        Measure(f"{backend}: render", "ms", tally.render_ms),
        Measure(f"{backend}: text", "ms", tally.text_ms),
        Measure(f"{backend}: documents opened", "documents", [tally.opened]),
        Measure(f"{backend}: documents refused", "documents", [tally.refused]),
        Measure(f"{backend}: documents that hang", "documents", [tally.hung]),
        Measure(f"{backend}: pages found", "pages", [tally.pages]),
        Measure(f"{backend}: pages failed", "pages", [tally.failed]),
    ]


if __name__ == "__main__":
    main()
