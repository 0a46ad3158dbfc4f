"""Lines of text from help pages, translations and dictionaries; part of make_tokenizer.py."""

from __future__ import annotations

import ast
import gzip
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

Reader = Callable[[Path, str], Iterable[str]]


class Paragraphs(HTMLParser):
    """The text of the block elements of HTML, Mallard or DocBook; code and navigation left out."""

    BLOCKS = "p li td th h1 h2 h3 h4 h5 h6 dt dd title desc item para term entry simpara"
    SKIPPED = (
        "head header footer aside nav script style pre code screen programlisting credit mal:credit"
        " cmd file filename kbd revhistory"
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = []
        self.text = ""
        self.skipping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.SKIPPED.split():
            self.skipping.append(tag)
        elif tag in self.BLOCKS.split():
            self.flush()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.flush()

    def handle_endtag(self, tag: str) -> None:
        if tag in self.skipping:
            del self.skipping[self.skipping.index(tag) :]
        elif tag in self.BLOCKS.split():
            self.flush()

    def handle_data(self, data: str) -> None:
        # A command left out leaves a hole: its sentence is dropped by `cleaned`.
        self.text += "|" if self.skipping and self.text else "" if self.skipping else data

    def flush(self) -> None:
        self.paragraphs.append(self.text)
        self.text = ""


def markup(path: Path, language: str) -> list[str]:
    parser = Paragraphs()
    parser.feed(path.read_text(encoding="utf-8", errors="replace"))
    parser.flush()
    return parser.paragraphs


def catalogue(path: Path, language: str) -> Iterator[str]:
    """Translations of a gettext `.mo`, or for English what was translated."""
    data = path.read_bytes()
    _, _, count, originals, translations = struct.unpack_from("<5I", data)
    table = originals if language == "en" else translations
    for row in range(count):
        length, start = struct.unpack_from("<2I", data, table + 8 * row)
        if length and struct.unpack_from("<I", data, originals + 8 * row)[0]:
            text = data[start : start + length].decode("utf-8", "replace")
            for plural in text.rpartition("\x04")[2].split("\0"):
                yield from spoken(plural)


def messages(path: Path, language: str) -> Iterator[str]:
    """The same of a gettext `.po`."""
    word = "msgid" if language == "en" else "msgstr"
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(rf'(?m)^{word} ((?:".*"\n?)+)', text):
        yield from spoken("".join(map(ast.literal_eval, match[1].splitlines())))


def spoken(text: str) -> Iterator[str]:
    """Lines of a message without its context, accelerators, tags and variables."""
    text = re.sub(r"^\w+(?:[ _]\w+)*\^", "", text)
    text = re.sub(r"<[^<>]*>|%\(\w+\)[sd]|%[-\d.]*[a-z]|\$[\w|.]+", "", text)
    yield from re.sub(r"[_&](?=\w)", "", text).splitlines()


def glosses(path: Path, language: str) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield from line.partition(" | ")[2].split("; ")


def dictionary(path: Path, language: str) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        text = re.sub(r"\[1913 Webster\]|\[PJC\]|[{}]", "", file.read())
    yield from re.split(r"\n\s*\n", text)


def plain(path: Path, language: str) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return re.split(r"\n\s*\n", file.read())


READERS: dict[str, Reader] = {
    "markup": markup,
    "catalogue": catalogue,
    "messages": messages,
    "glosses": glosses,
    "dictionary": dictionary,
    "plain": plain,
}

CODE = re.compile(r"[{}<>\\|_=#@~^\ufffd]|://|/\w+/|--|\w\(\)|\.(?:png|conf|html)\b|\bX{3}|TO[D]O")
BRAND = re.compile(
    r"LibreOffice|Debian|GNOME|Gnu[Cc]ash|HomeBank|Wesnoth|Linux|Tryton|Calc\b|Writer\b|Impress\b"
    r"|dpkg|apt-get|(?i:zombi|mutant)"
)


def cleaned(line: str) -> str:
    """The line with single spaces, or nothing where it is code, names a product or is no text."""
    line = re.sub(r"[ \t\r\n]+", " ", line).strip()
    letters = sum(char.isalpha() or char == " " for char in line)
    if len(line) < 3 or letters < 0.75 * len(line) or CODE.search(line) or BRAND.search(line):
        return ""
    return line
