"""Boxes lie on ink for every combination of /Rotate, boxes and UserUnit, with both engines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pagemill.engine.read.backend.document import OpenDocument
from pagemill.engine.read.backend.registry import open_document
from support.minipdf import Sheet, write_pdf

BACKENDS = ("mupdf", "poppler")
MEDIA = {
    "origin": (0, 0, 400, 500),
    "shifted": (100, 200, 500, 700),
    "negative": (-150, -220, 250, 280),
    "inverted": (400, 500, 0, 0),
}
CROPS = {
    "none": None,
    "inside": (50, 60, 370, 440),
    "over the edge": (-80, 90, 300, 560),
    "larger": (-50, -50, 900, 900),
}
"""Relative to the lower left corner of the media box."""
WORDS = [
    (f"word{row}{column}", 12 + 92.0 * column, 20 + 51.0 * row)
    for row in range(10)
    for column in range(4)
]
SIZE = 14


def corner(media: tuple[float, ...]) -> tuple[float, float]:
    return min(media[0], media[2]), min(media[1], media[3])


def sheet(media: tuple[float, ...], crop: tuple[float, ...] | None, keys: dict[str, str]) -> Sheet:
    left, bottom = corner(media)
    text = [(left + x, bottom + y, SIZE, word) for word, x, y in WORDS]
    if crop is not None:
        box = (crop[0] + left, crop[1] + bottom, crop[2] + left, crop[3] + bottom)
        keys = {"CropBox": "[" + " ".join(map(str, box)) + "]", **keys}
    return Sheet(media, text, keys)


def visible(crop: tuple[float, ...] | None) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = crop or (0, 0, 400, 500)
    return max(x0, 0), max(y0, 0), min(x1, 400), min(y1, 500)


def whole_words(crop: tuple[float, ...] | None) -> tuple[set[str], set[str]]:
    """Words wholly inside the visible page, and words wholly outside it."""
    x0, y0, x1, y1 = visible(crop)
    inside = {w for w, x, y in WORDS if x0 < x < x1 - 56 and y0 + 5 < y < y1 - 14}
    outside = {w for w, x, y in WORDS if x > x1 + 5 or x < x0 - 60 or y > y1 + 8 or y < y0 - 18}
    return inside, outside


def dark(image: np.ndarray) -> np.ndarray:
    return (image if image.ndim == 2 else image.min(axis=2)) < 128


def check(
    document: OpenDocument,
    index: int,
    crop: tuple[float, ...] | None,
    unit: float,
    rotation: int,
    dpi: float,
) -> tuple[int, int]:
    """Hits and words; asserts size, completeness and tightness."""
    x0, y0, x1, y1 = visible(crop)
    expected = ((x1 - x0) * unit, (y1 - y0) * unit)
    if rotation in (90, 270):
        expected = expected[::-1]
    assert document.size_pt(index) == pytest.approx(expected, abs=0.02)
    assert document.rotation(index) == rotation
    ink = dark(document.render(index, dpi=dpi, colour="auto"))
    assert ink.shape == tuple(int(np.ceil(v * dpi / 72 - 0.01)) for v in expected[::-1])
    layer = document.text(index, dpi=dpi)
    inside, outside = whole_words(crop)
    found = {word.text for word in layer.words}
    assert inside <= found
    assert not outside & found
    assert layer.outside >= len(outside)
    hits = 0
    beyond = ink.copy()
    for word in layer.words:
        left, top, right, bottom = word.box
        assert 0 <= left < right <= expected[0] * dpi / 72 + 1e-6
        assert 0 <= top < bottom <= expected[1] * dpi / 72 + 1e-6
        part = np.s_[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))]
        hits += bool(ink[part].any()) or word.text not in inside
        beyond[max(0, int(top) - 1) : int(bottom) + 2, max(0, int(left) - 1) : int(right) + 2] = 0
    letter = int(SIZE * unit * dpi / 72)  # a letter that the page's edge cuts may have no word
    assert beyond[letter:-letter, letter:-letter].sum() <= 0.001 * ink.sum()
    return hits, len(layer.words)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("media", MEDIA.values(), ids=MEDIA)
def test_words_have_ink_in_tight_boxes(
    backend: str, media: tuple[float, ...], tmp_path: Path
) -> None:
    cases = [
        (crop, unit, rotation)
        for crop in CROPS.values()
        for unit in (1, 2, 0.5)
        for rotation in (0, 90, 180, 270)
        if backend == "mupdf" or unit == 1 or rotation in (0, 90)
    ]
    sheets = [
        sheet(media, crop, {"Rotate": str(rotation), "UserUnit": str(unit)})
        for crop, unit, rotation in cases
    ]
    document = open_document(backend, write_pdf(tmp_path / "matrix.pdf", sheets))
    hits = words = 0
    for index, (crop, unit, rotation) in enumerate(cases):
        dpi = 144 / unit
        one, all_ = check(document, index, crop, unit, rotation, dpi)
        hits, words = hits + one, words + all_
    assert words > 10 * len(cases)
    assert hits >= 0.995 * words


@pytest.mark.parametrize("backend", BACKENDS)
def test_rotation_is_inherited_and_normalised(backend: str, tmp_path: Path) -> None:
    media = (0, 0, 400, 500)
    turns = [("-90", 270), ("450", 90), ("-180", 180), ("720", 0)]
    sheets = [sheet(media, None, {"Rotate": turn}) for turn, _ in turns]
    document = open_document(
        backend,
        write_pdf(
            tmp_path / "turns.pdf", [*sheets, sheet(media, None, {})], tree_keys="/Rotate 90"
        ),
    )
    for index, rotation in enumerate([turn for _, turn in turns] + [90]):
        hits, words = check(document, index, None, 1, rotation, 100)
        assert hits == words == len(WORDS)


@pytest.mark.parametrize("backend", BACKENDS)
def test_boxes_are_inherited_from_the_page_tree(backend: str, tmp_path: Path) -> None:
    page = sheet((0, 0, 400, 500), None, {})
    page.media = None
    document = open_document(
        backend,
        write_pdf(
            tmp_path / "inherited.pdf",
            [page],
            tree_keys="/MediaBox [0 0 400 500] /CropBox [50 60 370 440]",
        ),
    )
    hits, words = check(document, 0, CROPS["inside"], 1, 0, 144)
    assert hits == words


@pytest.mark.parametrize("backend", BACKENDS)
def test_user_unit_of_one_page_leaves_the_others(backend: str, tmp_path: Path) -> None:
    media = (0, 0, 400, 500)
    units = [1, 3, 1]
    keys = [{}, {"UserUnit": "3"}, {}]
    document = open_document(
        backend, write_pdf(tmp_path / "unit.pdf", [sheet(media, None, key) for key in keys])
    )
    for index, unit in enumerate(units):
        hits, words = check(document, index, None, unit, 0, 72)
        assert hits == words == len(WORDS)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dpi", [36, 97.3, 144, 300])
def test_any_resolution(backend: str, dpi: float, tmp_path: Path) -> None:
    document = open_document(
        backend, write_pdf(tmp_path / "dpi.pdf", [sheet((0, 0, 400, 500), CROPS["inside"], {})])
    )
    hits, words = check(document, 0, CROPS["inside"], 1, 0, dpi)
    assert hits == words


@pytest.mark.parametrize("backend", BACKENDS)
def test_tiny_and_huge_pages(backend: str, tmp_path: Path) -> None:
    tiny = Sheet((0, 0, 3, 2), [(0.2, 0.4, 1.4, "ab")])
    huge = Sheet((0, 0, 14400, 14400), [(7000, 7000, 400, "Middle")])
    path = write_pdf(tmp_path / "sizes.pdf", [tiny, huge])
    document = open_document(backend, path)
    assert document.render(0, dpi=720, colour="auto").shape == (20, 30)
    (word,) = document.text(0, dpi=720).words
    assert word.text == "ab"
    assert document.render(1, dpi=18, colour="auto").shape == (3600, 3600)
    (word,) = document.text(1, dpi=18).words
    assert word.box[0] == pytest.approx(1750, abs=2)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_engines_give_the_same_pixels(rotation: int, tmp_path: Path) -> None:
    pages = [
        sheet((-30, 20, 370, 520), CROPS["over the edge"], {"Rotate": str(rotation)}),
        sheet((0, 0, 400.27, 500.61), None, {"Rotate": str(rotation), "UserUnit": "0.75"}),
    ]
    path = write_pdf(tmp_path / "same.pdf", pages)
    one, other = (open_document(backend, path) for backend in BACKENDS)
    for index in range(2):
        a = dark(one.render(index, dpi=144, colour="grey"))
        b = dark(other.render(index, dpi=144, colour="grey"))
        assert a.shape == b.shape
        assert (a & b).sum() > 0.7 * max(a.sum(), b.sum())
        boxes = {word.text: word.box for word in one.text(index, dpi=144).words}
        inside, _ = whole_words(CROPS["over the edge"] if index == 0 else None)
        for word in other.text(index, dpi=144).words:
            if word.text not in inside:
                continue
            assert word.box[:1] + word.box[2:3] == pytest.approx(
                boxes[word.text][:1] + boxes[word.text][2:3], abs=12
            )
