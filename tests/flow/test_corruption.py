"""A corrupted page is the same wherever it lies, whoever draws it, in whatever order."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from pagemill.command import main
from pagemill.engine.image import decode
from pagemill.engine.store.place import Place
from pagemill.engine.store.shard import read_shard, write_shard
from support.corrupted import Parts, digest


def parts_of(path: Path) -> list[Parts]:
    with path.open("rb") as stream:
        return [(s.key, s.parts["png"], s.parts["json"]) for s in read_shard(stream, path.name)]


@pytest.fixture
def pages(corpus: Place) -> list[Parts]:
    root = corpus.local_path("shards")
    assert root is not None
    return [parts for path in sorted(root.glob("*.tar")) for parts in parts_of(path)]


def test_digests_are_the_same_in_any_order_and_changed(pages):
    forward = dict(map(digest, pages))
    assert dict(map(digest, reversed(pages))) == forward
    clean = {key: hashlib.sha256(decode(image).tobytes()).hexdigest() for key, image, _ in pages}
    assert all(forward[key] != clean[key] for key in clean)


def test_digests_are_the_same_after_sharding_anew(pages, tmp_path):
    forward = dict(map(digest, pages))
    for size in (1, 3, 5):
        again: dict[str, str] = {}
        shuffled = sorted(pages, key=lambda parts: parts[0][::-1])
        for start in range(0, len(shuffled), size):
            path = tmp_path / f"{size}-{start}.tar"
            write_shard(
                path,
                [(k, [("png", i), ("json", t)]) for k, i, t in shuffled[start : start + size]],
            )
            again |= dict(map(digest, parts_of(path)))
        assert again == forward


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_digests_are_the_same_for_any_number_of_workers(pages, workers):
    forward = dict(map(digest, pages))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        assert dict(pool.map(digest, pages)) == forward


def test_webdataset_hands_out_what_is_corrupted(pages, corpus):
    webdataset = pytest.importorskip("webdataset")
    root = corpus.local_path("shards")
    shards = [str(path) for path in sorted(root.glob("*.tar"))]
    digests = {
        sample["__key__"]: digest((sample["__key__"], sample["png"], sample["json"]))[1]
        for sample in webdataset.WebDataset(shards, shardshuffle=False)
    }
    assert digests == dict(map(digest, pages))


def test_preview_is_written_and_checked(corpus, tmp_path, capsys):
    out = tmp_path / "preview.html"
    arguments = ["preview", corpus.uri, "--out", str(out), "--set", "region.min_length=2"]
    assert main.main(arguments) == 0
    assert f"preview: {out}" in capsys.readouterr().out
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--key", "nothing"], "explain"),
        (["--level", "heavier"], "heavy"),
        (["--operator", "blurr"], "gaussian_blur"),
        (["--set", "region.mots=3"], "region.most"),
        (["--set", "severity=none.json"], "none.json"),
    ],
)
def test_wrong_words_are_answered_with_right_ones(corpus, tmp_path, capsys, words, message):
    arguments = ["preview", corpus.uri, "--out", str(tmp_path / "preview.html"), *words]
    assert main.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_config_prints_what_it_reads(capsys, tmp_path):
    assert main.main(["config", "corruption", "--set", "mixture.heavy=0.5"]) == 0
    answer = capsys.readouterr().out
    path = tmp_path / "corruption.toml"
    path.write_text(answer, encoding="utf-8")
    assert main.main(["config", "corruption", "--config", str(path)]) == 0
    assert capsys.readouterr().out == answer
    assert "heavy = 0.5" in answer


def test_without_albumentations_the_message_says_what_to_install(tmp_path):
    (tmp_path / "albumentations.py").write_text("raise ImportError('gone')\n", encoding="utf-8")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from pagemill.command.main import main\n"
        "sys.exit(main(['config', 'corruption']))\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 2
    assert "pip install 'pagemill[train]'" in answer.stderr
