"""Building a corpus against the script people write and against the bound of the machine.

    python bench/build.py DIR [--pages 2000]

(a) pdf2image → webdataset.ShardWriter, one process, images only.
(b) MuPDF render + words + PNG, one spawned process a core: no safety, no checks, no shards. Once
    with MuPDF's own PNG writer and once with OpenCV's, which is the fastest at hand.
(c) `pagemill build` with everything switched on, every page kept, so that all are encoded.

The documents of DIR are repeated, each copy with its own last bytes, until there are enough pages.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from memory import Memory
from record import Measure, save

ALL_VERDICTS = '["trusted", "garbled", "misaligned", "hidden", "partial", "none"]'


def copies(folder: Path, wanted_pages: int, into: Path) -> tuple[list[Path], int]:
    """Copies of the folder's PDFs with at least so many pages, and how many they have."""
    import pymupdf

    sources = []
    for path in sorted(folder.rglob("*.pdf")):
        with pymupdf.open(path) as document:
            if not document.needs_pass and document.page_count:
                sources.append((path, document.page_count))
    if not sources:
        sys.exit(f"there is no readable PDF in {folder}")
    paths: list[Path] = []
    pages = turn = 0
    while pages < wanted_pages:
        for path, count in sources:
            copy = into / f"{turn:03d}-{path.name}"
            copy.write_bytes(path.read_bytes() + f"\n%copy {turn}\n".encode())
            paths.append(copy)
            pages += count
        turn += 1
    return paths, pages


def write_script(paths: list[Path], out: Path) -> int:
    """What people write: pdf2image into a ShardWriter."""
    import webdataset
    from pdf2image import convert_from_path

    pages = 0
    with webdataset.ShardWriter(str(out / "%06d.tar"), maxsize=256e6, verbose=0) as sink:
        for path in paths:
            for index, image in enumerate(convert_from_path(path, dpi=144, grayscale=True)):
                sink.write({"__key__": f"{path.stem.replace('.', '_')}_{index}", "png": image})
                pages += 1
    return pages


def bare(arguments: tuple[str, str]) -> int:
    """Render, words and PNG of one document, and nothing else."""
    sys.modules.setdefault("pymupdf.layout", None)
    import cv2
    import numpy as np
    import pymupdf

    cv2.setNumThreads(1)
    path, encoder = arguments
    with pymupdf.open(path) as document:
        for page in document:
            pixmap = page.get_pixmap(dpi=144, colorspace=pymupdf.csGRAY, alpha=False)
            page.get_text("words")
            if encoder == "mupdf":
                pixmap.tobytes("png")
            else:
                grey = np.frombuffer(pixmap.samples_mv, np.uint8)
                cv2.imencode(".png", grey.reshape(pixmap.height, pixmap.width))
        pages = document.page_count
    pymupdf.TOOLS.store_shrink(100)
    return pages


def bound(paths: list[Path], encoder: str, cores: int) -> tuple[int, float]:
    """Pages and seconds of `bare` on all cores, without the start of the processes."""
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        list(pool.map(bare, [(str(path), encoder) for path in paths[:cores]]))
        start = time.perf_counter()
        pages = sum(pool.map(bare, [(str(path), encoder) for path in paths]))
        return pages, time.perf_counter() - start


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--pages", type=int, default=2000)
    chosen = arguments.parse_args()
    cores = len(os.sched_getaffinity(0))
    work = Path(tempfile.mkdtemp(prefix="bench-build-"))
    try:
        run(chosen.folder, chosen.pages, cores, work)
    finally:
        shutil.rmtree(work)


def run(folder: Path, wanted: int, cores: int, work: Path) -> None:
    (work / "dump").mkdir()
    (work / "script").mkdir()
    paths, pages = copies(folder, wanted, work / "dump")
    print(f"{len(paths)} documents, {pages} pages, {cores} cores")

    own_pages, own_s, run_s, memory = build(work, cores)
    rate, steady = own_pages / own_s, own_pages / run_s
    print(
        f"(c) pagemill build     {rate:7.1f} pages/s  ({own_s:.1f} s, Ray's start and end included)"
    )
    print(f"(c) without Ray's start{steady:7.1f} pages/s  ({run_s:.1f} s, first job to last shard)")
    bounds = {}
    for encoder in ("mupdf", "opencv"):
        count, seconds = bound(paths, encoder, cores)
        bounds[encoder] = count / seconds
        print(f"(b) bound, PNG {encoder:7s} {bounds[encoder]:7.1f} pages/s")
    start = time.perf_counter()
    count = write_script(paths, work / "script")
    script = count / (time.perf_counter() - start)
    print(f"(a) pdf2image script   {script:7.1f} pages/s")
    print(
        f"(c)/(a) {rate / script:.2f}   (c)/(b) {rate / bounds['mupdf']:.2f} with MuPDF's PNG, "
        f"{rate / bounds['opencv']:.2f} with OpenCV's"
    )
    save(
        "build",
        "Building a corpus",
        [*speeds(rate, steady, script, bounds), *memories(memory)],
        notes=f"{pages} pages of {len(paths)} documents (copies with their own last bytes), "
        f"144 dpi, {cores} workers. (c) includes Ray's start (about 4 s), verdicts, language, "
        "shards, index, ledger, report; every page is kept. (b) leaves out the start of its "
        "processes.",
    )


def speeds(rate: float, steady: float, script: float, bounds: dict[str, float]) -> list[Measure]:
    """Pages a second, and their ratios to the script and to the bounds."""
    return [
        Measure("pagemill build, everything on", "pages/s", [rate], headline=True),
        Measure("pagemill build, without Ray's start and end", "pages/s", [steady]),
        Measure("(a) pdf2image to ShardWriter", "pages/s", [script]),
        Measure("(b) bound, MuPDF's PNG", "pages/s", [bounds["mupdf"]]),
        Measure("(b) bound, OpenCV's PNG", "pages/s", [bounds["opencv"]]),
        Measure("pagemill over (a)", "x", [rate / script], ">= 5", headline=True),
        Measure(
            "pagemill over (b), MuPDF's PNG", "x", [rate / bounds["mupdf"]], ">= 0.7",
            headline=True,
        ),
        Measure(
            "pagemill without Ray's start over (b), MuPDF's PNG", "x", [steady / bounds["mupdf"]],
            ">= 0.7", headline=True,
        ),
        Measure("pagemill over (b), OpenCV's PNG", "x", [rate / bounds["opencv"]], ">= 0.7"),
    ]  # fmt: skip


def memories(memory: Memory) -> list[Measure]:
    """Peaks of the reader process and of the Ray worker beside it."""
    half = len(memory.readers) // 2
    peak = max(memory.readers)
    growth = peak / max(max(memory.readers[:half]), 1)
    worker = max(memory.workers)
    print(
        f"memory: reader {peak:.0f} MB, Ray worker {worker:.0f} MB, peak second half over first "
        f"half {growth:.2f}"
    )
    return [
        Measure("peak memory, reader process", "MB", [peak], "<= 600", headline=True),
        Measure("peak memory, Ray worker beside it", "MB", [worker], "<= 600"),
        Measure("peak memory, second half over first", "x", [growth]),
    ]


def build(work: Path, cores: int) -> tuple[int, float, float, Memory]:
    """Pages found, seconds in all, seconds of the run itself, and memory of `pagemill build`."""
    command = [
        sys.executable,
        "-m",
        "pagemill",
        "build",
        str(work / "dump"),
        "--out",
        str(work / "corpus"),
        "--workers",
        str(cores),
        "--set",
        f"filter.verdicts={ALL_VERDICTS}",
        "--set",
        "filter.min_ink=0",
    ]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    memory = Memory(process.pid)
    memory.start()
    if process.wait():
        sys.exit("pagemill build failed")
    seconds = time.perf_counter() - start
    from pagemill.engine.store.corpus import CorpusInfo
    from pagemill.engine.store.ledger import read_rows, summarize
    from pagemill.engine.store.place import Place

    place = Place.at(str(work / "corpus"))
    run_s = CorpusInfo.load(place).totals["run"]["wall_s"]
    return summarize(read_rows(place)).pages["found"], seconds, run_s, memory


if __name__ == "__main__":
    main()
