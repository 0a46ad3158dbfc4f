"""The ground truth is what the pixels show: words where ink is, and ink only where words are."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.engine.geometry import area, intersection
from pagemill.engine.page import VerdictName
from pagemill.engine.typeset.canvas import draw
from pagemill.engine.typeset.compose import KINDS, Typesetter, compose_page, layout
from pagemill.engine.typeset.config import KindConfig, LookConfig, TypesetConfig
from pagemill.engine.typeset.material import load_material
from pagemill.engine.typeset.text import read_words

EDGE_PX = 1
PAGES = {"line": 25, "block": 8, "receipt": 6, "slide": 6}


def ink_of(typesetter: Typesetter, number: int) -> np.ndarray:
    """bool `[height, width]`: where the text changes what lies under it."""
    canvas = layout(typesetter, number).canvas
    image, _ = draw(canvas)
    ground, _ = draw(canvas, text=False)
    return image != ground


def outer(box) -> tuple[slice, slice]:
    x0, y0, x1, y1 = box
    return slice(max(0, int(y0) - EDGE_PX), int(np.ceil(y1)) + EDGE_PX), slice(
        max(0, int(x0) - EDGE_PX), int(np.ceil(x1)) + EDGE_PX
    )


@pytest.mark.parametrize("kind", KINDS)
def test_ink_is_inside_every_word_box_and_nowhere_else(typesetter_of, kind):
    for number in range(PAGES.get(kind, 3)):
        typesetter = typesetter_of(kind)
        ink = ink_of(typesetter, number)
        page = compose_page(typesetter, number).page
        assert page.layer.words
        left = ink.copy()
        for word in page.layer.words:
            assert ink[outer(word.box)].any(), (number, word)
            left[outer(word.box)] = False
        assert not left.any(), (number, np.argwhere(left)[:5])


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_are_tight(typesetter_of, kind):
    typesetter = typesetter_of(kind, seed=1)
    ink = ink_of(typesetter, 0)
    page = compose_page(typesetter, 0).page
    for word in page.layer.words:
        x0, y0, x1, y1 = word.box
        rows, columns = slice(int(y0), int(np.ceil(y1))), slice(int(x0), int(np.ceil(x1)))
        part = ink[rows, columns]
        assert part[: 1 + EDGE_PX].any(), word
        assert part[-1 - EDGE_PX :].any(), word
        assert part[:, : 1 + EDGE_PX].any(), word
        assert part[:, -1 - EDGE_PX :].any(), word


@pytest.mark.parametrize("kind", KINDS)
def test_words_do_not_lie_on_each_other(typesetter_of, kind):
    for number in range(PAGES.get(kind, 3)):
        page = compose_page(typesetter_of(kind, seed=2), number).page
        words = sorted(page.layer.words, key=lambda word: word.box[1])
        for a, b in combinations(words, 2):
            if b.box[1] < a.box[3]:
                shared = area(intersection(a.box, b.box))
                assert shared <= 0.15 * min(area(a.box), area(b.box)), (number, a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_words_lines_and_blocks_agree(typesetter_of, kind):
    composed = compose_page(typesetter_of(kind), 0)
    image, page = composed.image, composed.page
    layer = page.layer
    assert image.shape == (page.height, page.width)
    assert image.dtype == np.uint8
    assert page.verdict.name is VerdictName.TRUSTED
    assert page.x_height >= 4.9
    spans = [line.words for line in layer.lines]
    assert spans[0][0] == 0
    assert spans[-1][1] == len(layer.words)
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    for number, line in enumerate(layer.lines):
        words = layer.words[slice(*line.words)]
        assert line.text == " ".join(word.text for word in words)
        assert {word.line for word in words} == {number}
        first, end = layer.blocks[line.block].lines
        assert first <= number < end


def test_the_same_number_gives_the_same_page_in_any_order(typesetter_of, material):
    config = typesetter_of("block").config
    typesetter = Typesetter(config, material, 5)
    forward = [compose_page(typesetter, number) for number in range(4)]
    backward = [compose_page(typesetter, number) for number in reversed(range(4))][::-1]
    for a, b in zip(forward, backward, strict=True):
        assert np.array_equal(a.image, b.image)
        assert a.page.to_json() == b.page.to_json()
    other = compose_page(Typesetter(config, material, 6), 0)
    assert other.page.key != forward[0].page.key
    assert not np.array_equal(other.image, forward[0].image)


def test_what_no_font_draws_is_not_claimed(typesetter_of, material):
    """Pillow's font knows ASCII alone: German pages are set in others, or not at all."""
    small = next(family for family in material.families if family.name == "Aileron")
    assert not small.draws("ü")
    for kind in KINDS:
        canvas = layout(typesetter_of(kind, seed=3), 1).canvas
        for run in canvas.runs:
            assert run.style.font.face.draws(run.text), run


def test_held_out_pages_share_no_font_no_sentence_and_no_word(folder, typesetter_of, material):
    held = load_material(folder, held_out=True)
    assert {f.name for f in held.families} & {f.name for f in material.families} == set()
    train = {p for text in material.texts["en"] for p in text.paragraphs}
    assert train.isdisjoint(p for text in held.texts["en"] for p in text.paragraphs)
    path = folder / "words" / "en.txt.xz"
    ours, theirs = read_words(path, held_out=False), read_words(path, held_out=True)
    assert len(ours) + len(theirs) == 12
    assert set(ours).isdisjoint(theirs)
    typesetter = Typesetter(typesetter_of("block").config, held, 0, "val")
    names = {run.style.font.face.name for run in layout(typesetter, 0).canvas.runs}
    assert names == {"other.ttf.xz"}


def test_a_line_has_no_more_words_than_it_may(material):
    kinds = KindConfig(**{name: float(name == "line") for name in KINDS})
    for most in (1, 3):
        config = TypesetConfig(kind=kinds, look=LookConfig(max_line_words=most))
        counts = [
            len(compose_page(Typesetter(config, material, 5), n).page.layer.words)
            for n in range(40)
        ]
        assert max(counts) == most
    with pytest.raises(ConfigError, match="max_line_words"):
        LookConfig(max_line_words=0)
