"""Two small corpora of drawn pages, and a processor that cuts them into few patches."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
from pagemill.engine.image import ImageConfig, encode
from pagemill.engine.key import page_key
from pagemill.engine.page import (
    Block,
    Line,
    Page,
    TextLayer,
    Verdict,
    VerdictName,
    Word,
    page_from_dict,
)
from pagemill.engine.store.corpus import CorpusInfo, Generation, ShardEntry
from pagemill.engine.store.index import IndexMeta, index_row, write_index
from pagemill.engine.store.place import Place
from pagemill.engine.store.shard import write_shard

WORDS = (
    *("paper", "mill", "water", "fibre", "sheet", "press", "felt", "vat", "mould", "deckle"),
    *("pulp", "rag", "size", "glaze"),
)


def drawn(name: str, page_index: int, rng: random.Random) -> tuple[np.ndarray, Page]:
    """A page of a few drawn lines; its size, number of lines and words vary."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    width, height = rng.choice([(300, 520), (340, 640), (420, 460), (200, 120)])
    image = np.full((height, width), 255, np.uint8)
    words: list[Word] = []
    lines: list[Line] = []
    for number in range(rng.randint(height // 45, height // 30 - 1)):
        first, x, y = len(words), 8.0, 10.0 + 28 * number
        for _ in range(rng.randint(1, width // 90)):
            text = rng.choice(WORDS)
            cv2.putText(image, text, (int(x), int(y) + 16), 0, 0.5, 0, 1)
            words.append(Word(text, (x, y, x + 70.0, y + 22.0), number))
            x += 80.0
        text = " ".join(word.text for word in words[first:])
        lines.append(Line(text, (8.0, y, x, y + 22.0), (first, len(words)), 0))
    layer = TextLayer(
        tuple(words),
        tuple(lines),
        (Block((8.0, 10.0, width - 8.0, height - 8.0), (0, len(lines))),),
    )
    page = Page(
        key=page_key(sha256, page_index), doc_sha256=sha256, page_index=page_index, page_count=9,
        width=width, height=height, dpi=144.0, rotation=0, engine="drawn 1", layer=layer,
        verdict=Verdict(VerdictName.TRUSTED, 0.97, {}), language="en", x_height=8.0,
        image_sha256="",
    )  # fmt: skip
    return image, page


def write_corpus(folder: Path, documents: int, pages: int, shard_pages: int) -> Place:
    """A complete corpus with `documents` times `pages` pages."""
    place = Place.at(str(folder))
    rng = random.Random(documents)
    samples = []
    for number in range(pages):
        for document in range(documents):
            image, page = drawn(f"{folder.name}-{document}", number, rng)
            data = encode(image, ImageConfig())
            columns = page.to_dict()
            columns["image_sha256"] = hashlib.sha256(data).hexdigest()
            columns["source"] = {"uri": "drawn.pdf", "member": "", "licence": ""}
            samples.append((page.key, [("png", data), ("json", orjson.dumps(columns))]))
    entries = []
    for start in range(0, len(samples), shard_pages):
        name, content = f"train-{start // shard_pages:06d}", samples[start : start + shard_pages]
        path = place.scratch_dir() / f"{name}.tar"
        summary = write_shard(path, content)
        place.put(path, f"shards/{name}.tar")
        columns = [orjson.loads(parts[1][1]) for _, parts in content]
        rows = [
            index_row(span, page_from_dict(page))
            for span, page in zip(summary.samples, columns, strict=True)
        ]
        facts = {"shard": name, "sha256": summary.sha256, "bytes": summary.bytes}
        write_index(place, f"index/{name}.parquet", rows, IndexMeta(**facts, samples=len(content)))
        entries.append(
            ShardEntry(name=name, bytes=summary.bytes, samples=len(content), sha256=summary.sha256)
        )
    CorpusInfo(
        status="complete", created="2026-11-24", config={}, config_hash="0" * 16, image_ext="png",
        splits={"train": tuple(entries)},
        generations=(Generation(number=0, inputs=("in",), documents=1, config_hash="0" * 16),),
    ).save(place)  # fmt: skip
    return place


@pytest.fixture(scope="session")
def corpora(tmp_path_factory) -> tuple[str, str]:
    """A corpus of 63 pages in 6 shards, and one of 20 in one."""
    root = tmp_path_factory.mktemp("corpora")
    write_corpus(root / "scans", 7, 9, 11)
    write_corpus(root / "forms", 4, 5, 50)
    return str(root / "scans"), str(root / "forms")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch) -> None:
    """Counts of tokens are not kept in the user's folder."""
    monkeypatch.setenv("PAGEMILL_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def processor():
    """The small processor, as most tests of the stream and of evaluation take it."""
    return small_processor()


def small_processor():
    """The shipped tokenizer; slices of 84 px, so that a sample costs milliseconds."""
    from pagemill.model import PagemillImageProcessor, PagemillProcessor
    from pagemill.model.vocabulary import shipped
    from transformers import AutoTokenizer

    return PagemillProcessor(
        PagemillImageProcessor(scale_resolution=84, max_slice_nums=3),
        AutoTokenizer.from_pretrained(shipped()),
        query_num=8,
    )
