"""Words of a text layer are valid and bounded, whatever the PDF says."""

from __future__ import annotations

import orjson
import pytest
from pagemill.engine.layout.lines import RawWord, text_layer
from support.hostile_text import HOSTILE, is_sane


@pytest.mark.parametrize("text", HOSTILE)
def test_a_word_is_valid_and_bounded(text: str) -> None:
    raw = RawWord(text.replace(" ", "") or "x", (10.0, 10.0, 90.0, 20.0), 0)
    layer = text_layer([raw], width_px=100, height_px=100)
    (word,) = layer.words
    assert is_sane(word.text)
    assert word.text[:2] == text[:2]
    orjson.dumps(layer.text)
    assert layer.unmapped == (len(text) < 100)
