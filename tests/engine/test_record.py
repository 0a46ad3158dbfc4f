"""The facts of a page are those of its JSON, whichever of the two they are taken from."""

from __future__ import annotations

from dataclasses import replace

import orjson
from pagemill.engine.page import page_from_dict
from pagemill.engine.record import PageFacts
from support.pages import draw_page


def test_a_page_and_its_json_have_the_same_facts() -> None:
    _, page = draw_page("ab" * 32, 1, 3)
    page = replace(page, x_height=11.04, verdict=replace(page.verdict, score=0.123456))
    facts = PageFacts.from_page(page)
    assert facts == PageFacts.from_page(page_from_dict(orjson.loads(page.to_json())))
    assert (facts.width, facts.height, facts.words, facts.lines) == (208, 160, 6, 3)
    assert (facts.blocks, facts.figures, facts.region_chars, facts.chars) == (1, 0, (6, 6, 6), 18)
    assert (facts.x_height, facts.score, facts.verdict) == (11.0, 0.1235, "trusted")
    assert orjson.loads(facts.evidence) == {"ink_in_boxes": 0.99}
