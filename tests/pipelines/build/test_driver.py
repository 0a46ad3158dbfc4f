"""Whatever goes wrong with one document is its row in the ledger, and the run goes on."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from pagemill.engine.errors import ConfigError, PagemillError, ShardError
from pagemill.engine.read.guard import GuardedReader
from pagemill.engine.record import PageFacts
from pagemill.engine.store.index import IndexRow
from pagemill.engine.store.ledger import LedgerRow, read_rows, summarize, to_rows
from pagemill.engine.store.parcel import ParcelWriter
from pagemill.engine.store.place import Place
from pagemill.engine.verify.corpus import verify
from pagemill.pipelines.build import draft, driver, thumbs, worker
from pagemill.pipelines.build.job import DocumentTask
from pagemill.pipelines.build.tally import Tally
from pagemill.pipelines.build.workspace import Workspace
from pagemill.pipelines.failure import FAILURES_IN_A_ROW

from ...support.inline_pool import inline_build
from ...support.papers import paper

SETTINGS = ("shard.bytes=100000", "shard.window=1", "render.dpi=60", "render.second_backend=false")
BAD = "bad.pdf"
PAGES = 7
"""Of the document into which the fault is planted: one of them is blank."""
Patch = pytest.MonkeyPatch


@dataclass
class Built:
    """A corpus, and what its ledger says."""

    place: Place
    rows: list[LedgerRow]

    @property
    def samples(self) -> dict[str, bytes]:
        """Members of all shards by name."""
        members: dict[str, bytes] = {}
        for name in self.place.list("shards"):
            with tarfile.open(self.place.local_path(f"shards/{name}")) as tar:
                for member in tar:
                    stream = tar.extractfile(member)
                    assert stream is not None
                    members[member.name] = stream.read()
        return members

    def of(self, name: str) -> list[LedgerRow]:
        """The rows of a document and its pages."""
        return [row for row in self.rows if row.name == name]


def execute(dump: Path, out: Path) -> None:
    inline_build(dump, out, SETTINGS)


def build(dump: Path, out: Path) -> Built:
    execute(dump, out)
    place = Place.at(str(out))
    return Built(place, list(to_rows(read_rows(place))))


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six documents; the bad one has a blank page, the others none."""
    folder = tmp_path_factory.mktemp("dump")
    for number in range(5):
        paper(folder / f"good{number}.pdf", 1 + number)
    path = paper(folder / "text.pdf", PAGES - 1)
    document = pymupdf.open(path)
    document.new_page(width=360, height=480)
    document.save(folder / BAD)
    path.unlink()
    return folder


@pytest.fixture(scope="module")
def innocent(dump: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The samples of the dump without the bad document."""
    folder = tmp_path_factory.mktemp("innocent")
    shutil.copytree(dump, folder / "dump", ignore=lambda *_: [BAD])
    return build(folder / "dump", folder / "out").samples


@pytest.fixture(scope="module")
def bad_sha256(dump: Path) -> str:
    return hashlib.sha256((dump / BAD).read_bytes()).hexdigest()


def raising(monkeypatch: Patch, owner: Any, name: str, is_bad: Callable[..., bool]) -> None:
    """Let a function raise where its arguments are of the bad document."""
    real = getattr(owner, name)

    def faulty(*args: Any, **options: Any) -> Any:
        if is_bad(*args, **options):
            raise RuntimeError(f"planted in {name}")
        return real(*args, **options)

    monkeypatch.setattr(owner, name, faulty)


def plant(border: str, monkeypatch: Patch, sha256: str) -> None:
    """A fault at one border of the build, for one document."""

    def in_document(_: object, document: Any, *args: object) -> bool:
        return document.doc_sha256 == sha256

    def in_parcel(_: object, rel: str, *args: object) -> bool:
        return sha256 in rel

    at = {
        "fetch": (worker, "fetch", lambda source, **_: source.name == BAD),
        "open": (GuardedReader, "open", in_document),
        "read page": (GuardedReader, "pages", in_document),
        "filter": (worker, "document_reason", lambda page_count, _: page_count == PAGES),
        "facts": (worker, "PageEntry", lambda **entry: entry["reason"] == "blank"),
        "parcel write": (ParcelWriter, "close", lambda _, meta: meta.sha256 == sha256),
        "tally": (Tally, "add", lambda _, source, summary: source.name == BAD),
        "journal": (Workspace, "note", lambda _, entry: entry.sha256 == sha256),
        "parcel read": (driver, "read_meta", in_parcel),
        "ledger row": (driver, "document_rows", lambda task, *_: task.source.name == BAD),
        "shard pages": (driver, "shard_candidates", lambda _, read, __: read.sha256 == sha256),
        "shard read": (worker, "read_blob", in_parcel),
        "shard write": (worker, "source_tail", lambda page, _: page.name == BAD),
        "index row": (draft, "row_from_facts", lambda _, doc_sha256, *__: doc_sha256 == sha256),
        "thumbnail": (thumbs, "size_of", lambda _: True),
    }
    raising(monkeypatch, *at[border])


WHOLE = (
    *("fetch", "open", "read page", "filter", "facts", "parcel write", "tally", "journal"),
    *("parcel read", "ledger row", "shard pages"),
)
"""Borders before any page can be in a shard: the document fails as a whole."""
PAGEWISE = ("shard read", "shard write", "index row")
"""Borders at which pages are written: each page fails by itself."""


def check_innocent(built: Built, innocent: dict[str, bytes]) -> None:
    """All other pages are written with the same bytes, and every page is accounted for."""
    samples = built.samples
    assert {name: samples.get(name) for name in innocent} == innocent
    others = Counter((row.kind, row.status) for row in built.rows if row.name != BAD)
    assert others == {("document", "written"): 5, ("page", "written"): 15}
    summary = summarize(built.rows)
    pages, documents = summary.pages, summary.documents
    units = pages["written"] + pages["rejected"] + pages["failed"]
    assert units == pages["found"] + documents["failed"]
    assert verify(built.place) == []


@pytest.mark.parametrize("border", WHOLE)
def test_an_error_about_a_document_is_its_row(
    border: str, monkeypatch: Patch, dump: Path, innocent: dict[str, bytes], bad_sha256: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    plant(border, monkeypatch, bad_sha256)
    built = build(dump, tmp_path / "out")
    (row,) = built.of(BAD)
    assert (row.kind, row.status, row.reason) == ("document", "failed", "internal_error")
    assert row.message.startswith("RuntimeError: planted in ")
    assert "pagemill/pipelines/build/" in row.message
    assert "faulty" in row.message
    check_innocent(built, innocent)
    assert built.samples == innocent


@pytest.mark.parametrize("border", PAGEWISE)
def test_an_error_about_a_page_in_a_shard_is_the_row_of_the_page(
    border: str, monkeypatch: Patch, dump: Path, innocent: dict[str, bytes], bad_sha256: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    plant(border, monkeypatch, bad_sha256)
    built = build(dump, tmp_path / "out")
    fates = Counter((row.kind, row.status, row.reason) for row in built.of(BAD))
    assert fates == {
        ("document", "rejected", "internal_error"): 1,
        ("page", "failed", "internal_error"): PAGES - 1,
        ("page", "rejected", "blank"): 1,
    }
    assert all("planted" in row.message for row in built.of(BAD) if row.status == "failed")
    check_innocent(built, innocent)
    assert built.samples == innocent


def test_a_value_that_no_index_column_holds_costs_its_page(
    monkeypatch: Patch, dump: Path, innocent: dict[str, bytes], bad_sha256: str, tmp_path: Path
) -> None:
    real = draft.row_from_facts

    def overflowing(span: Any, doc_sha256: str, page_index: int, facts: PageFacts) -> IndexRow:
        row = real(span, doc_sha256, page_index, facts)
        return replace(row, chars=2**40) if (doc_sha256, page_index) == (bad_sha256, 2) else row

    monkeypatch.setattr(draft, "row_from_facts", overflowing)
    built = build(dump, tmp_path / "out")
    (failed,) = (row for row in built.rows if row.status == "failed")
    assert (failed.name, failed.page_index, failed.reason) == (BAD, 2, "internal_error")
    assert len(built.samples) == len(innocent) + 2 * (PAGES - 2)
    check_innocent(built, innocent)


def test_a_page_without_a_picture_keeps_its_fate(
    monkeypatch: Patch, dump: Path, innocent: dict[str, bytes], bad_sha256: str, tmp_path: Path
) -> None:
    plant("thumbnail", monkeypatch, bad_sha256)
    built = build(dump, tmp_path / "out")
    (blank,) = (row for row in built.of(BAD) if row.reason == "blank")
    assert blank.status == "rejected"
    assert blank.warnings == "no thumbnail: RuntimeError: planted in size_of"
    assert not (tmp_path / "out/thumbs").exists()
    check_innocent(built, innocent)


def test_a_row_that_no_column_can_hold_keeps_its_fate(
    monkeypatch: Patch, dump: Path, innocent: dict[str, bytes], bad_sha256: str, tmp_path: Path
) -> None:
    real = driver.document_rows

    def overflowing(task: DocumentTask, meta: Any, config_hash: str) -> Any:
        rows = real(task, meta, config_hash)
        if task.source.name == BAD:
            for index, row in rows.kept.items():
                object.__setattr__(rows.kept[index], "words", 2**70)
                assert row.words == 2**70
        return rows

    monkeypatch.setattr(driver, "document_rows", overflowing)
    built = build(dump, tmp_path / "out")
    written = [row for row in built.of(BAD) if row.status == "written" and row.kind == "page"]
    assert len(written) == PAGES - 1
    assert all(row.message.startswith("OverflowError") and row.shard for row in written)
    check_innocent(built, innocent)


def test_a_shard_of_which_no_page_can_be_written_is_an_empty_one(
    monkeypatch: Patch, dump: Path, bad_sha256: str, tmp_path: Path
) -> None:
    (tmp_path / "dump").mkdir()
    shutil.copy(dump / BAD, tmp_path / "dump")
    plant("index row", monkeypatch, bad_sha256)
    built = build(tmp_path / "dump", tmp_path / "out")
    assert built.samples == {}
    assert verify(built.place) == []


@pytest.mark.parametrize(
    "error",
    [MemoryError(), ImportError("no module"), OSError(errno.ENOSPC, "no space left on device"),
     ConnectionResetError("gone"), ConfigError("not so")],
)  # fmt: skip
@pytest.mark.parametrize("border", ["fetch", "shard read", "ledger row"])
def test_an_error_of_the_machine_is_no_documents_fault(
    border: str, error: Exception, monkeypatch: Patch, dump: Path, tmp_path: Path
) -> None:
    """It stops the run; the same command goes on where it stood."""

    def fail(*args: object, **options: object) -> None:
        raise error

    owner, name = {"fetch": (worker, "fetch"), "shard read": (worker, "read_blob"),
                   "ledger row": (driver, "document_rows")}[border]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        with pytest.raises(type(error)):
            execute(dump, tmp_path / "out")
    assert not any(row.reason == "internal_error" for row in build(dump, tmp_path / "out").rows)


@pytest.mark.parametrize("border", ["open", "ledger row", "shard read"])
def test_documents_that_fail_one_after_another_stop_the_run(
    border: str, monkeypatch: Patch, tmp_path: Path
) -> None:
    for number in range(FAILURES_IN_A_ROW + 5):
        paper(tmp_path / f"dump/{number}.pdf", 1)
    owner, name = {"open": (GuardedReader, "open"), "ledger row": (driver, "document_rows"),
                   "shard read": (worker, "read_blob")}[border]  # fmt: skip
    with monkeypatch.context() as patch:

        def fail(*_: Any) -> Any:
            raise RuntimeError("the same for all")

        patch.setattr(owner, name, fail)
        with pytest.raises(PagemillError, match="10 documents in a row") as caught:
            execute(tmp_path / "dump", tmp_path / "out")
    assert "The first was " in str(caught.value)
    assert "the same for all" in str(caught.value)
    built = build(tmp_path / "dump", tmp_path / "out")
    failed = [row for row in built.rows if row.status == "failed"]
    assert len(failed) < FAILURES_IN_A_ROW, "those of shards that were finished before it stopped"
    assert len(built.rows) == 2 * (FAILURES_IN_A_ROW + 5)


def test_a_damaged_parcel_is_read_again(monkeypatch: Patch, dump: Path, tmp_path: Path) -> None:
    """An interrupted build leaves one behind, or one of another version."""
    with monkeypatch.context() as patch:
        patch.setattr(driver, "write_rows", interrupted)
        with pytest.raises(KeyboardInterrupt):
            execute(dump, tmp_path / "out")
    parcel = min((tmp_path / "out/.work/parcels").iterdir())
    parcel.write_bytes(parcel.read_bytes()[:-10])
    with pytest.raises(ShardError):
        driver.read_meta(Place.at(str(tmp_path / "out")), f".work/parcels/{parcel.name}")
    built = build(dump, tmp_path / "out")
    assert Counter(row.status for row in built.rows) == {"written": 27, "rejected": 1}
    assert verify(built.place) == []


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt
