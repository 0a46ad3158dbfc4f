"""What kills a reader process costs one page, is noticed in time, and says why."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest
from pagemill.engine.curate.filter import FilterConfig
from pagemill.engine.errors import ConfigError
from pagemill.engine.image import decode
from pagemill.engine.read.guard import GuardedReader, ReaderLimits
from pagemill.engine.read.message import Open, Opened, ReadPage, Refused
from pagemill.engine.read.process import Child, ChildError
from pagemill.engine.read.reader import PageFate, ReadConfig, RenderConfig
from pagemill.engine.reason import Reason
from support.hostile_text import HOSTILE, is_sane

ALL = FilterConfig(
    verdicts=("trusted", "garbled", "misaligned", "hidden", "partial", "none"), min_ink=0
)
CONFIG = ReadConfig(render=RenderConfig(dpi=72), filter=ALL)
LIMITS = ReaderLimits(page_deadline_s=30.0, memory_bytes=700_000_000)
HANG_S = 4.0
"""Deadline of tests in which a page hangs."""
TESTS = str(Path(__file__).parents[2] / "support")


def pdf(path: Path, pages: int) -> Open:
    document = pymupdf.open()
    for number in range(pages):
        page = document.new_page(width=300, height=200)
        page.insert_text((30, 60), f"This is page {number} of a plain document.")
    document.save(path)
    return Open(str(path), hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch):
    def set_rule(rule: dict[int, str]) -> None:
        monkeypatch.setenv("PAGEMILL_FAULT", "faults:inject")
        monkeypatch.setenv("PAGEMILL_FAULT_RULE", json.dumps(rule))
        monkeypatch.setenv("PYTHONPATH", TESTS + os.pathsep + os.environ.get("PYTHONPATH", ""))

    return set_rule


def read_all(document: Open, limits: ReaderLimits = LIMITS) -> list[PageFate]:
    with GuardedReader(CONFIG, limits) as reader:
        opened = reader.open(document)
        assert isinstance(opened, Opened)
        return list(reader.pages(document, opened, range(opened.page_count)))


def test_plain_pages_are_kept_with_image_and_text(tmp_path: Path) -> None:
    fates = read_all(pdf(tmp_path / "a.pdf", 3))
    assert [fate.page_index for fate in fates] == [0, 1, 2]
    for number, fate in enumerate(fates):
        assert fate.kept
        assert fate.attempts == 1
        page = json.loads(fate.json)
        assert f"page {number} of a plain document" in page["text"]
        assert page["image_sha256"] == hashlib.sha256(fate.image).hexdigest()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("segfault", "crash"),
        ("memory", "memory"),
        ("exception", "render_error"),
        ("loop", "timeout"),
    ],
)
def test_poison_costs_one_page(tmp_path: Path, poison, kind: str, reason: str) -> None:
    poison({1: kind})
    document = pdf(tmp_path / "a.pdf", 4)
    limits = replace(LIMITS, page_deadline_s=HANG_S) if kind == "loop" else LIMITS
    fates = read_all(document, limits)
    assert [fate.kept for fate in fates] == [True, False, True, True]
    assert fates[1].failed
    assert fates[1].reason == reason
    assert fates[1].attempts >= 2
    assert "poppler" in fates[1].message, "the second backend was tried"


def test_a_page_that_kills_one_backend_is_read_by_the_other(tmp_path: Path, poison) -> None:
    poison({0: "segfault@mupdf"})
    fates = read_all(pdf(tmp_path / "a.pdf", 2))
    assert all(fate.kept for fate in fates)
    assert fates[0].engine.startswith("poppler")
    assert fates[0].attempts == 3
    assert fates[1].engine.startswith("mupdf")


def test_without_a_second_backend_the_first_one_decides(tmp_path: Path, poison) -> None:
    poison({0: "segfault@mupdf"})
    document = pdf(tmp_path / "a.pdf", 1)
    config = ReadConfig(render=RenderConfig(dpi=72, second_backend=False), filter=ALL)
    with GuardedReader(config, LIMITS) as reader:
        opened = reader.open(document)
        (fate,) = reader.pages(document, opened, [0])
    assert fate.reason == "crash"
    assert "SIGSEGV" in fate.message


def test_a_crash_is_noticed_before_the_deadline_and_a_hang_at_it(tmp_path: Path, poison) -> None:
    poison({0: "segfault", 1: "loop"})
    document = pdf(tmp_path / "a.pdf", 2)
    for page_index, reason, deadline_s in ((0, "crash", 3600.0), (1, "timeout", HANG_S)):
        child = Child("mupdf", CONFIG, LIMITS.memory_bytes)
        assert isinstance(child.ask(document, 60), Opened)
        with pytest.raises(ChildError) as died:
            child.ask(ReadPage(page_index), deadline_s)
        assert died.value.reason == reason


def test_the_document_deadline_fails_what_is_left(tmp_path: Path, poison) -> None:
    poison(dict.fromkeys(range(6), "slow"))
    limits = ReaderLimits(page_deadline_s=5, document_deadline_s=0.5)
    fates = read_all(pdf(tmp_path / "a.pdf", 6), limits)
    assert fates[0].kept
    assert fates[-1].reason == "document_timeout"
    assert len(fates) == 6


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty_file"), (b"hello, I am a letter", "not_a_document"), (b"%PDF-1.7\n", "broken")],
)
def test_what_is_no_pdf_is_refused_with_its_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    with GuardedReader(CONFIG, LIMITS) as reader:
        refused = reader.open(Open(str(path), hashlib.sha256(content).hexdigest()))
    assert isinstance(refused, Refused)
    assert refused.reason == reason
    assert refused.message


def test_a_document_that_kills_its_reader_on_opening_is_refused_once_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    ask = Child.ask

    def die_on_bad(child: Child, request: object, deadline_s: float) -> object:
        if isinstance(request, Open) and request.path.endswith("bad.pdf"):
            started.append(child)
            child.close()
            raise ChildError(Reason.CRASH, "the process was killed by SIGSEGV")
        return ask(child, request, deadline_s)

    monkeypatch.setattr(Child, "ask", die_on_bad)
    good, bad = pdf(tmp_path / "good.pdf", 1), pdf(tmp_path / "bad.pdf", 1)
    with GuardedReader(CONFIG, LIMITS) as reader:
        refused = reader.open(bad)
        assert isinstance(refused, Refused)
        assert refused.reason == "crash"
        assert len(set(started)) == 3, "twice on the first backend, once on the second"
        assert isinstance(reader.open(good), Opened)


def test_encrypted_documents_open_with_one_of_the_passwords(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "a secret sentence that is kept")
    document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="o")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with GuardedReader(CONFIG, LIMITS) as reader:
        refused = reader.open(Open(str(path), sha256, ("wrong",)))
        assert isinstance(refused, Refused)
        assert refused.reason == "encrypted"
        assert isinstance(reader.open(Open(str(path), sha256, ("wrong", "secret"))), Opened)


def test_children_leave_with_their_parent(tmp_path: Path) -> None:
    before = _children()
    reader = GuardedReader(CONFIG, LIMITS)
    assert isinstance(reader.open(pdf(tmp_path / "a.pdf", 1)), Opened)
    assert _children() - before
    reader.close()
    assert not _children() - before


def _children() -> set[str]:
    tasks = Path("/proc/self/task").iterdir()
    return {pid for task in tasks for pid in (task / "children").read_text().split()}


def test_limits_that_allow_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="page_deadline_s"):
        ReaderLimits(page_deadline_s=0)


@pytest.mark.parametrize("how", ["exception", "last words"])
@pytest.mark.parametrize("text", [entry[:20_000] for entry in HOSTILE])
def test_whatever_a_child_says_can_be_written_down(
    tmp_path: Path, poison, how: str, text: str
) -> None:
    poison({0: f"{how}:{text}"})
    document = pdf(tmp_path / "a.pdf", 2)
    fates = read_all(document)
    assert [fate.kept for fate in fates] == [False, True]
    assert is_sane(fates[0].message, 500)
    assert text[:2] in fates[0].message, fates[0].message


def test_a_page_as_pixels_alone_is_the_image_that_is_kept(tmp_path: Path) -> None:
    document = pdf(tmp_path / "a.pdf", 2)
    with GuardedReader(CONFIG, LIMITS) as reader:
        opened = reader.open(document)
        assert isinstance(opened, Opened)
        kept = list(reader.pages(document, opened, [0, 1]))
        rendered = list(reader.pixels(document, opened, [0, 1]))
    for fate, page in zip(kept, rendered, strict=True):
        image = decode(fate.image)
        assert page.pixels is not None
        assert page.kept
        assert (page.facts.width, page.facts.height) == (image.shape[1], image.shape[0])
        assert page.pixels.shape == image.shape
        assert abs(page.pixels.astype(int) - image).max() <= 8, "but for its 16 levels of grey"


def test_poison_costs_one_page_of_pixels(tmp_path: Path, poison) -> None:
    poison({1: "segfault", 2: "exception@mupdf"})
    document = pdf(tmp_path / "a.pdf", 4)
    with GuardedReader(CONFIG, LIMITS) as reader:
        opened = reader.open(document)
        assert isinstance(opened, Opened)
        pages = list(reader.pixels(document, opened, range(4)))
    assert [page.pixels is not None for page in pages] == [True, False, True, True]
    assert (pages[1].reason, pages[1].failed) == ("crash", True)
    assert pages[2].engine.startswith("poppler")


def test_a_page_that_is_too_large_is_not_rendered(tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, page_pixels=1000)
    document = pdf(tmp_path / "a.pdf", 1)
    with GuardedReader(config, LIMITS) as reader:
        opened = reader.open(document)
        assert isinstance(opened, Opened)
        (page,) = reader.pixels(document, opened, [0])
    assert page.pixels is None
    assert page.reason == "too_many_pixels"
    assert "300 x 200 px at 72 dpi is more than limits.page_pixels = 1000" in page.message


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with GuardedReader(CONFIG, LIMITS) as reader:
        refused = reader.open(Open(str(tmp_path / "gone.pdf"), "0" * 64))
    assert isinstance(refused, Refused)
    assert refused.reason == "missing"
    assert "No such file" in refused.message
