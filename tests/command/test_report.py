"""`pagemill report` draws whichever a place is, says which, and refuses the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagemill.command.main import main
from pagemill.engine.store.place import Place
from pagemill.train.log.journal import Journal


def write_log(folder: Path) -> None:
    with Journal(folder / "log.jsonl") as journal:
        journal.write("start", step=0, recipe="small", stage="read", steps=100)


def test_a_corpus_is_drawn(corpus: Place, tmp_path, capsys):
    assert main(["report", corpus.uri]) == 0
    assert capsys.readouterr().out == f"report of the corpus: {corpus.uri}/report.html\n"
    assert b"corpus report" in corpus.read_bytes("report.html")
    out = tmp_path / "elsewhere.html"
    assert main(["report", corpus.uri, "--out", str(out)]) == 0
    assert out.read_bytes() == corpus.read_bytes("report.html")


@pytest.mark.parametrize("stage", ["", "1-align"])
def test_a_run_or_its_stages_are_drawn(tmp_path, capsys, stage):
    write_log(tmp_path / "run" / stage)
    assert main(["report", str(tmp_path / "run")]) == 0
    page = tmp_path / "run" / "report.html"
    assert capsys.readouterr().out == f"report of the run: {page}\n"
    assert "training report" in page.read_text(encoding="utf-8")


def test_what_is_neither_is_refused_with_what_to_do(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "neither a corpus nor a run" in said
    assert "pagemill build --out" in said


def test_a_file_that_cannot_be_written_is_named(corpus: Place, tmp_path, capsys):
    assert main(["report", corpus.uri, "--out", str(tmp_path)]) == 2
    assert f"cannot write {tmp_path}" in capsys.readouterr().err
