"""A page survives its JSON; text is laid out by lines and blocks."""

from __future__ import annotations

import json

import pytest
from pagemill.engine.page import (
    SCHEMA,
    Block,
    Figure,
    Line,
    Page,
    TextLayer,
    Verdict,
    VerdictName,
    Word,
    page_from_dict,
)


def page() -> Page:
    layer = TextLayer(
        words=(
            Word("Two", (10.04, 10, 30, 20), 0, 1),
            Word("words", (35, 10, 60, 20), 0),
            Word("Ünïcode", (10, 40, 60, 50), 1),
        ),
        lines=(
            Line("Two words", (10, 10, 60, 20), (0, 2), 0),
            Line("Ünïcode", (10, 40, 60, 50), (2, 3), 1),
        ),
        blocks=(Block((10, 10, 60, 20), (0, 1)), Block((10, 40, 60, 50), (1, 2))),
        figures=(Figure((70, 10, 90, 30), "image"),),
    )
    return Page(
        key="ab" * 10 + "_00000",
        doc_sha256="ab" * 32,
        page_index=0,
        page_count=1,
        width=100,
        height=80,
        dpi=144.0,
        rotation=90,
        engine="mupdf 1.28.5",
        layer=layer,
        verdict=Verdict(VerdictName.TRUSTED, 0.98765, {"ink": 0.5}),
        language="en",
        x_height=9.87,
        image_sha256="cd" * 32,
    )


def test_json_has_the_columns_of_the_format() -> None:
    data = json.loads(page().to_json())
    assert data["schema"] == SCHEMA
    assert data["words"] == {
        "text": ["Two", "words", "Ünïcode"],
        "bbox": [[10.0, 10.0, 30.0, 20.0], [35.0, 10.0, 60.0, 20.0], [10.0, 40.0, 60.0, 50.0]],
        "line": [0, 0, 1],
        "flags": [1, 0, 0],
    }
    assert data["lines"]["words"] == [[0, 2], [2, 3]]
    assert data["text"] == "Two words\n\nÜnïcode"
    assert data["verdict"] == {"name": "trusted", "score": 0.9877, "evidence": {"ink": 0.5}}


def test_a_page_comes_back_from_its_json() -> None:
    back = page_from_dict(json.loads(page().to_json()))
    assert back.to_dict() == page().to_dict()


def test_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match=r"pagemill\.page\.99"):
        page_from_dict({**page().to_dict(), "schema": "pagemill.page.99"})
