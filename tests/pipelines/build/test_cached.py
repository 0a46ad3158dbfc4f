"""A corpus of a folder of documents is built once, and anew where a file has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pagemill.pipelines.build import cached
from pagemill.pipelines.build.cached import cached_corpus


def test_the_same_files_have_one_corpus_and_a_changed_one_has_another(tmp_path, monkeypatch):
    built: list[tuple[list[str], str]] = []

    def noted(inputs: list[str], out: str, *_: Any, **__: Any) -> None:
        built.append((inputs, out))

    monkeypatch.setattr(cached, "build", noted)
    monkeypatch.setenv("PAGEMILL_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "dump"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "a.pdf").write_bytes(b"%PDF-1.4")
    first = cached_corpus(folder)
    assert cached_corpus(folder) == first
    assert Path(first).is_relative_to(tmp_path / "cache")
    (folder / "b.pdf").write_bytes(b"%PDF-1.7")
    assert cached_corpus(folder) != first
    assert [inputs for inputs, _ in built] == [[str(folder)]] * 3
