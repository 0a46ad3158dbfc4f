"""The page of a stream: what it shows, and that nothing is fetched or run."""

from __future__ import annotations

import re

import pytest
from pagemill.engine.errors import ConfigError
from pagemill.report.stream import render_stream, write_stream_report
from pagemill.report.stream.card import answer_lines, css_class
from support.stream_view import stream_view


@pytest.fixture(scope="module")
def html() -> str:
    return render_stream(stream_view())


def test_nothing_is_fetched_and_no_script_runs(html):
    assert not re.search(r"https?://|<script|<link|@import|url\(", html)
    assert "script-src &#39;none&#39;" in html
    assert set(re.findall(r'src="(.{22})', html)) == {"data:image/png;base64,"}


def test_every_sample_is_a_segment_as_wide_as_its_tokens(html):
    segments = re.findall(r'class="(\w+)" style="flex:(\d+)" title="([^"]*)"', html)
    packs = [(css, int(tokens)) for css, tokens, title in segments if "tokens" in title]
    assert packs == [("read", 40), ("other", 40), ("lost", 20)]
    assert ("padding", "20", "20 padding") in segments
    assert re.findall(r'href="#(s\d)"', html) == re.findall(
        r'<article class="card" id="(s\d)"', html
    )


def test_lost_samples_stand_with_their_reason(html):
    assert re.search(r"<li><code>cd_00003</code> the image is cut off</li>", html)


def test_boxes_are_drawn_on_the_page_in_the_colour_of_their_line(html):
    marks = re.findall(r'class="mark (\w+)" style="([^"]*)"', html)
    assert marks == [("light", "left:0.0%;top:0.0%;width:50.0%;height:50.0%")] * 2
    assert html.count('<li><span class="light">') == 2


def test_tokens_of_the_prompt_are_quiet_and_its_text_is_not(html):
    assert "<i>&lt;|im_start|&gt;</i>user\nRead</p>" in html
    assert "cut off: no end is learned" in html


def test_an_answer_is_split_at_its_line_ends():
    assert answer_lines([("a\nb", 1), ("c", 2)]) == [[("a", 1)], [("b", 1), ("c", 2)]]
    assert [css_class(name) for name in ("read", "heavy", "talk")] == ["read", "heavy", "other"]


def test_a_folder_cannot_be_the_page(tmp_path):
    with pytest.raises(ConfigError, match="cannot write"):
        write_stream_report(stream_view(), tmp_path)
