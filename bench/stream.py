"""The stream: pages a second of one core, what each step of a page costs, fill, order, overhead.

python bench/stream.py CORPUS [CORPUS …] [--pages 150] [--litdata PYTHON]

`--litdata` names the Python of an environment with litdata, opencv-python-headless and orjson.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import orjson
import torch
import webdataset
from pagemill.corruption import corrupt, plan_page
from pagemill.engine.image import decode
from pagemill.engine.page import page_from_dict
from pagemill.model import PagemillImageProcessor, PagemillProcessor
from pagemill.model.vocabulary import shipped
from pagemill.train.stream.collate import collate
from pagemill.train.stream.config import StreamConfig
from pagemill.train.stream.corpus import HEADER_BYTES
from pagemill.train.stream.dataset import PackDataset
from pagemill.train.stream.order import Order, SourceSize
from pagemill.train.stream.pack import fill, pack
from pagemill.train.stream.packing import PackConfig, PackPlanner, StreamCursor, packs_of_rank
from pagemill.train.stream.sample import SampleBuilder
from pagemill.train.stream.stream import PageStream
from record import Measure, save
from transformers import AutoTokenizer

MILLION = 1_000_000
SHARD_SAMPLES = 2000


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpora", nargs="+")
    parser.add_argument("--pages", type=int, default=150)
    parser.add_argument("--litdata", metavar="PYTHON")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    processor = PagemillProcessor(
        PagemillImageProcessor(), AutoTokenizer.from_pretrained(shipped())
    )
    weights = dict.fromkeys(arguments.corpora, 1.0)
    stream = PageStream(weights, processor, seed=0)
    rows = [*speed(stream, arguments.pages), *overhead(stream, arguments.pages)]
    rows += loading(stream, arguments.pages, arguments.litdata)
    rows += [*packing(weights, processor), *planning(stream), *spread(stream), *resume()]
    for row in rows:
        print(f"{row.what:78} {np.median(row.values):12.4g} {row.unit}")
    save(
        "stream",
        "The stream",
        rows,
        notes=f"{len(arguments.corpora)} corpora, {sum(map(len, stream.sources))} pages of real "
        "documents at 144 dpi, one core, pixels as bytes. Steps are timed by wrapping them. "
        "The bare iteration is webdataset's own over the same tars, with the same decoding, "
        "corruption, slicing and collating for each page.",
    )


def speed(stream: PageStream, pages: int) -> list[Measure]:
    """Pages a second through everything, for all pages and for grey ones, and what steps cost."""
    dataset = PackDataset(stream.sources, stream.builder, stream.config)
    asks = [planned for task in tasks(stream) for pack_ in task for planned in pack_][: 3 * pages]
    grey = [one for one in asks if is_grey(stream, one)][:pages]
    rows = []
    for what, chosen, target in (
        ("grey pages", grey, ">= 25"),
        ("pages as they come", asks[:pages], ""),
    ):
        with timed() as cost:
            start = time.perf_counter()
            made = [dataset.build(planned, []) for planned in chosen]
            for at in range(0, len(made), 8):
                collate([made[at : at + 8]], stream.config.pack.budget_tokens * 4, 0, ())
            whole = time.perf_counter() - start
        slices = np.mean([len(one.tgt_sizes) for one in made])
        rows.append(
            Measure(
                f"{what}, {slices:.1f} slices on average", "pages/s/core", [len(made) / whole],
                target, headline=bool(target),
            )
        )  # fmt: skip
        for step, seconds in cost.items():
            rows.append(Measure(f"{what}: {step}", "ms a page", [1e3 * seconds / len(made)]))
        share = 100 * (cost["plan"] + cost["corrupt"]) / whole
        goal = "<= 30" if target else ""
        rows.append(Measure(f"{what}: share of corruption", "%", [share], goal))
    return rows


def is_grey(stream: PageStream, planned: object) -> bool:
    """Whether a page is stored as one channel and cut into nine slices."""
    sample = planned.sample
    source = stream.sources[sample.source]
    nine = stream.sample_lengths[sample.source].slices[sample.row] >= 9
    return bool(nine) and source.image(sample.row).ndim == 2


def tasks(stream: PageStream) -> Iterator[list[list[object]]]:
    """What is asked, step by step, until the corpus was gone through."""
    cursor, left = StreamCursor(), sum(map(len, stream.sources))
    while left > 0:
        packs, cursor = stream.pack_planner.take(cursor)
        left -= sum(map(len, packs))
        yield [[stream.planned(sample) for sample in one] for one in packs]


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Seconds spent in the steps of a page."""
    import pagemill.train.stream.corpus as source_module
    import pagemill.train.stream.sample as sample_module

    cost = dict.fromkeys(("read and decode", "plan", "corrupt", "slice and cut"), 0.0)

    def wrapped(step: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            start = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                cost[step] += time.perf_counter() - start

        return call

    source, images = source_module.PageSource, PagemillImageProcessor
    kept = (source.image, source.page, images.patches)
    source.image = wrapped("read and decode", source.image)
    source.page = wrapped("read and decode", source.page)
    images.patches = wrapped("slice and cut", images.patches)
    sample_module.plan_page = wrapped("plan", plan_page)
    sample_module.corrupt = wrapped("corrupt", corrupt)
    try:
        yield cost
    finally:
        source.image, source.page, images.patches = kept
        sample_module.plan_page, sample_module.corrupt = plan_page, corrupt


def overhead(stream: PageStream, pages: int) -> list[Measure]:
    """The stream against webdataset's iteration with the same work for each page, in turns."""
    ratios = []
    for _ in range(3):
        bare = plain_webdataset(stream, pages)
        ours = streamed(stream, pages)
        ratios.append(100 * (ours / bare - 1))
    return [Measure("stream over a bare webdataset iteration, time", "%", ratios, "<= 10")]


def plain_webdataset(stream: PageStream, pages: int) -> float:
    """Seconds a page: tars read through by webdataset."""
    builder: SampleBuilder = stream.builder
    tars = [source.place.local_path(tar) for source in stream.sources for tar in source.tars]
    made, known = [], {str(key) for source in stream.sources for key in source.keys}
    start = time.perf_counter()
    for sample in webdataset.WebDataset([str(tar) for tar in tars], shardshuffle=False):
        if sample["__key__"] not in known:
            continue
        page = page_from_dict(orjson.loads(sample["json"]))
        made.append(
            builder.build(
                page, decode(sample["png"]), read=len(made) % 2 == 0, phrase=0, room=400, epoch=0,
                position=0,
            )
        )  # fmt: skip
        if len(made) % 8 == 0:
            collate([made[-8:]], 4 * 8192, 0, ())
        if len(made) == pages:
            break
    return (time.perf_counter() - start) / len(made)


def streamed(stream: PageStream, pages: int) -> float:
    """Seconds a page: the same pages, through the stream's own reads, in the same order."""
    builder: SampleBuilder = stream.builder
    made = []
    start = time.perf_counter()
    for source in stream.sources:
        for row in np.lexsort((source.columns["image_offset"], source.shards)):
            made.append(
                builder.build(
                    source.page(row), source.image(row), read=len(made) % 2 == 0, phrase=0,
                    room=400, epoch=0, position=0,
                )
            )  # fmt: skip
            if len(made) % 8 == 0:
                collate([made[-8:]], 4 * 8192, 0, ())
            if len(made) == pages:
                return (time.perf_counter() - start) / len(made)
    return (time.perf_counter() - start) / len(made)


def loading(stream: PageStream, pages: int, python: str | None) -> list[Measure]:
    """Reading and decoding alone, the same pages by each loader, in one process."""
    where = [(source, row) for source in stream.sources for row in range(len(source))][:pages]
    shuffled = [where[n] for n in np.random.default_rng(0).permutation(len(where))]
    found: dict[str, list[float]] = {}
    for name, order in (("in order", where), ("shuffled", shuffled)):
        rates = []
        for _ in range(3):
            start = time.perf_counter()
            for source, row in order:
                decoded(source.part(row, "image"), source.part(row, "json"))
            rates.append(len(order) / (time.perf_counter() - start))
        found[f"this stream, {name}, checksums on"] = rates
    found["webdataset, in order"] = [by_webdataset(stream, pages) for _ in range(3)]
    if python:
        found |= by_litdata(where, python)
    rows = [Measure(f"reading and decoding: {name}", "pages/s", found[name]) for name in found]
    ours = np.median(found["this stream, shuffled, checksums on"])
    for name, rates in list(found.items())[2:]:
        rows.append(Measure(f"this stream, shuffled, over {name}", "x", [ours / np.median(rates)]))
    return rows


def decoded(image: bytes, text: bytes) -> None:
    """What every loader does with a page."""
    cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_UNCHANGED)
    orjson.loads(text)


def by_webdataset(stream: PageStream, pages: int) -> float:
    """Pages a second through webdataset."""
    tars = [source.place.local_path(tar) for source in stream.sources for tar in source.tars]
    known = {str(key) for source in stream.sources for key in source.keys}
    start, count = time.perf_counter(), 0
    for sample in webdataset.WebDataset([str(tar) for tar in tars], shardshuffle=False):
        if sample["__key__"] in known:
            decoded(sample["png"], sample["json"])
            count += 1
        if count == pages:
            break
    return count / (time.perf_counter() - start)


def by_litdata(where: list[tuple[object, int]], python: str) -> dict[str, list[float]]:
    """Pages a second through LitData, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        for number, (source, row) in enumerate(where):
            Path(folder, f"{number:06d}.png").write_bytes(source.part(row, "image"))
            Path(folder, f"{number:06d}.json").write_bytes(source.part(row, "json"))
        out = Path(folder, "rates.json")
        script = Path(__file__).with_name("stream_litdata.py")
        subprocess.run([python, script, folder, out], check=True, stdout=subprocess.DEVNULL)
        rates = json.loads(out.read_text())
    return {f"LitData, {name}": values for name, values in rates.items()}


def packing(weights: dict[str, float], processor: PagemillProcessor) -> list[Measure]:
    """Fill on real lengths, and how evenly ranks are loaded."""
    rows = []
    for budget, least in ((4096, 0.95), (8192, 0.97)):
        config = StreamConfig(pack=PackConfig(budget_tokens=budget, budget_slices=budget // 60))
        stream = PageStream(weights, processor, seed=0, config=config)
        window = stream.pack_planner.order.window(0)
        tokens, slices = stream.lengths(window)
        packs = pack(tokens, slices, budget_tokens=budget, budget_slices=config.pack.budget_slices)
        filled = 100 * fill(packs, tokens, budget)
        rows.append(
            Measure(f"planned fill of packs of {budget}", "%", [filled], f">= {100 * least:g}")
        )
        cursor, ratios, real = StreamCursor(), [], []
        for _ in range(40):
            taken, cursor = stream.pack_planner.take(cursor)
            loads = [
                sum(
                    stream.planned(one).tokens
                    for row in packs_of_rank(taken, rank, 8)
                    for one in row
                )
                for rank in range(8)
            ]
            ratios.append(max(loads) / np.mean(loads))
            real.append(100 * sum(loads) / (24 * budget))
        rows.append(
            Measure(f"busiest of 8 ranks over the mean, packs of {budget}", "x", ratios, "<= 1.02")
        )
        dataset = PackDataset(stream.sources, stream.builder, stream.config)
        first, cursor = stream.pack_planner.take(StreamCursor())
        second, _ = stream.pack_planner.take(cursor)
        asks = [stream.planned(one) for row in [*first, *second] for one in row]
        used = [  # a whole page takes exactly what was planned
            planned.tokens if planned.read else len(dataset.build(planned, []).input_ids)
            for planned in asks
        ]
        share = 100 * sum(used) / (len([*first, *second]) * budget)
        rows.append(Measure(f"real fill of packs of {budget}", "%", [share], f">= {100 * least:g}"))
    return rows


def planning(stream: PageStream) -> list[Measure]:
    """Samples planned a second: order, lengths, packs."""
    rates = []
    for number in range(3, 8):
        start = time.perf_counter()
        window = stream.pack_planner.order.window(number)
        tokens, slices = stream.lengths(window)
        config = stream.config.pack
        pack(tokens, slices, budget_tokens=config.budget_tokens, budget_slices=config.budget_slices)
        rates.append(len(window.row) / (time.perf_counter() - start))
    return [Measure("planning", "samples/s", rates, ">= 200000", headline=True)]


def spread(stream: PageStream) -> list[Measure]:
    """Pairs of pages of one document in a global batch, over those of a full shuffle."""
    documents = np.concatenate([source.documents for source in stream.sources])
    starts = np.cumsum([0, *(len(source) for source in stream.sources)])
    cursor, ours, batch_sizes = StreamCursor(), [], []
    for _ in range(60):
        taken, cursor = stream.pack_planner.take(cursor)
        rows = [starts[one.source] + one.row for row in taken for one in row]
        ours.append(pairs(documents[rows]))
        batch_sizes.append(len(rows))
    rng = np.random.default_rng(0)
    weights = np.concatenate(
        [np.full(len(source), 1 / len(source)) for source in stream.sources]
    ) / len(stream.sources)
    full = [
        pairs(documents[rng.choice(len(documents), size, replace=False, p=weights)])
        for size in batch_sizes
        for _ in range(5)
    ]
    ratio = np.mean(ours) / np.mean(full)
    read = sum(
        int((source.columns["image_bytes"] + source.columns["json_bytes"]).sum())
        + 2 * HEADER_BYTES * len(source)
        for source in stream.sources
    )
    held = sum(sum(source.shard_bytes) for source in stream.sources)
    return [
        Measure("bytes read in an epoch over bytes of the shards", "x", [read / held], "<= 1.05"),
        Measure("pages of one document in a batch, over a full shuffle", "x", [ratio], "<= 1.5"),
    ]


def pairs(documents: np.ndarray) -> int:
    """Pairs of pages of the same document."""
    return sum(count * (count - 1) // 2 for count in Counter(documents.tolist()).values())


def resume() -> list[Measure]:
    """From nothing to the packs of a step deep in a million pages."""
    seconds = []
    for window in (7, 3_000, 99_999):
        start = time.perf_counter()
        size = SourceSize("many", np.arange(MILLION) // SHARD_SAMPLES)
        order = Order([size], seed=1, window_samples=4096)

        def lengths(found: object) -> tuple[np.ndarray, np.ndarray]:
            return 650 + found.row % 700, np.full(len(found.row), 9)

        PackPlanner(order, lengths, PackConfig()).take(StreamCursor(window=window, pack=100))
        seconds.append(time.perf_counter() - start)
    return [
        Measure("resume in a million pages, to the plan of the first batch", "s", seconds, "<= 5")
    ]


if __name__ == "__main__":
    main()
