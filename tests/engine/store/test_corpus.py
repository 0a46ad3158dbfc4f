"""corpus.json comes back as it was, and what is none is refused with its name."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from pagemill.engine.errors import ConfigError, ShardError
from pagemill.engine.store.corpus import CorpusInfo, Generation, ShardEntry, exists
from pagemill.engine.store.place import Place

INFO = CorpusInfo(
    status="building",
    created="2026-11-20",
    config={"render": {"dpi": 144.0}, "filter": {"languages": ["en"]}},
    config_hash="0123456789abcdef",
    image_ext="png",
    splits={
        "train": (
            ShardEntry(name="train-000000", bytes=5, samples=1, sha256="a" * 64),
            ShardEntry(name="train-000001", bytes=7, samples=2, sha256="b" * 64),
        ),
        "val": (),
    },
    generations=(
        Generation(number=0, inputs=("a.zip", "@list.txt"), documents=9, config_hash="0" * 16),
    ),
    versions={"pagemill": "0.1", "numpy": "2.3"},
    totals={"pages": {"found": 3}},
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    assert not exists(place)
    INFO.save(place)
    assert exists(place)
    assert CorpusInfo.load(place) == INFO
    assert orjson.loads(place.read_bytes("corpus.json"))["schema"] == "pagemill.corpus.1"
    assert [entry.tar for entry in INFO.shards] == [
        "shards/train-000000.tar",
        "shards/train-000001.tar",
    ]


def test_a_folder_without_it_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        CorpusInfo.load(Place.at(str(tmp_path)))
    assert str(caught.value) == f"{tmp_path} is not a corpus: there is no corpus.json in it"


def test_another_schema_is_refused_with_both_names(tmp_path: Path) -> None:
    (tmp_path / "corpus.json").write_text('{"schema": "pagemill.corpus.9"}')
    with pytest.raises(ConfigError, match=r"'pagemill\.corpus\.9'.*'pagemill\.corpus\.1'"):
        CorpusInfo.load(Place.at(str(tmp_path)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": "pagemill.corpus.1"}',
        '{"schema": "pagemill.corpus.1", "splits": [], "generations": []}',
        '{"schema": "pagemill.corpus.1", "splits": {"train": [{"name": 1}]}, "generations": []}',
    ],
)
def test_a_damaged_one_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "corpus.json").write_text(text)
    with pytest.raises(ShardError, match="is damaged"):
        CorpusInfo.load(Place.at(str(tmp_path)))
