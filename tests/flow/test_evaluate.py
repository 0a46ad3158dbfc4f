"""From documents to figures, and from files to text, through the command line."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from pagemill.command import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "documents"
SMALL = ["--set", "regions=3", "--set", "most_new_tokens=12", "--set", "batch=8"]
needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="needs tesseract")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> str:
    """Built by `eval` itself, of a folder of documents."""
    documents = tmp_path_factory.mktemp("documents")
    for name in ("membership-form-en.pdf", "slides-en.pdf"):
        shutil.copy(EXAMPLES / name, documents)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAGEMILL_CACHE", str(tmp_path_factory.mktemp("cache")))
        command = ["eval", "--data", str(documents), "--pages", "2", "--write-plans"]
        assert main.main([*command, str(documents / "plans.jsonl")]) == 0
        (out,) = (Path(os.environ["PAGEMILL_CACHE"]) / "corpora").iterdir()
    return str(out)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The folder of a run with one checkpoint."""
    out = tmp_path_factory.mktemp("runs") / "demo"
    checkpoint = out / "checkpoints" / "step-000010"
    assert main.main(["model", "new", "nano", "--out", str(checkpoint / "model")]) == 0
    (checkpoint / "checkpoint.json").write_text("{}", encoding="utf-8")
    return out


@pytest.mark.slow
@pytest.mark.ray
@needs_tesseract
def test_a_run_is_set_beside_an_engine_on_frozen_plans(corpus, run, tmp_path, capsys):
    plans, figures = tmp_path / "plans.jsonl", tmp_path / "figures.json"
    command = ["eval", "--data", corpus, "--pages", "2", "--write-plans", str(plans)]
    assert main.main(command) == 0
    assert f"2 plans: {plans}" in capsys.readouterr().out
    command = ["eval", str(run), "--ocr", "tesseract", "--data", corpus, "--plans", str(plans)]
    assert main.main([*command, *SMALL, "--json", str(figures)]) == 0
    shown = capsys.readouterr().out
    rows = [line.split("  ")[0] for line in shown.splitlines()]
    for name in ("demo", "demo, blind", "tesseract", "regions, CER"):
        assert name in rows
    first, second = json.loads(figures.read_bytes())
    assert first["summary"]["reader"] == {"name": "demo", "kind": "model"}
    assert second["summary"]["reader"] == {"name": "tesseract", "kind": "ocr"}
    targets = [[one["target"] for one in own["samples"]] for own in (first, second)]
    assert targets[0] == targets[1]
    assert targets[0]


@pytest.mark.slow
@pytest.mark.ray
def test_a_command_that_cannot_be_carried_out_says_why(corpus, run, tmp_path, capsys):
    wrong = {
        "not a corpus: there is no corpus.json": ["--data", "nowhere", str(run)],
        "name a CHECKPOINT, --ocr, --model": ["--data", corpus],
        "name a corpus with --data": [str(run)],
        "the nearest is 'regions'": ["--data", corpus, str(run), "--set", "region=2"],
        "there is no OCR engine 'tess'": ["--data", corpus, "--ocr", "tess"],
        "a file of plans is taken whole": [
            "--data", corpus, str(run), "--plans", "p.jsonl", "--pages", "2",
        ],
    }  # fmt: skip
    for message, words in wrong.items():
        assert main.main(["eval", *words]) == 2, message
        assert message in capsys.readouterr().err
    assert main.main(["eval", str(tmp_path), "--data", corpus]) == 1
    assert "there is no model in" in capsys.readouterr().err


@pytest.mark.ray
def test_a_page_that_a_reader_fails_on_is_named_and_the_others_are_measured(
    corpus, run, tmp_path, capsys, monkeypatch
):
    from pagemill.model.reader import ModelReader

    answer, broken = ModelReader.answer, []

    def fails_on_the_first_page(reader, questions):
        broken.extend([] if broken else [questions[0].picture.pixels.shape])
        if any(question.picture.pixels.shape == broken[0] for question in questions):
            raise RuntimeError("cannot reshape")
        return answer(reader, questions)

    monkeypatch.setattr(ModelReader, "answer", fails_on_the_first_page)
    figures = tmp_path / "figures.json"
    command = ["eval", str(run), "--data", corpus, "--pages", "2", *SMALL, "--json", str(figures)]
    assert main.main(command) == 1
    assert "1 page went wrong" in capsys.readouterr().out
    (tree,) = json.loads(figures.read_bytes())
    assert tree["summary"]["failed"] == 1
    assert tree["summary"]["cases"] > 0
    assert "cannot reshape" in tree["failures"][0]["message"]


def test_pages_are_printed_and_failures_are_named(run, tmp_path, capsys):
    files = ["paper-en.pdf", "loan-encrypted-en.pdf", "minutes-scan-en.tif"]
    paths = [str(EXAMPLES / name) for name in files]
    command = ["read", *paths, "--checkpoint", str(run), "--pages", "1", "--most-tokens", "4"]
    capsys.readouterr()
    assert main.main(command) == 1
    printed = capsys.readouterr()
    assert printed.out.count("\f") == 1
    assert "loan-encrypted-en.pdf: the file needs a password" in printed.err
    assert "cut off after 4 tokens" in printed.err
    assert "pages read: 2; files or pages that could not be read: 1" in printed.err
    assert printed.err.rstrip().endswith("loan-encrypted-en.pdf (encrypted)")
    assert main.main([*command, "--json"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(Path(row["file"]).name, row["page"]) for row in rows] == [
        (files[0], 1), (files[2], 1),
    ]  # fmt: skip
    assert all(row["truncated"] for row in rows)


def test_without_a_model_reading_says_how_to_get_one(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("pagemill.model.folder.SHIPPED", tmp_path / "small")
    assert main.main(["read", str(EXAMPLES / "paper-en.pdf")]) == 2
    message = capsys.readouterr().err
    assert "pagemill train" in message
    assert "--checkpoint" in message
