"""A typeset corpus is one like any other: complete, accounted for, the same bytes on any run."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pagemill.command.main import main
from pagemill.engine.config import load
from pagemill.engine.errors import ConfigError, PagemillError
from pagemill.engine.store.corpus import CorpusInfo
from pagemill.engine.store.ledger import read_rows, summarize, to_rows
from pagemill.engine.store.place import Place
from pagemill.engine.typeset.compose import compose_page
from pagemill.engine.typeset.config import TypesetConfig
from pagemill.engine.verify.corpus import verify
from pagemill.pipelines.typeset.request import TypesetRequest
from pagemill.pipelines.typeset.typeset import typeset_corpus

SLOW_KINDS = ("prose", "table", "form", "receipt", "invoice", "letter", "slide")
FAST = ["kind.line=0.8", "shard_pages=40", *(f"kind.{kind}=0" for kind in SLOW_KINDS)]


def request_of(folder: Path, **changes) -> TypesetRequest:
    config = load(TypesetConfig, None, FAST)
    return TypesetRequest(data=folder, **{"pages": 100, "held_out": 30, "config": config} | changes)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "corpus"
    typeset_corpus(request_of(folder), str(out), workers=1)
    return out


def test_the_corpus_is_complete_and_every_page_accounted_for(whole):
    place = Place.at(str(whole))
    info = CorpusInfo.load(place)
    assert info.status == "complete"
    assert {name: len(shards) for name, shards in info.splits.items()} == {"train": 3, "val": 1}
    assert verify(place) == []
    summary = summarize(read_rows(place))
    assert summary.pages == {"found": 130, "written": 130, "rejected": 0, "failed": 0}
    assert summary.documents["found"] == 130
    assert not (whole / ".work").exists()


def test_any_number_of_workers_gives_the_same_bytes(folder, whole, tmp_path):
    typeset_corpus(request_of(folder), str(tmp_path / "corpus"), workers=2)
    assert digests(tmp_path / "corpus") == digests(whole)


def test_a_stopped_run_goes_on_with_the_shards_it_has(folder, whole, tmp_path):
    out = tmp_path / "corpus"

    def stop(done: int, total: int) -> None:
        if done >= 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        typeset_corpus(request_of(folder), str(out), workers=1, progress=stop)
    assert CorpusInfo.load(Place.at(str(out))).status == "building"
    first = out / "shards" / "train-000000.tar"
    stamp = first.stat().st_mtime_ns
    progress: list[int] = []
    typeset_corpus(
        request_of(folder), str(out), workers=1, progress=lambda done, _: progress.append(done)
    )
    assert progress[0] == 100, "80 pages of two shards were there, and 20 more"
    assert first.stat().st_mtime_ns == stamp
    assert digests(out) == digests(whole)


def test_another_request_is_refused_and_the_same_one_does_nothing(folder, whole):
    before = digests(whole)
    progress: list[int] = []
    typeset_corpus(request_of(folder), str(whole), progress=lambda done, _: progress.append(done))
    assert progress == []
    for other in ({"seed": 1}, {"pages": 120}, {"config": TypesetConfig()}):
        with pytest.raises(ConfigError, match="another corpus"):
            typeset_corpus(request_of(folder, **other), str(whole))
    assert digests(whole) == before


def test_a_run_that_an_older_typesetter_began_is_refused_with_what_to_do(folder, whole, tmp_path):
    place = Place.at(str(tmp_path / "corpus"))
    info = CorpusInfo.load(Place.at(str(whole)))
    older = {name: v for name, v in info.versions.items() if name not in ("typesetter", "babel")}
    replace(info, status="building", versions=older).save(place)
    with pytest.raises(ConfigError, match=r"begun by 'typeset 1'.*delete this one"):
        typeset_corpus(request_of(folder), place.uri)
    replace(info, versions=older).save(place)
    assert typeset_corpus(request_of(folder), place.uri).versions == older, "it is whole"


def test_a_page_that_fails_is_one_row_and_all_others_are_written(folder, tmp_path, monkeypatch):
    plant(monkeypatch, {7, 41})
    info = typeset_corpus(request_of(folder, held_out=0), str(tmp_path / "corpus"), workers=1)
    place = Place.at(str(tmp_path / "corpus"))
    assert info.totals["pages"] == {"found": 100, "written": 98, "rejected": 0, "failed": 2}
    assert info.totals["reasons"] == {"internal_error": 2}
    assert verify(place) == []
    rows = [row for row in to_rows(read_rows(place)) if row.status == "failed"]
    assert [row.name for row in rows] == ["train-00000007", "train-00000041"]
    assert all("planted in page" in row.message and "compose" in row.message for row in rows)


def test_a_shard_of_failures_alone_is_a_corpus_that_verifies(folder, tmp_path, monkeypatch):
    plant(monkeypatch, set(range(40, 50)))
    config = load(TypesetConfig, None, [*FAST, "shard_pages=10"])
    request = request_of(folder, held_out=0, pages=60, config=config)
    info = typeset_corpus(request, str(tmp_path / "corpus"), workers=1)
    assert info.totals["pages"]["written"] == 50
    assert verify(Place.at(str(tmp_path / "corpus"))) == []


def test_page_after_page_that_fails_stops_the_run(folder, tmp_path, monkeypatch):
    plant(monkeypatch, set(range(30, 100)))
    with pytest.raises(PagemillError, match=r"(?s)16 pages in a row.*planted in page 45"):
        typeset_corpus(request_of(folder), str(tmp_path / "corpus"), workers=1)


def test_want_of_memory_is_not_the_fault_of_a_page(folder, tmp_path, monkeypatch):
    plant(monkeypatch, {3}, MemoryError)
    with pytest.raises(MemoryError):
        typeset_corpus(request_of(folder), str(tmp_path / "corpus"), workers=1)


def plant(monkeypatch, numbers: set[int], kind: type[Exception] = ValueError) -> None:
    """Let the pages of these numbers fail."""

    def compose(typesetter, number):
        if number in numbers:
            raise kind(f"planted in page {number}")
        return compose_page(typesetter, number)

    monkeypatch.setattr("pagemill.pipelines.typeset.worker.compose_page", compose)


def test_a_folder_with_other_files_is_left_alone(folder, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="thesis"):
        typeset_corpus(request_of(folder), str(tmp_path))


def test_the_command_says_what_it_wrote_and_what_is_wrong(folder, tmp_path, capsys):
    command = ["typeset", str(folder), "--out", str(tmp_path / "c"), "--pages", "30"]
    command += ["--workers", "1", *(word for setting in FAST for word in ("--set", setting))]
    assert main(command) == 0
    assert "train: 30 pages in 1 shards" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "c")]) == 0
    assert main(["stats", str(tmp_path / "c")]) == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["typeset", str(empty), "--out", str(tmp_path / "d"), "--pages", "3"]) == 2
    assert "make_small_data" in capsys.readouterr().err
    assert main(["typeset", str(folder), "--out", str(tmp_path / "d"), "--pages", "0"]) == 2


def test_neither_ray_nor_a_pdf_engine_is_needed():
    blocked = ("ray", "pymupdf", "fitz", "torch", "transformers", "pdf2image", "py3langid")
    code = (
        f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"
        "import pagemill.pipelines.typeset.typeset, pagemill.command.main\n"
        "from pagemill.command.terminal.meter import Meter\n"
        "Meter('typeset', sys.stderr, unit='pages')(1, 2)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("package", ["babel", "fontTools"])
def test_a_package_that_is_missing_is_named_with_its_extra(folder, tmp_path, package):
    code = (
        f"import sys\nsys.modules[{package!r}] = None\n"
        "from pagemill.command.main import main\n"
        f"sys.exit(main(['typeset', {str(folder)!r}, '--out', {str(tmp_path / 'c')!r}, "
        "'--pages', '1']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "pip install 'pagemill[train]'" in done.stderr
    assert "Traceback" not in done.stderr
