"""Which text is worth asking for, and which cannot be inferred."""

from __future__ import annotations

from collections import Counter

from pagemill.corruption.region import RegionConfig, draw_regions, lines_of
from pagemill.corruption.relevance import cannot_be_inferred, relevance_of, word_counts
from pagemill.engine.page import Figure
from support.typeset import PROSE, typeset

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

    def uninferable(text: str, **more) -> bool:
        index = [w.text for w in page.layer.words].index(text)
        return cannot_be_inferred(page, index, index + 1, counts, **more)

    assert not uninferable("4711")
    assert uninferable("83")
    assert uninferable("Weaver")
    assert not uninferable("Weaver", names=False)
    assert not uninferable("The")
    assert not uninferable("felt")
