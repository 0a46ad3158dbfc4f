"""The same bytes whatever happens, every page accounted for, nothing mixed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest
import ray
from pagemill.engine.config import load
from pagemill.engine.errors import ConfigError
from pagemill.engine.record import PageFacts
from pagemill.engine.store.corpus import CorpusInfo
from pagemill.engine.store.index import IndexRow
from pagemill.engine.store.ledger import read_rows, summarize, to_rows
from pagemill.engine.store.place import Place
from pagemill.engine.store.shard import SampleSpan
from pagemill.engine.verify.corpus import verify
from pagemill.pipelines.build import draft, driver
from pagemill.pipelines.build.config import BuildConfig
from pagemill.pipelines.build.job import DocumentTask
from pagemill.pipelines.build.ledger_rows import DocumentRows
from pagemill.pipelines.build.retry import retry
from pagemill.pipelines.build.run import BuildResult, Machine, build
from pagemill.pipelines.build.workspace import Workspace

from ..support.inline_pool import inline_build
from ..support.papers import paper, shelf

pytestmark = pytest.mark.ray
SMALL = ("shard.bytes=100000", "render.dpi=72", "shard.window=2", "split.val=0.2")


@pytest.fixture(scope="module", autouse=True)
def ray_here() -> Iterator[None]:
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def run(inputs: list[Path | str], out: Path, workers: int = 2, **options: object) -> BuildResult:
    config = load(BuildConfig, None, [*SMALL, *options.pop("settings", ())])  # type: ignore[misc]
    return build(
        [str(one) for one in inputs],
        str(out),
        config,
        machine=Machine(workers=workers),
        **options,  # type: ignore[arg-type]
    )


def shards(out: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((out / "shards").iterdir())
    }


def identity_holds(out: Path) -> bool:
    summary = summarize(read_rows(Place.at(str(out))))
    pages, documents = summary.pages, summary.documents
    units = pages["written"] + pages["rejected"] + pages["failed"]
    return units == pages["found"] + documents["failed"]


@pytest.mark.slow
def test_same_bytes_for_any_workers_order_and_place(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump")
    files = sorted(dump.rglob("*.pdf"))
    run([dump], tmp_path / "one", workers=1)
    wanted = shards(tmp_path / "one")
    assert len(wanted) >= 4, "several shards in two splits"
    run([dump], tmp_path / "four", workers=4)
    assert shards(tmp_path / "four") == wanted
    copy = shutil.copytree(dump, tmp_path / "elsewhere" / "dump")
    run([copy], tmp_path / "moved")
    assert shards(tmp_path / "moved") == wanted
    run(list(reversed(files)), tmp_path / "named")
    run(files, tmp_path / "named2")
    assert shards(tmp_path / "named") == shards(tmp_path / "named2")


def test_shards_have_the_size_asked_for_and_verify_is_content(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 14)
    run([dump], tmp_path / "out", settings=("split.val=0.0",))
    sizes = [path.stat().st_size for path in sorted((tmp_path / "out/shards").iterdir())]
    assert len(sizes) > 3
    for size in sizes[:-1]:
        assert size == pytest.approx(100_000, rel=0.15)
    assert verify(Place.at(str(tmp_path / "out"))) == []
    assert identity_holds(tmp_path / "out")
    assert not (tmp_path / "out/.work").exists()


def test_samples_carry_their_source(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 2)
    run([dump], tmp_path / "out", settings=("licence=CC0-1.0",))
    (first, *_) = sorted((tmp_path / "out/shards").iterdir())
    with tarfile.open(first) as tar:
        names = tar.getnames()
        page = json.load(tar.extractfile(names[1]))  # type: ignore[arg-type]
    assert names[0] == f"{page['key']}.png"
    assert names[1] == f"{page['key']}.json"
    assert page["source"]["uri"] in {"part0/book0.pdf", "part1/book1.pdf"}
    assert page["source"]["licence"] == "CC0-1.0"


def test_a_corpus_of_keys_that_are_called_otherwise_today_grows_and_is_retried(
    tmp_path: Path,
) -> None:
    dump = shelf(tmp_path / "dump", 2)
    out = tmp_path / "out"
    run([dump], out)
    before = shards(out)
    stored = json.loads((out / "corpus.json").read_text())
    render = stored["config"]["render"]
    render["engine"] = render.pop("backend")
    render["second_engine"] = render.pop("second_backend")
    stored["config_hash"] = "0123456789abcdef"
    (out / "corpus.json").write_text(json.dumps(stored))
    paper(dump / "new.pdf", 1)
    assert run([dump], out).documents == 1
    assert before.items() <= shards(out).items()
    assert retry(str(out), machine=Machine(workers=1)).documents == 0
    assert verify(Place.at(str(out))) == []


def test_names_that_are_not_utf8_are_built_like_others(tmp_path: Path) -> None:
    dump = tmp_path / os.fsdecode(b"caf\xe9")
    paper(dump / os.fsdecode(b"na\xefve.pdf"), 1)
    assert run([dump], tmp_path / "out").documents == 1
    assert verify(Place.at(str(tmp_path / "out"))) == []
    rows = list(to_rows(read_rows(Place.at(str(tmp_path / "out")))))
    assert all(row.engine.startswith("mupdf") for row in rows)
    info = CorpusInfo.load(Place.at(str(tmp_path / "out")))
    assert info.generations[0].inputs == (f"{tmp_path}/caf%E9",)
    assert run([dump], tmp_path / "out").documents == 0


def test_two_builds_of_one_corpus_are_refused(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 1)
    out = tmp_path / "out"
    with (
        Workspace(Place.at(str(out))).locked(),
        pytest.raises(ConfigError, match="another pagemill is at work in"),
    ):
        run([dump], out)


def test_adding_documents_leaves_written_shards_alone(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 6)
    out = tmp_path / "out"
    run([dump], out)
    before = shards(out)
    again = run([dump], out)
    assert again.documents == 0
    assert shards(out) == before
    paper(dump / "new.pdf", 5)
    added = run([dump], out)
    assert added.documents == 1
    after = shards(out)
    assert {name: after[name] for name in before} == before
    assert len(after) > len(before)
    assert verify(Place.at(str(out))) == []
    assert identity_holds(out)
    assert len(CorpusInfo.load(Place.at(str(out))).generations) == 2


def test_a_changed_input_or_configuration_is_refused(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 3)
    out = tmp_path / "out"
    run([dump], out)
    before = shards(out)
    with pytest.raises(ConfigError, match=r"render\.dpi is 72\.0 there and 100\.0 here"):
        run([dump], out, settings=("render.dpi=100",))
    paper(dump / "part0/book0.pdf", 2, seed=9)
    with pytest.raises(ConfigError, match=r"book0\.pdf"):
        run([dump], out)
    assert shards(out) == before
    run([dump], out, rebuild=True)
    assert shards(out) != before
    assert verify(Place.at(str(out))) == []


def test_touching_an_input_changes_nothing(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 2)
    run([dump], tmp_path / "out")
    for path in dump.rglob("*.pdf"):
        path.touch()
    assert run([dump], tmp_path / "out").documents == 0


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 1)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match="not empty and not a corpus"):
        run([dump], tmp_path / "home")
    with pytest.raises(ConfigError, match="not empty and not a corpus"):
        run([dump], tmp_path / "home", rebuild=True)
    assert (tmp_path / "home/letter.txt").exists()


def test_twins_are_written_once_and_both_have_a_row(tmp_path: Path) -> None:
    first = paper(tmp_path / "dump/a.pdf", 3)
    shutil.copy(first, tmp_path / "dump/b.pdf")
    (tmp_path / "dump/c.pdf").write_bytes(b"%PDF-1.4 broken")
    (tmp_path / "dump/d.pdf").write_bytes(b"%PDF-1.4 broken")
    summary = run([tmp_path / "dump"], tmp_path / "out").summary
    assert summary.documents == {"found": 4, "opened": 2, "failed": 2, "duplicates": 1}
    assert summary.pages["written"] == 3
    assert identity_holds(tmp_path / "out")
    assert verify(Place.at(str(tmp_path / "out"))) == []


def test_a_corpus_inside_its_input_folder_is_not_read(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 2)
    run([dump], dump / "corpus")
    assert run([dump], dump / "corpus").documents == 0


def test_rejected_pages_keep_row_reason_and_thumbnail(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page(width=300, height=300)
    document.new_page(width=300, height=300).insert_text((30, 60), "Some words to be kept here")
    document.new_page(width=30, height=30)
    (tmp_path / "dump").mkdir()
    document.save(tmp_path / "dump/a.pdf")
    summary = run([tmp_path / "dump"], tmp_path / "out").summary
    assert summary.pages["found"] == 3
    assert summary.reasons == {"blank": 1, "page_size": 1}
    rows = [row for row in to_rows(read_rows(Place.at(str(tmp_path / "out")))) if row.reason]
    assert {row.status for row in rows} == {"rejected"}
    assert list((tmp_path / "out/thumbs").iterdir())


def test_retry_reads_only_what_failed_and_adds_it(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 2)
    secret = pymupdf.open()
    secret.new_page(width=300, height=300).insert_text((30, 60), "Words behind a lock, kept here")
    secret.save(dump / "s.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="key", owner_pw="o")
    out = tmp_path / "out"
    first = run([dump], out)
    assert first.summary.reasons == {"encrypted": 1}
    before = shards(out)
    with pytest.raises(ConfigError, match="limits only"):
        retry(str(out), overrides=["render.dpi=100"])
    assert retry(str(out), reason="timeout").documents == 0
    again = retry(str(out), passwords=[("*", "key")])
    assert again.documents == 1
    assert again.summary.documents["failed"] == 0
    assert again.summary.pages["written"] == first.summary.pages["written"] + 1
    assert {name: shards(out)[name] for name in before} == before
    assert verify(Place.at(str(out))) == []
    rows = [r for r in to_rows(read_rows(Place.at(str(out)))) if r.uri.endswith("s.pdf")]
    assert Counter((row.kind, row.status) for row in rows) == {
        ("document", "written"): 1,
        ("page", "written"): 1,
    }
    assert next(row.attempts for row in rows if row.kind == "document") == 2


def test_retry_reads_again_what_met_an_error_inside_pagemill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = shelf(tmp_path / "dump", 4)
    out = tmp_path / "out"
    real = driver.document_rows

    def failing(task: DocumentTask, *rest: object) -> DocumentRows:
        if task.source.name.endswith("book3.pdf"):
            raise KeyError("planted")
        return real(task, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(driver, "document_rows", failing)
        inline_build(dump, out, SMALL)
    assert summarize(read_rows(Place.at(str(out)))).reasons == {"internal_error": 1}
    again = retry(str(out), reason="internal_error").summary
    assert again.reasons == {}
    assert again.documents == {"found": 4, "opened": 4, "failed": 0, "duplicates": 0}
    assert verify(Place.at(str(out))) == []
    (row,) = (r for r in to_rows(read_rows(Place.at(str(out)))) if r.key and r.page_index < 0
              and r.uri.endswith("book3.pdf"))  # fmt: skip
    assert (row.status, row.attempts) == ("written", 2)


def test_retry_of_pages_whose_document_is_gone_keeps_the_pages_that_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = paper(tmp_path / "dump/a.pdf", 3)
    real = draft.row_from_facts

    def failing(span: SampleSpan, sha256: str, page_index: int, facts: PageFacts) -> IndexRow:
        if page_index == 1:
            raise KeyError("planted")
        return real(span, sha256, page_index, facts)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(draft, "row_from_facts", failing)
        inline_build(tmp_path / "dump", out, SMALL)
    path.unlink()
    summary = retry(str(out)).summary
    assert summary.reasons == {"missing": 1}
    assert summary.pages == {"found": 3, "written": 2, "rejected": 0, "failed": 1}
    assert verify(Place.at(str(out))) == []
    rows = list(to_rows(read_rows(Place.at(str(out)))))
    assert [row.attempts for row in rows if row.status == "failed"] == [2]


def test_documents_in_archives_keep_their_member_names(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 3)
    shutil.make_archive(str(tmp_path / "dump"), "zip", dump)
    shutil.make_archive(str(tmp_path / "dump"), "gztar", dump)
    for name in ("dump.zip", "dump.tar.gz"):
        out = tmp_path / f"out-{name}"
        summary = run([tmp_path / name], out).summary
        assert summary.documents["opened"] == 3
        rows = list(to_rows(read_rows(Place.at(str(out)))))
        assert {row.member.removeprefix("./") for row in rows} == {
            "part0/book0.pdf",
            "part1/book1.pdf",
            "part2/book2.pdf",
        }
        assert {row.uri for row in rows} == {str(tmp_path / name)}
