"""How well and how fast a trained model reads, beside Tesseract on the same pages.

    python bench/reader.py CORPUS [CORPUS …] [--model FOLDER] [--pages 100]

Corpora are of pages that the model never saw; the split `val` is read where there is one. Every
page is read whole, clean and with all that is corrupted light, moderate and heavy, and its regions
are asked for with the picture and with a white page in its place. Pages/s and memory are those of
`pagemill read` in a process of its own. Tesseract is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from pagemill.command.terminal.meter import Meter
from pagemill.corruption import Schedule
from pagemill.corruption.ocr import open_ocr
from pagemill.engine.errors import PagemillError
from pagemill.model.folder import model_folder, shipped_folder
from pagemill.model.load import load_reader, quiet_transformers
from pagemill.model.question import Reader
from pagemill.train.evaluate import EvalConfig, answer_cases, open_cases, summarize
from pagemill.train.evaluate.case import Case
from pagemill.train.evaluate.ocr import OcrReader
from PIL import Image
from record import Measure, save

TARGETS = {"clean": "<= 3"}
"""Of the share of wrong characters on whole pages, %."""
SPEED_PAGES = 24


def main() -> None:
    """Read, and write bench/results/reader.json."""
    arguments = parsed()
    quiet_transformers()
    torch.set_num_threads(arguments.threads)
    folder = model_folder(arguments.model) if arguments.model else shipped_folder()
    model = load_reader(folder, name="pagemill")
    readers: list[Reader] = [model]
    try:
        readers.append(OcrReader(open_ocr("tesseract")))
    except PagemillError as err:
        print(f"without Tesseract: {err}", file=sys.stderr)
    measures: list[Measure] = []
    for corpus in arguments.corpora:
        config = EvalConfig(
            data=(str(corpus),), pages=arguments.pages, regions=arguments.regions, page_levels=True
        )
        cases = open_cases(config, model.processor, config.data, schedule=Schedule())
        for reader in readers:
            measures += measured(reader, cases, config, corpus.name)
    with tempfile.TemporaryDirectory() as place:
        scan = written(cases[:SPEED_PAGES], Path(place))
        for dtype in ("float32", "bfloat16"):
            measures += speed(folder, scan, arguments.threads, dtype)
    save(
        arguments.name,
        "The small reader",
        measures,
        notes=f"{model.model.num_parameters() / 1e6:.1f} million parameters; up to "
        f"{arguments.pages} pages and {arguments.regions} regions a page of each corpus. CER is "
        "over all characters; p10 to p90 is the 95% interval by bootstrap over documents. "
        "Restored: regions asked for by their boxes, right to the letter, with the picture and "
        "with a white page in its place. Pages/s: `pagemill read --batch 8` of "
        f"{SPEED_PAGES} pages, {arguments.threads} threads, loading apart.",
    )


def parsed() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", metavar="CORPUS", type=Path, nargs="+")
    parser.add_argument("--model", type=Path, help="model, checkpoint or run; else what ships")
    parser.add_argument("--pages", type=int, default=100, help="of each corpus; 100")
    parser.add_argument("--regions", type=int, default=12, help="of a page; 12")
    parser.add_argument("--threads", type=int, default=2, help="of torch; 2")
    parser.add_argument("--name", default="reader", help="of the file of results; reader")
    return parser.parse_args()


def measured(
    reader: Reader, cases: Sequence[Case], config: EvalConfig, corpus: str
) -> list[Measure]:
    """The figures of one reader on one corpus, printed as well."""
    if reader.kind != "model":
        config = replace(config, blind=False)  # an engine sees nothing on a white page
    meter = Meter(f"{reader.name}, {corpus}", sys.stderr, unit="answers")
    try:
        summary = summarize(answer_cases(reader, cases, config, meter), config).to_dict()
    finally:
        meter.close()
    found = []
    for level, figures in summary["pages"].items():
        what = f"CER of pages, {level}, {corpus}, {reader.name}"
        target = TARGETS.get(level, "") if reader.kind == "model" else ""
        found.append(with_interval(what, figures["cer"], target, headline=level == "clean"))
    for level, figures in summary["levels"].items():
        for name, how in (("exact", "with the picture"), ("blind_exact", "on a white page")):
            if name in figures:
                what = f"restored, {level}, {corpus}, {reader.name}, {how}"
                found.append(with_interval(what, figures[name]))
    for one in found:
        low, middle, high = one.values
        print(f"{one.what}: {middle:.1f}% ({low:.1f} to {high:.1f})")
    return found


def with_interval(what: str, figure: dict, target: str = "", *, headline: bool = False) -> Measure:
    """An estimate in %, its interval as the outer two of three values."""
    low, high = (100 * figure[end] for end in ("low", "high"))
    return Measure(what, "%", [low, 100 * figure["value"], high], target, headline)


def written(cases: Sequence[Case], folder: Path) -> Path:
    """The clean pages as a scan: one TIFF, at 144 dpi."""
    first, *rest = [Image.fromarray(case.pixels()).convert("L") for case in cases]
    path = folder / "pages.tif"
    first.save(path, save_all=True, append_images=rest, dpi=(144, 144), compression="tiff_lzw")
    return path


def speed(folder: Path, scan: Path, threads: int, dtype: str) -> list[Measure]:
    """Pages/s and peak memory of `pagemill read`."""
    words = [sys.executable, "-m", "pagemill", "read", "--checkpoint", str(folder), "--json"]
    words += ["--batch", "8", "--dtype", dtype, str(scan)]
    answers = scan.with_suffix(f".{dtype}.jsonl")
    began = time.perf_counter()
    with answers.open("wb") as out:
        reading = subprocess.Popen(words, stdout=out, env=environment(threads))
        _, status, usage = os.wait4(reading.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(words)} ended with {status}")
    whole, peak = time.perf_counter() - began, usage.ru_maxrss / 1024
    lines = answers.read_text(encoding="utf-8").splitlines()
    seconds = [json.loads(line)["seconds"] for line in lines]
    spent, pages = sum(seconds), len(seconds)
    print(f"{dtype}: {pages / spent:.2f} pages/s, {pages / whole:.2f} with loading, {peak:.0f} MB")
    return [
        Measure(f"reading pages, {dtype}", "pages/s", [pages / spent], ">= 1", headline=True),
        Measure(f"peak memory, {dtype}", "MB", [peak]),
    ]


def environment(threads: int) -> dict[str, str]:
    """Of a process with so many threads."""
    return {**os.environ, "OMP_NUM_THREADS": str(threads)}


if __name__ == "__main__":
    main()
