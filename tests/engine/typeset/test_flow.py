"""Words into lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.typeset.canvas import Style
from pagemill.engine.typeset.flow import break_lines, styled
from pagemill.engine.typeset.font import face_of, sized_face
from support.material import pillow_font

STYLE = Style(sized_face(face_of("aileron", pillow_font(), flags=0), 14.0))


@given(
    st.lists(st.text("abcdeiou", min_size=1, max_size=14), max_size=40),
    st.floats(60, 400),
    st.booleans(),
)
def test_lines_hold_all_words_in_order_and_are_no_wider(words, width, hyphenate):
    lines = break_lines(styled(words, STYLE), width, hyphenate=hyphenate)
    for line in lines:
        total = sum(STYLE.width(text) for text, _ in line) + STYLE.space * (len(line) - 1)
        assert total <= width + 1e-6
    joined = "".join(text for line in lines for text, _ in line).replace("-", "")
    fitting = [word for word in words if STYLE.width(word) <= width]
    if len(fitting) == len(words):
        assert joined == "".join(words)
    if not hyphenate:
        assert [text for line in lines for text, _ in line] == fitting
