"""Files in, text of their pages out: one page after the other, and faults beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError
from pagemill.model.question import Reply
from pagemill.serve.read.read import Pages, PageText, ReadFault, read_files
from PIL import Image

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "documents"


class Looking:
    """Says how dark a page is; keeps what it was shown."""

    name, kind, answers_blind = "looking", "fake", True

    def __init__(self) -> None:
        self.shown = []

    def answer(self, questions):
        self.shown += [one.picture.pixels for one in questions]
        return [Reply((f"grey {int(one.picture.pixels.mean())}",), (False,)) for one in questions]


@pytest.fixture
def scan(tmp_path) -> Path:
    """A TIFF of three pages: black, grey and white, 100 dpi."""
    pages = [Image.fromarray(np.full((110, 85), value, np.uint8)) for value in (0, 128, 255)]
    path = tmp_path / "scan.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:], dpi=(100, 100))
    return path


def test_pages_are_read_in_their_order(scan):
    found = list(read_files(Looking(), [scan]))
    assert [(one.page_index, one.text) for one in found] == [
        (0, "grey 0"), (1, "grey 128"), (2, "grey 255"),
    ]  # fmt: skip
    assert found[1].to_dict()["page"] == 2
    assert (found[0].width, found[0].height) == (85, 110)


def test_a_batch_is_read_before_the_next_one_is_drawn(scan):
    reader = Looking()
    pages = read_files(reader, [scan], batch=2)
    next(pages)
    assert len(reader.shown) == 2
    assert [one.text for one in pages] == ["grey 128", "grey 255"]
    with pytest.raises(ConfigError, match="at least 1"):
        next(read_files(reader, [scan], batch=0))


def test_only_the_pages_that_are_named_are_read(scan):
    found = list(read_files(Looking(), [scan], pages=Pages.parse("2-")))
    assert [one.page_index for one in found] == [1, 2]
    (fault,) = read_files(Looking(), [scan], pages=Pages.parse("7"))
    assert isinstance(fault, ReadFault)
    assert "has 3 pages, none of those" in str(fault)


def test_a_fault_of_one_file_leaves_the_others(scan, tmp_path):
    broken, empty = tmp_path / "broken.pdf", tmp_path / "empty.pdf"
    broken.write_bytes(b"%PDF-1.4 and no more")
    empty.write_bytes(b"")
    paths = [broken, empty, tmp_path / "missing.pdf", tmp_path, scan]
    found = list(read_files(Looking(), paths))
    faults = [one for one in found if isinstance(one, ReadFault)]
    assert [one.path for one in faults] == paths[:4]
    assert "No such file" in str(faults[2])
    assert [one.path for one in found if isinstance(one, PageText)] == [scan] * 3


def test_a_pdf_is_read_by_its_pixels_at_the_resolution_asked_for():
    reader = Looking()
    path = EXAMPLES / "paper-en.pdf"
    (low,) = read_files(reader, [path], dpi=36, pages=Pages.parse("1"))
    (high,) = read_files(reader, [path], dpi=72, pages=Pages.parse("1"))
    assert abs(high.width - 2 * low.width) <= 2
    assert reader.shown[0].min() < 128 < reader.shown[0].max()


def test_a_page_with_too_many_pixels_is_a_fault(tmp_path):
    path = tmp_path / "poster.pdf"
    Image.new("L", (700, 700), 255).save(path, resolution=1)
    found = list(read_files(Looking(), [path], dpi=144))
    assert isinstance(found[0], ReadFault)
    assert "page 1: the page is" in str(found[0])
    with pytest.raises(ConfigError, match="it runs from 18 to 1200"):
        list(read_files(Looking(), [path], dpi=1))


@given(st.sets(st.integers(1, 30), min_size=1), st.integers(0, 30))
def test_written_pages_are_the_pages_meant(numbers, count):
    written = ",".join(map(str, sorted(numbers, reverse=True)))
    assert Pages.parse(written).of(count) == [n - 1 for n in sorted(numbers) if n <= count]
    low, high = min(numbers), max(numbers)
    inside = Pages.parse(f"{low}-{high}").of(count)
    assert inside == [n - 1 for n in range(low, high + 1) if n <= count]
    assert Pages.parse(f"{low}-").of(count) == list(range(low - 1, count))
    assert Pages.parse(f"-{high}").of(count) == list(range(min(high, count)))


@pytest.mark.parametrize("text", ["", "0", "a", "3-1", "1,,2", "-", "1-2-3"])
def test_pages_written_otherwise_are_refused(text):
    with pytest.raises(ConfigError, match="pages are written as"):
        Pages.parse(text)
