"""Paragraphs of prose from HTML and plain text, cleaned; part of make_small_data.py."""

from __future__ import annotations

import gzip
import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from pagemill.engine.typeset.font import ALPHABET


def paragraphs(path: Path) -> Iterator[str]:
    """The paragraphs of an HTML file or of a plain text with empty lines between them."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = data.decode("utf-8", "replace")
    if ".html" in path.name:
        parser = Blocks()
        parser.feed(text)
        parser.close()
        yield from parser.paragraphs
    else:
        yield from re.split(r"\n\s*\n", text)


class Blocks(HTMLParser):
    """Text of paragraphs, list items and cells; headings and what is not prose are left out."""

    ENDS = frozenset(
        (
            *("p", "li", "dd", "dt", "div", "blockquote", "td", "th", "br", "body"),
            *("h1", "h2", "h3", "h4", "h5", "ul", "ol", "dl", "table"),
        )
    )
    SKIPPED = frozenset(
        (
            *("pre", "script", "style", "nav", "aside", "head", "header", "footer", "button"),
            *("h1", "h2", "h3", "h4", "h5"),
        )
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = []
        self._text: list[str] = []
        self._skip = 0
        self._spans: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag in self.ENDS:
            self._end()
        self._skip += tag in self.SKIPPED
        if tag in ("span", "div"):
            # variants of LibreOffice's help for one system or program; the default one stays
            other = ("hidden", "true") in attrs and any(name == "class" for name, _ in attrs)
            self._spans.append(other)
            self._skip += other

    def handle_endtag(self, tag: str) -> None:
        if tag in self.ENDS:
            self._end()
        if tag in self.SKIPPED:
            self._skip = max(0, self._skip - 1)
        if tag in ("span", "div") and self._spans:
            self._skip -= self._spans.pop()

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self._text.append(data)

    def close(self) -> None:
        super().close()
        self._end()

    def _end(self) -> None:
        self.paragraphs.append("".join(self._text))
        self._text = []


ENGLISH = frozenset(["the", "and", "you", "this", "are", "with", "from", "which", "when", "that"])


def is_english(text: str) -> bool:
    """What was left untranslated."""
    words = text.lower().split()
    return sum(word in ENGLISH for word in words) > 0.05 * len(words)


def clean(raw: Iterator[str]) -> Iterator[str]:
    """Paragraphs of prose: white space normal, only characters that can be drawn, each once."""
    seen: set[str] = set()
    for text in raw:
        text = (
            html.unescape(text).replace("\u00ad", "").replace("\u200b", "").replace("\u2028", " ")
        )
        text = text.replace("\u2011", "-").replace("\u2010", "-").replace("\u2212", "-")
        text = " ".join(text.split())
        words = text.split()
        letters = sum(c.isalpha() for c in text)
        if (
            len(words) < 7
            or letters < 0.72 * len(text)
            or text in seen
            or max(map(len, words)) > 40
        ):
            continue
        if re.match(r"(Table |Tab\w+ )?\d+\.\d+", text):
            continue  # an entry of a table of contents
        if not set(text) - {" "} <= ALPHABET or re.search(
            r"https?://|/usr/|<[a-z/]|\{\{|[_=]{3}", text
        ):
            continue
        seen.add(text)
        yield text[: text.rfind(" ", 0, 1500)] if len(text) > 1500 else text
