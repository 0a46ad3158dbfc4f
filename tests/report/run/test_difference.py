"""Where a reading departs from its target is marked, character by character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.report.run.difference import differences, marked_difference


@given(st.text("ab cd\n", max_size=30), st.text("ab cd\n", max_size=30))
def test_differences_put_together_are_both_texts(target, read):
    parts = differences(target, read)
    assert "".join(part.target for part in parts) == target
    assert "".join(part.read for part in parts) == read
    assert all(part.target == part.read for part in parts if part.kind == "same")
    assert any(part.kind != "same" for part in parts) == (target != read)


@pytest.mark.parametrize(
    ("target", "read", "html"),
    [
        ("paper", "paper", "paper"),
        ("paper mill", "paper", "paper<del> mill</del>"),
        ("paper", "papers", "paper<ins>s</ins>"),
        ("1,284.50", "1,234.50", '1,2<span class="swap"><del>8</del><ins>3</ins></span>4.50'),
        ("a b", "ab", "a<del>␣</del>b"),
        ("a\nb", "ab", "a<del>⏎</del>b"),
        ("wet pulp", "", "<del>wet pulp</del>"),
        ("&", "<", '<span class="swap"><del>&amp;</del><ins>&lt;</ins></span>'),
        ("abcXYZ", "efcPQR", '<span class="swap"><del>abcXYZ</del><ins>efcPQR</ins></span>'),
    ],
)
def test_differences_are_marked(target, read, html):
    assert marked_difference(target, read) == html


def test_long_texts_are_compared_at_their_beginning():
    html = marked_difference("." * 3000, ".," * 1500)
    assert "1,800 more characters" in html
    assert len(differences("." * 1200, (".," * 1500)[:1200])) > 2
