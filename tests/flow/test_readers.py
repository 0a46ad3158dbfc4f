"""Shards load unmodified and equal in webdataset, Hugging Face datasets and Ray Data."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from pagemill.engine.image import decode
from pagemill.engine.store.place import Place
from pagemill.engine.store.shard import read_shard
from PIL import Image

Samples = list[tuple[str, bytes, bytes]]


@pytest.fixture
def shards(corpus: Place) -> list[str]:
    """The two train shards, in order."""
    return [str(corpus.local_path(f"shards/train-{n:06d}.tar")) for n in range(2)]


@pytest.fixture
def expected(samples: dict[str, Any]) -> Samples:
    """(key, image, JSON) as they were given to the writer."""
    return [
        (key, parts[0][1], parts[1][1])
        for name in ("train-000000", "train-000001")
        for key, parts in samples[name]
    ]


@pytest.fixture
def pixels(expected: Samples) -> list[np.ndarray]:
    """The pages as our own decoder sees them."""
    return [decode(image) for _, image, _ in expected]


def test_the_images_are_4_bit_grey_pngs(expected: Samples, pixels: list[np.ndarray]) -> None:
    for (_, image, _), array in zip(expected, pixels, strict=True):
        assert image[24] == 4, "bit depth, byte 24 of a PNG"
        assert image[25] == 0, "colour type grey"
        assert array.ndim == 2
        assert len(np.unique(array)) > 2
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(image)).convert("L")), array)


def test_our_own_reader(shards: list[str], expected: Samples) -> None:
    def read() -> Iterator[tuple[str, bytes, bytes]]:
        for path in shards:
            with Path(path).open("rb") as stream:
                for sample in read_shard(stream, Path(path).stem):
                    yield sample.key, sample.parts["png"], sample.parts["json"]

    assert list(read()) == expected


def test_webdataset(shards: list[str], expected: Samples, pixels: list[np.ndarray]) -> None:
    webdataset = pytest.importorskip("webdataset", reason="needs pagemill[train]")
    raw = list(webdataset.WebDataset(shards, shardshuffle=False))
    assert [(item["__key__"], item["png"], item["json"]) for item in raw] == expected

    decoded = list(webdataset.WebDataset(shards, shardshuffle=False).decode("l8"))
    for item, (_, _, text), array in zip(decoded, expected, pixels, strict=True):
        assert item["json"] == orjson.loads(text)
        assert np.array_equal(item["png"], array)


def test_hugging_face_datasets(
    shards: list[str],
    expected: Samples,
    pixels: list[np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="needs pagemill[train]")
    rows = datasets.load_dataset(
        "webdataset", data_files={"train": shards}, split="train", cache_dir=str(tmp_path / "hf")
    )
    assert [row["__key__"] for row in rows] == [key for key, _, _ in expected]
    for row, (_, _, text), array in zip(rows, expected, pixels, strict=True):
        assert row["json"] == orjson.loads(text)
        assert np.array_equal(np.asarray(row["png"].convert("L")), array)
    raw = rows.cast_column("png", datasets.Image(decode=False))
    assert [row["png"]["bytes"] for row in raw] == [image for _, image, _ in expected]

    streamed = datasets.load_dataset(
        "webdataset", data_files={"train": shards}, split="train", streaming=True
    )
    assert [row["__key__"] for row in streamed] == [key for key, _, _ in expected]


@pytest.mark.slow
@pytest.mark.ray
def test_ray_data(shards: list[str], expected: Samples, pixels: list[np.ndarray]) -> None:
    ray = pytest.importorskip("ray")
    started = not ray.is_initialized()
    if started:
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        raw = ray.data.read_webdataset(shards, decoder=None).take_all()
        decoded = ray.data.read_webdataset(shards).take_all()
    finally:
        if started:
            ray.shutdown()
    assert [(item["__key__"], item["png"], item["json"]) for item in raw] == expected
    for item, (key, _, text), array in zip(decoded, expected, pixels, strict=True):
        assert item["__key__"] == key
        assert np.array_equal(np.asarray(item["png"]), array)
        assert item["json"]["text"] == orjson.loads(text)["text"]


def test_a_plain_tar_program(shards: list[str], expected: Samples, tmp_path: Path) -> None:
    with tarfile.open(shards[0]) as tar:
        tar.extractall(tmp_path, filter="data")
    for key, image, text in expected[:6]:
        assert (tmp_path / f"{key}.png").read_bytes() == image
        assert (tmp_path / f"{key}.json").read_bytes() == text
        assert (tmp_path / f"{key}.png").stat().st_mode & 0o777 == 0o644
