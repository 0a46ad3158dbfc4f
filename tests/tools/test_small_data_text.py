"""What is taken of a web page: paragraphs of prose in letters that can be drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PAGE = """<html><head><title>Not this</title></head><body>
<nav><p>One menu entry after the other that nobody would call a text.</p></nav>
<h1>A heading that is left out of the text</h1>
<p>The mill stood by the river, and its wheel&nbsp;turned all day long.</p>
<pre>code = that(is) + left - out</pre>
<p>Too short.</p><p>The mill stood by the river, and its wheel turned all day long.</p>
<p>Здесь стояла мельница у реки, и колесо её вертелось весь день.</p>
<ul><li>A list has prose in it as well, where its entries are long enough.</li></ul>
</body></html>"""


@pytest.fixture
def text(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import small_data_text

    return small_data_text


def test_prose_is_kept_once_and_the_rest_is_left(text, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(PAGE, encoding="utf-8")
    assert list(text.clean(text.paragraphs(path))) == [
        "The mill stood by the river, and its wheel turned all day long.",
        "A list has prose in it as well, where its entries are long enough.",
    ]


def test_what_was_left_in_english_is_found(text):
    assert text.is_english("When you open this file, the pages are shown with the text.")
    assert not text.is_english("Die Mühle stand am Fluss, und das Rad drehte sich den ganzen Tag.")
