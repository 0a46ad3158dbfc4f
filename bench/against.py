"""Is this version slower than another one? Reading, building, the stream and corruption, in turn.

python bench/against.py CORPUS DOCUMENTS --other CHECKOUT [--rounds 3]

CHECKOUT is the root of another version, from 0.5.0 on. Both read the same corpus and documents; the
versions take turns in processes of their own, and ratios are taken round by round.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from record import Measure, save

ROOT = Path(__file__).resolve().parents[1]
PAGES, STEPS = 60, 1
WHAT = {
    "read": "reading a page, one process",
    "stream": "a page of the stream, one process",
    "plan": "plan_page",
    "corrupt": "corrupt",
    "build": "a build, first job to last shard",
    "command": "a build, the whole command",
}


def main() -> None:
    """Measure both versions, print and record the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("documents", type=Path)
    parser.add_argument("--other", type=Path, help="checkout of another version")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.other is None:
        print(json.dumps(here(arguments.corpus, arguments.documents)))
        return
    rounds = [
        {name: there(root, arguments) for name, root in sides(arguments.other).items()}
        for _ in range(arguments.rounds)
    ]
    measures = []
    for key, what in WHAT.items():
        seconds = [turn["this"][key] for turn in rounds]
        ratios = [turn["this"][key] / turn["other"][key] for turn in rounds]
        measures.append(Measure(f"{what}: over the other version", "x", ratios, "<= 1"))
        measures.append(Measure(what, "ms", [1e3 * value for value in seconds]))
    for measure in measures:
        row = measure.row()
        print(f"{row['what']:60} {row['median']:9.3f} {row['unit']}")
    save("against", "This version against the one before", measures, notes=notes(rounds))


def notes(rounds: list[dict[str, dict[str, float]]]) -> str:
    """How it was measured."""
    return (
        f"{len(rounds)} rounds, the versions in turn. CPU seconds of one process for reading every "
        f"page of the documents, the second time through; for {PAGES} pages in plans and pixels, "
        f"the least of 3 each; for {STEPS} step of the stream. Wall seconds of a build with two "
        "workers."
    )


def sides(other: Path) -> dict[str, Path]:
    """Both checkouts, by the name of their side."""
    return {"this": ROOT, "other": other.resolve()}


def there(root: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """The seconds of a version, measured in processes that import it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pagemill").symlink_to(root)
        environment = {
            **os.environ, "PYTHONPATH": folder, "OMP_NUM_THREADS": "1",
            "PAGEMILL_CACHE": f"{folder}/cache",
        }  # fmt: skip
        words = [sys.executable, __file__, arguments.corpus, str(arguments.documents)]
        done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, check=True)
        seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        out = Path(folder) / "corpus"
        words = [sys.executable, "-m", "pagemill", "build", str(arguments.documents)]
        start = time.perf_counter()
        subprocess.run(
            [*words, "--out", str(out), "--workers", "2"],
            env=environment, capture_output=True, check=True,
        )  # fmt: skip
        seconds["command"] = time.perf_counter() - start
        seconds["build"] = json.loads((out / "corpus.json").read_text())["totals"]["run"]["wall_s"]
        return seconds


def here(corpus: str, documents: Path) -> dict[str, float]:
    """CPU seconds of one process for each step, with the version that is imported."""
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    return {"read": reading(documents), **pages(corpus)}


def reading(documents: Path) -> float:
    """Seconds a page for all PDFs of a folder, gone through twice."""
    from pagemill.engine.read.reader import ReadConfig, open_any, read_page

    config, seconds, count = ReadConfig(), 0.0, 0
    for _ in range(2):
        start, count = time.process_time(), 0
        for path in sorted(documents.rglob("*.pdf")):
            document = open_any(path, "mupdf", ())
            for number in range(document.page_count):
                read_page(document, number, "0" * 64, config)
            count += document.page_count
            document.close()
        seconds = time.process_time() - start
    return seconds / count


def pages(corpus: str) -> dict[str, float]:
    """Seconds a page of the stream, of a plan, and of drawing it."""
    from pagemill.corruption import Schedule, corrupt, plan_page
    from pagemill.model import PagemillImageProcessor, PagemillProcessor
    from pagemill.model.vocabulary import shipped
    from pagemill.train.stream import PageStream
    from transformers import AutoTokenizer

    processor = PagemillProcessor(
        PagemillImageProcessor(), AutoTokenizer.from_pretrained(shipped())
    )
    stream = PageStream(corpus, processor, seed=5)
    batches = stream.batches()
    next(batches)
    start, count = time.process_time(), 0
    for _ in range(STEPS):
        count += sum(map(len, next(batches).keys))
    streamed = (time.process_time() - start) / count
    source = stream.sources[0]
    rows = range(min(PAGES, len(source)))
    read, images = [source.page(row) for row in rows], [source.image(row) for row in rows]
    schedule = Schedule()
    plans = [plan_page(page, seed=1, epoch=0, schedule=schedule) for page in read]
    return {
        "stream": streamed,
        "plan": best(lambda n: plan_page(read[n], seed=1, epoch=0, schedule=schedule), len(rows)),
        "corrupt": best(lambda n: corrupt(images[n], plans[n], key=read[n].key), len(rows)),
    }


def best(call: Callable[[int], object], count: int, repeats: int = 3) -> float:
    """Mean over the pages of the least seconds of several runs."""
    total = 0.0
    for number in range(count):
        runs = []
        for _ in range(repeats):
            start = time.process_time()
            call(number)
            runs.append(time.process_time() - start)
        total += min(runs)
    return total / count


if __name__ == "__main__":
    main()
