"""Files in, text of their pages out: one page after the other, and failures beside them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from pagemill.engine.errors import ConfigError, DataError
from pagemill.engine.read.guard import ReaderLimits
from pagemill.engine.read.reader import RenderConfig
from pagemill.model.question import Reply
from pagemill.serve.read.document import installed_render
from pagemill.serve.read.page import PageText, ReadFailure
from pagemill.serve.read.read import FAILURES_IN_A_ROW, read_files
from pagemill.serve.read.selection import PageSelection
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples" / "documents"
LIMITS = ReaderLimits(page_deadline_s=5.0, memory_bytes=900_000_000)


class GreyReader:
    """Says how dark a page is; keeps what it was given, and raises where a page is as dark as
    `raises_at`.
    """

    name, kind, answers_blind = "grey", "fake", True

    def __init__(self, raises_at: tuple[int, ...] = (), error: Exception | None = None) -> None:
        self.pixels = []
        self.raises_at = raises_at
        self.error = error or RuntimeError("cannot reshape")

    def answer(self, questions):
        values = [int(question.picture.pixels.mean()) for question in questions]
        if any(value in self.raises_at for value in values):
            raise self.error
        self.pixels += [question.picture.pixels for question in questions]
        return [Reply((f"grey {value}",), (False,)) for value in values]


def write_scan(path: Path, values: tuple[int, ...]) -> Path:
    """A TIFF of pages of one grey value each, 100 dpi."""
    pages = [Image.fromarray(np.full((110, 85), value, np.uint8)) for value in values]
    pages[0].save(path, save_all=True, append_images=pages[1:], dpi=(100, 100))
    return path


@pytest.fixture
def scan(tmp_path) -> Path:
    return write_scan(tmp_path / "scan.tif", (0, 128, 255))


@pytest.fixture
def poison(monkeypatch):
    """Faults in the process that renders pages: page index to what happens there."""

    def set_rule(rule: dict[int, str]) -> None:
        support = str(ROOT / "tests" / "support")
        monkeypatch.setenv("PAGEMILL_FAULT", "faults:inject")
        monkeypatch.setenv("PAGEMILL_FAULT_RULE", json.dumps(rule))
        monkeypatch.setenv("PYTHONPATH", support + os.pathsep + os.environ.get("PYTHONPATH", ""))

    return set_rule


def failures_of(results) -> list[ReadFailure]:
    return [result for result in results if isinstance(result, ReadFailure)]


def texts_of(results) -> list[PageText]:
    return [result for result in results if isinstance(result, PageText)]


def test_pages_are_read_in_their_order(scan):
    pages = list(read_files(GreyReader(), [scan]))
    assert [(page.page_index, page.text) for page in pages] == [
        (0, "grey 0"), (1, "grey 128"), (2, "grey 255"),
    ]  # fmt: skip
    assert pages[1].to_dict()["page"] == 2
    assert (pages[0].width, pages[0].height) == (85, 110), "a scan is not enlarged"


def test_a_batch_is_read_before_the_next_one_is_drawn(scan):
    reader = GreyReader()
    pages = read_files(reader, [scan], batch=2)
    next(pages)
    assert len(reader.pixels) == 2
    assert [page.text for page in pages] == ["grey 128", "grey 255"]
    with pytest.raises(ConfigError, match="at least 1"):
        next(read_files(reader, [scan], batch=0))
    with pytest.raises(ConfigError, match="at least 1"):
        next(read_files(reader, [scan], most_tokens=0))


def test_only_the_pages_that_are_named_are_read(scan):
    pages = list(read_files(GreyReader(), [scan], selection=PageSelection.parse("2-")))
    assert [page.page_index for page in pages] == [1, 2]
    (failure,) = read_files(GreyReader(), [scan], selection=PageSelection.parse("7"))
    assert "has 3 pages, none of those" in str(failure)


def test_a_fault_of_one_file_leaves_the_others(scan, tmp_path):
    contents = {
        "broken.pdf": b"%PDF-1.4 and no more",
        "empty.pdf": b"",
        "letter.pdf": b"dear reader, this is a letter",
        "cut.pdf": (EXAMPLES / "paper-en.pdf").read_bytes()[:900],
        "picture.png": (b"\x89PNG\r\n\x1a\n" + b"\0" * 50),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [tmp_path / name for name in (*contents, "missing.pdf")]
    paths += [tmp_path, EXAMPLES / "loan-encrypted-en.pdf", scan]
    results = list(read_files(GreyReader(), paths, limits=LIMITS))
    failures = failures_of(results)
    assert [failure.path for failure in failures] == paths[:-1]
    assert [failure.reason for failure in failures] == [
        "broken", "empty_file", "not_a_document", "broken", "not_a_document", "missing",
        "not_a_document", "encrypted",
    ]  # fmt: skip
    assert "No such file" in str(failures[5])
    assert [page.path for page in texts_of(results)] == [scan] * 3


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("segfault", "crash"), ("loop", "timeout"), ("memory", "memory"),
        ("exception", "render_error"),
    ],
)  # fmt: skip
def test_a_page_that_kills_its_reader_costs_that_page_alone(scan, poison, kind, reason):
    poison({1: kind})
    limits = ReaderLimits(page_deadline_s=2.0, memory_bytes=700_000_000)
    results = list(read_files(GreyReader(), [scan, scan], limits=limits))
    assert [page.text for page in texts_of(results)] == ["grey 0", "grey 255"] * 2
    assert [(failure.page_index, failure.reason) for failure in failures_of(results)] == [
        (1, reason), (1, reason),
    ]  # fmt: skip


def test_a_page_that_one_backend_dies_on_is_read_through_the_other(poison):
    poison({0: "segfault@mupdf"})
    (page,) = read_files(
        GreyReader(), [EXAMPLES / "paper-en.pdf"], limits=LIMITS,
        render=RenderConfig(dpi=36), selection=PageSelection.parse("1"),
    )  # fmt: skip
    assert isinstance(page, PageText)


@pytest.mark.parametrize("backend", ["mupdf", "poppler"])
def test_a_pdf_is_read_by_its_pixels_at_the_resolution_asked_for(backend):
    reader = GreyReader()
    first = PageSelection.parse("1")
    path = EXAMPLES / "paper-en.pdf"
    low, high = (
        next(read_files(
            reader, [path], render=installed_render(dpi=dpi, backend=backend), selection=first
        ))
        for dpi in (36, 72)
    )  # fmt: skip
    assert abs(high.width - 2 * low.width) <= 2
    assert reader.pixels[0].min() < 128 < reader.pixels[0].max()


def test_a_page_with_too_many_pixels_is_a_failure(tmp_path):
    path = tmp_path / "poster.pdf"
    Image.new("L", (700, 700), 255).save(path, resolution=1)
    (failure,) = read_files(GreyReader(), [path])
    assert failure.reason == "too_many_pixels"
    assert "page 1: " in str(failure)
    assert "a lower --dpi may help" in str(failure)
    (failure,) = read_files(GreyReader(), [path], limits=ReaderLimits(page_pixels=100))
    assert "limits.page_pixels = 100" in str(failure)
    with pytest.raises(ConfigError, match="it runs from 18 to 1200"):
        installed_render(dpi=1)
    with pytest.raises(ConfigError, match="allowed: mupdf, poppler"):
        installed_render(dpi=144, backend="word")


def test_a_model_that_raises_on_one_page_costs_that_page_alone(scan):
    results = list(read_files(GreyReader(raises_at=(128,)), [scan]))
    assert [page.text for page in texts_of(results)] == ["grey 0", "grey 255"]
    (failure,) = failures_of(results)
    assert (failure.page_index, failure.reason) == (1, "internal_error")
    assert "RuntimeError: cannot reshape" in failure.message


def test_a_model_that_raises_on_many_pages_in_a_row_ends_the_reading(tmp_path):
    dark = write_scan(tmp_path / "dark.tif", (0,) * (FAILURES_IN_A_ROW + 2))
    results = []
    with pytest.raises(DataError, match=f"{FAILURES_IN_A_ROW} in a row went wrong"):
        results.extend(read_files(GreyReader(raises_at=(0,)), [dark], batch=1))
    mixed = write_scan(tmp_path / "mixed.tif", (0, 255) * FAILURES_IN_A_ROW)
    results = list(read_files(GreyReader(raises_at=(0,)), [mixed]))
    assert len(failures_of(results)) == FAILURES_IN_A_ROW


@pytest.mark.parametrize("error", [MemoryError("no room"), ImportError("no module")])
def test_what_the_machine_lacks_is_never_taken_for_a_bad_page(scan, error):
    with pytest.raises(type(error)):
        list(read_files(GreyReader(raises_at=(128,), error=error), [scan]))


def test_a_file_whose_name_is_no_text_is_read_and_named(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/sc\xe4n\x1b[2J.tif"))
    write_scan(tmp_path / "plain.tif", (128,)).rename(path)
    (page,) = read_files(GreyReader(), [path])
    json.dumps(page.to_dict(), ensure_ascii=False).encode("utf-8")
    (failure,) = read_files(GreyReader(raises_at=(128,)), [path])
    str(failure).encode("utf-8")
    assert "\x1b" not in str(failure)
