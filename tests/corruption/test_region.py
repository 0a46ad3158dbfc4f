"""Which text is chosen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from pagemill.corruption.region import RegionConfig, RegionKind, draw_regions, length_of, lines_of
from pagemill.engine.errors import ConfigError
from pagemill.engine.page import Figure, WordFlag
from support.typeset import PROSE, typeset


def kinds(page, config: RegionConfig, draws: int = 30) -> Counter[str]:
    lines = lines_of(page)
    return Counter(r.kind for key in range(draws) for r in draw_regions(page, lines, key, config))


def only(**weights) -> RegionConfig:
    none = dict.fromkeys(("word", "run", "line", "block", "cell", "value"), 0.0)
    return RegionConfig(**{**none, **weights})


def test_all_kinds_are_found_where_they_are():
    form = ("Name: Ada Weaver", "Trade: paper maker", *PROSE)
    image, page = typeset(form, blocks=(2, 6))
    del image
    found = kinds(page, RegionConfig())
    assert {
        RegionKind.WORD,
        RegionKind.RUN,
        RegionKind.LINE,
        RegionKind.BLOCK,
        RegionKind.VALUE,
    } <= set(found)
    assert RegionKind.CELL not in found


def test_values_are_what_follows_a_label():
    _, page = typeset(("Name: Ada Weaver", "Order No: 1854 sheets Date: Monday", *PROSE))
    lines = lines_of(page)
    texts = {
        " ".join(w.text for w in page.layer.words[r.start : r.stop])
        for key in range(60)
        for r in draw_regions(page, lines, key, only(value=1.0))
    }
    assert texts == {"Ada Weaver", "1854 sheets", "Monday"}


def test_cells_lie_in_tables_and_end_at_gaps():
    gaps = {1: (260.0, 330.0), 3: (260.0, 350.0), 5: (260.0, 340.0)}
    _, page = typeset(
        ("Sheets folio", "Quires quarto", "Reams octavo", *PROSE),
        figures=(Figure((40, 40, 420, 152), "table"),),
        words_per_box=gaps,
    )
    lines = lines_of(page)
    texts = {
        " ".join(w.text for w in page.layer.words[r.start : r.stop])
        for key in range(60)
        for r in draw_regions(page, lines, key, only(cell=1.0))
    }
    assert texts == {"Sheets", "folio", "Quires", "quarto", "Reams", "octavo"}


def test_counts_and_sizes_are_those_of_the_configuration():
    _, page = typeset(PROSE * 3, blocks=(4, 8, 12, 20))
    lines = lines_of(page)
    for key in range(20):
        chosen = draw_regions(page, lines, key, RegionConfig(most=7, share=1.0))
        assert len(chosen) == 7
        for region in draw_regions(page, lines, key, only(run=1.0, run_words=3)):
            assert 2 <= region.stop - region.start <= 3
        few = draw_regions(page, lines, key, RegionConfig(share=0.1, max_length=60, min_length=12))
        sizes = [length_of(page, lines, region) for region in few]
        assert all(12 <= size <= 60 for size in sizes)
        assert sum(sizes) <= 0.1 * lines.length.sum() + 60


def test_upright_and_hidden_words_are_left_alone():
    _, page = typeset(PROSE)
    flags = (WordFlag.VERTICAL, WordFlag.INVISIBLE)
    words = tuple(
        replace(word, flags=int(flags[word.line % 2])) if word.line < 6 else word
        for word in page.layer.words
    )
    page = replace(page, layer=replace(page.layer, words=words))
    lines = lines_of(page)
    for key in range(20):
        for region in draw_regions(page, lines, key, RegionConfig(share=1.0)):
            assert words[region.start].line >= 6


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"most": -1}, "region.most"),
        ({"share": 1.5}, "region.share"),
        ({"run_words": 1}, "region.run_words"),
        ({"min_length": -1}, "region.min_length"),
        (dict.fromkeys(("word", "run", "line", "block", "cell", "value"), 0.0), "region.word"),
    ],
)
def test_values_out_of_range_are_named(changes, named):
    with pytest.raises(ConfigError, match=named):
        RegionConfig(**changes)


def test_x_heights_follow_the_size_of_each_line():
    _, page = typeset(PROSE)
    layer = page.layer
    x0, y0, x1, _ = layer.lines[0].box
    big = replace(
        layer.lines[0], box=(x0, y0, x1, y0 + 2 * (layer.lines[1].box[3] - layer.lines[1].box[1]))
    )
    lines = lines_of(replace(page, layer=replace(layer, lines=(big, *layer.lines[1:]))))
    assert np.allclose(lines.x_height[1:], page.x_height)
    assert np.isclose(lines.x_height[0], 2 * page.x_height)
