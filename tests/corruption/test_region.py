"""Which text is chosen, and what may not be asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from pagemill.corruption import CorruptionConfig, Level, Mixture, Schedule, plan_page
from pagemill.corruption.region import RegionConfig, RegionKind, draw_regions, length_of, lines_of
from pagemill.corruption.relevance import cannot_be_inferred, relevance_of, word_counts
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


FIGURED = (
    "Figure 3 Vats and presses of the mill",
    "as Figure 3 shows the vat stands beside the press",
    *PROSE,
)


def test_relevance_prefers_captions_mentions_and_repeated_words():
    _, page = typeset(FIGURED, figures=(Figure((60, 300, 400, 330), "image"),))
    lines = lines_of(page)
    weight = relevance_of(page, lines.box, lines.start, lines.stop)
    plain = weight[4]
    assert weight[0] > weight[1] > plain
    near = [n for n, box in enumerate(lines.box) if box[1] < 330 and box[3] > 300]
    assert all(weight[n] >= 3 for n in near)
    chosen = {
        selector: kinds_of_lines(page, RegionConfig(selector=selector, most=3, share=1.0))
        for selector in ("uniform", "relevance")
    }
    assert chosen["relevance"][0] > chosen["uniform"][0]


def kinds_of_lines(page, config: RegionConfig) -> Counter[int]:
    lines = lines_of(page)
    return Counter(
        page.layer.words[r.start].line
        for key in range(80)
        for r in draw_regions(page, lines, key, config)
    )


NUMBERS = (
    "The mill made 4711 reams and then Weaver sold them at once",
    "The mill made 4711 reams of paper for the printers in town",
    "The vats hold 83 buckets of pulp and a felt costs very little",
)


def test_numbers_and_names_that_stand_nowhere_else_cannot_be_inferred():
    _, page = typeset(NUMBERS)
    counts = word_counts(page)

    def asked(text: str, **more) -> bool:
        index = [w.text for w in page.layer.words].index(text)
        return cannot_be_inferred(page, index, index + 1, counts, **more)

    assert not asked("4711")
    assert asked("83")
    assert asked("Weaver")
    assert not asked("Weaver", names=False)
    assert not asked("The")
    assert not asked("felt")


def test_exclude_keeps_them_out_of_heavy():
    _, page = typeset(NUMBERS * 1)
    words = [w.text for w in page.layer.words]
    forbidden = {words.index("83"), words.index("Weaver")}

    def heavy_words(exclude: bool) -> set[int]:
        schedule = Schedule(
            config=CorruptionConfig(
                mixture=Mixture(clean=0, light=0, moderate=0, heavy=1),
                region=RegionConfig(exclude=exclude, share=1.0, min_length=2),
            )
        )
        return {
            index
            for epoch in range(60)
            for region in plan_page(page, seed=1, epoch=epoch, schedule=schedule).regions
            if region.level is Level.HEAVY
            for index in range(*region.words)
        }

    assert forbidden <= heavy_words(False)
    assert not forbidden & heavy_words(True)
    assert heavy_words(True)


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
