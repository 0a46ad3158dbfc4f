"""Which characters a font file draws."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.typeset.font import characters, face_of
from support.material import pillow_font

FONT = pillow_font()


def test_a_font_says_which_characters_it_has():
    mapped = characters(FONT)
    assert set(map(ord, "azAZ09%")) <= mapped
    assert ord("ł") not in mapped


def test_the_first_font_of_a_collection_counts_as_it_is_the_one_drawn():
    collection = TTCollection()
    collection.fonts = [TTFont(io.BytesIO(FONT)), TTFont(io.BytesIO(symbol_font()))]
    written = io.BytesIO()
    collection.save(written)
    assert characters(written.getvalue()) == characters(FONT)
    assert face_of("both.ttc", written.getvalue(), flags=0).draws("mill")


def test_a_symbol_font_has_no_unicode_table_and_no_characters():
    assert characters(symbol_font()) == frozenset()
    with pytest.raises(ValueError, match="lacks Latin letters"):
        face_of("symbols.ttf", symbol_font(), flags=0)


@pytest.mark.parametrize("data", [b"", b"GIF89a", FONT[:200], b"\0\1\0\0" + b"\xff" * 60])
def test_a_file_that_is_no_font_is_refused(data):
    with pytest.raises(ValueError, match="font"):
        face_of("broken", data, flags=0)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_damaged_table_of_contents_is_refused_or_read(changes):
    data = bytearray(FONT)
    for place, value in changes:
        data[place] = value
    with suppress(ValueError):
        assert max(characters(bytes(data)), default=0) <= 0x10FFFF


def symbol_font() -> bytes:
    """A font with one sign, mapped for Windows symbol fonts alone: platform 3, encoding 0."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "star"])
    pen = TTGlyphPen(None)
    for place in ((0, 0), (500, 0), (250, 500)):
        (pen.lineTo if pen.points else pen.moveTo)(place)
    pen.closePath()
    glyph = pen.glyph()
    builder.setupGlyf({".notdef": glyph, "star": glyph})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "star": (500, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupCharacterMap({0xF021: "star"})
    builder.setupOS2()
    builder.setupPost()
    table = builder.font["cmap"].tables[-1]
    table.platformID, table.platEncID = 3, 0
    builder.font["cmap"].tables = [table]
    written = io.BytesIO()
    builder.save(written)
    return written.getvalue()
