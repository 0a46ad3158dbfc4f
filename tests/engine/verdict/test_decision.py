"""The verdict on text layers: made pages of every kind, real ones, and layers of pure nonsense."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.engine.errors import PdfError
from pagemill.engine.geometry import shift
from pagemill.engine.page import Glyphs, TextLayer, Verdict, Word
from pagemill.engine.read.backend.registry import open_document
from pagemill.engine.verdict.decision import judge
from pagemill.engine.verdict.x_height import x_height
from support.lying import Sample, samples

Reader = Callable[[bytes, float], tuple[np.ndarray, TextLayer]]


@dataclass(frozen=True)
class Judged:
    sample: Sample
    image: np.ndarray
    layer: TextLayer
    verdict: Verdict


def read(path: Path, dpi: float = 144.0, page_index: int = 0) -> tuple[np.ndarray, TextLayer, str]:
    document = open_document("mupdf", path)
    try:
        image = document.render(page_index, dpi=dpi, colour="auto")
        return image, document.text(page_index, dpi=dpi), document.producer
    finally:
        document.close()


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judged]:
    """One page of every kind and language of the half that no limit was fitted on."""
    path = tmp_path_factory.mktemp("lying") / "page.pdf"
    found = {}
    for sample in samples("held_out", fonts=1):
        path.write_bytes(sample.pdf)
        image, layer, _ = read(path)
        found[sample.name] = Judged(sample, image, layer, judge(image, layer))
    return found


def test_made_pages_get_a_verdict_that_is_right_for_them(judged: dict[str, Judged]) -> None:
    wrong = {
        name: f"{page.verdict.name}, not {' or '.join(page.sample.expected)}"
        for name, page in judged.items()
        if page.verdict.name not in page.sample.expected
    }
    assert len(judged) > 50
    assert not wrong


def test_the_score_parts_honest_pages_from_lying_ones(judged: dict[str, Judged]) -> None:
    honest = [page.verdict.score for page in judged.values() if page.sample.trusted]
    lying = [page.verdict.score for page in judged.values() if not page.sample.trusted]
    assert min(honest) > 0.5 >= max(lying)


@pytest.mark.parametrize("dpi", [72, 100, 220, 300])
@pytest.mark.parametrize(
    "name", ["article-0", "language-ja", "cipher random-0", "cipher digits-0", "half scan-0"]
)
def test_resolution_does_not_change_the_verdict(
    judged: dict[str, Judged], name: str, dpi: float, tmp_path: Path
) -> None:
    page = judged[f"held_out/{name}"]
    path = tmp_path / "page.pdf"
    path.write_bytes(page.sample.pdf)
    image, layer, _ = read(path, dpi)
    assert judge(image, layer).name == page.verdict.name


def test_colour_and_grey_images_give_the_same_verdict(judged: dict[str, Judged]) -> None:
    page = judged["held_out/dark-0"]
    assert page.image.ndim == 3
    assert page.verdict.name == "trusted"
    grey = page.image.mean(axis=2).astype(np.uint8)
    assert judge(grey, page.layer).name == "trusted"


def moved(layer: TextLayer, dx: float, dy: float) -> TextLayer:
    glyphs = layer.glyphs
    assert glyphs is not None
    assert glyphs.origin is not None
    by = np.array([dx, dy], np.float32)
    return replace(
        layer,
        words=tuple(replace(word, box=shift(word.box, dx, dy)) for word in layer.words),
        glyphs=replace(glyphs, origin=glyphs.origin + by, box=glyphs.box + np.tile(by, 2)),
    )


@pytest.mark.parametrize(("dx", "dy"), [(0, 11), (0, -11), (7, 0), (60, 40), (-30, 9)])
def test_a_layer_moved_off_its_ink_is_not_trusted(
    judged: dict[str, Judged], dx: float, dy: float
) -> None:
    page = judged["held_out/article-0"]
    verdict = judge(page.image, moved(page.layer, dx, dy))
    assert verdict.name in ("misaligned", "garbled", "partial")


def test_word_boxes_alone_are_enough_to_tell_a_cipher(judged: dict[str, Judged]) -> None:
    for name in ("article-0", "table-0", "few words-0", "turned-0"):
        page = judged[f"held_out/{name}"]
        assert judge(page.image, replace(page.layer, glyphs=None)).name == "trusted", name
    for name in ("cipher random-0", "cipher keeping case-0", "no tounicode-0", "mojibake-0"):
        page = judged[f"held_out/{name}"]
        assert judge(page.image, replace(page.layer, glyphs=None)).name == "garbled", name


def test_text_mostly_outside_the_visible_page_is_misaligned(judged: dict[str, Judged]) -> None:
    page = judged["held_out/article-0"]
    layer = replace(page.layer, outside=2 * len(page.layer.words))
    assert judge(page.image, layer).name == "misaligned"


def test_a_known_ocr_program_over_a_picture_of_the_page_means_hidden(
    judged: dict[str, Judged],
) -> None:
    page = judged["held_out/letterhead-0"]
    assert page.verdict.name == "trusted"
    assert judge(page.image, page.layer, producer="ABBYY FineReader 15").name == "hidden"
    assert judge(page.image, page.layer, producer="Microsoft Word").name == "trusted"


def test_evidence_goes_into_json_and_back(judged: dict[str, Judged]) -> None:
    for page in judged.values():
        evidence = page.verdict.evidence
        assert json.loads(json.dumps(evidence, allow_nan=False)) == evidence
        assert all(round(value, 4) == value for value in evidence.values())
        assert 0 <= page.verdict.score <= 1


numbers = st.floats(width=32, allow_nan=True, allow_infinity=True)
boxes = st.tuples(*[st.floats(-2e4, 2e4, width=32)] * 4)


@st.composite
def nonsense(draw: st.DrawFn) -> TextLayer:
    count = draw(st.integers(0, 12))
    column = st.lists(numbers, min_size=count, max_size=count)
    pairs = st.lists(st.tuples(numbers, numbers), min_size=count, max_size=count)
    codepoints = st.lists(st.integers(-5, 2**31 - 1), min_size=count, max_size=count)
    known = draw(st.booleans())
    glyphs = Glyphs(
        codepoint=np.array(draw(codepoints), np.int32),
        box=np.array(draw(st.lists(boxes, min_size=count, max_size=count)), np.float32).reshape(
            -1, 4
        ),
        size_px=np.array(draw(column), np.float32),
        advance_em=np.array(draw(column), np.float32),
        font=np.zeros(count, np.int16),
        hidden=np.zeros(count, bool),
        luminance=np.array(draw(column), np.float32),
        origin=np.array(draw(pairs), np.float32).reshape(-1, 2) if known else None,
        direction=np.array(draw(pairs), np.float32).reshape(-1, 2) if known else None,
    )
    words = draw(st.lists(st.tuples(st.text(min_size=1, max_size=9), boxes), max_size=8))
    return TextLayer(
        words=tuple(Word(text, box, 0) for text, box in words),
        glyphs=glyphs if draw(st.booleans()) else None,
        image_cover=draw(st.floats(0, 1)),
    )


@settings(max_examples=150, deadline=None)
@given(nonsense(), st.integers(1, 90), st.integers(1, 90), st.integers(0, 255))
@pytest.mark.filterwarnings("error::DeprecationWarning")
def test_no_layer_is_too_odd_to_be_judged(
    layer: TextLayer, height: int, width: int, grey: int
) -> None:
    image = np.full((height, width), grey, np.uint8)
    image[::3, ::2] = 255 - grey
    verdict = judge(image, layer)
    assert all(math.isfinite(value) for value in verdict.evidence.values())
    assert 0 <= verdict.score <= 1
    assert math.isfinite(x_height(image, layer))


def test_real_lies_are_caught(data_dir: Path) -> None:
    trusted = []
    for path in sorted((data_dir / "lying_text").glob("*.pdf")):
        for index in (0, 1):
            try:
                image, layer, producer = read(path, page_index=index)
            except PdfError:
                continue
            if judge(image, layer, producer=producer).name == "trusted":
                trusted.append(f"{path.name}:{index}")
    assert not trusted


def test_ordinary_documents_are_trusted(data_dir: Path) -> None:
    judged = []
    for path in sorted((data_dir / "ordinary").glob("*.pdf")):
        image, layer, producer = read(path)
        judged.append(judge(image, layer, producer=producer).name == "trusted")
    assert len(judged) >= 50
    assert sum(judged) / len(judged) >= 0.9


@pytest.mark.parametrize(("dpi", "size_pt"), [(72, 24), (144, 10), (144, 30), (300, 8)])
def test_x_height_is_what_the_font_draws(tmp_path: Path, dpi: float, size_pt: float) -> None:
    import pymupdf

    doc = pymupdf.open()
    page = doc.new_page()
    for row in range(10):
        page.insert_text((40, 60 + 40 * row), "seven zooms are never worn", fontsize=size_pt)
    doc.save(tmp_path / "page.pdf")
    image, layer, _ = read(tmp_path / "page.pdf", dpi)
    expected = 0.523 * size_pt * dpi / 72  # Helvetica's x-height is 523/1000 em
    assert x_height(image, layer) == pytest.approx(expected, rel=0.1, abs=1)
    guessed = x_height(image, replace(layer, glyphs=None))
    assert guessed == pytest.approx(expected, rel=0.2, abs=1)


def test_x_height_without_text_is_zero() -> None:
    assert x_height(np.zeros((20, 20), np.uint8), TextLayer()) == 0
