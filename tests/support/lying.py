"""A labelled set of pages: text layers that may be believed, and every kind that may not.

`samples(split)` makes them, the same ones each time. `dev` and `held_out` share neither
passages nor fonts nor random numbers. A lie is told the way real files tell it: the page is
written honestly, then its ToUnicode maps, its images or its drawing order are changed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from support.lying_change import (
    ASCII_SMALL,
    blank_page,
    cipher_all,
    ciphers,
    covered,
    half_outlined,
    half_scan,
    half_white,
    mapped,
    mojibake,
    outlined,
    scanned,
    shuffled,
    without_tounicode,
)
from support.lying_page import (
    formulas,
    html_page,
    number_rows,
    on_picture,
    paragraphs,
    part_numbers,
    resized,
    source_code,
    table_of,
    turned,
    with_figure,
)
from support.passages import DEV, HELD_OUT


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    kind: str
    expected: tuple[str, ...]
    """Verdicts that are right for it."""
    pdf: bytes
    producer: str = ""

    @property
    def trusted(self) -> bool:
        return "trusted" in self.expected


@dataclass(frozen=True, slots=True)
class Split:
    """What the pages of one half are made of."""

    passages: Mapping[str, str]
    fonts: tuple[str, ...]
    """Values of CSS `font`, for the languages in Latin letters."""
    seed: int


SPLITS = {
    "dev": Split(
        DEV,
        ("11pt sans-serif", "10pt 'Times New Roman'", "bold 10pt sans-serif"),
        seed=1,
    ),
    "held_out": Split(
        HELD_OUT,
        ("11pt serif", "9pt monospace", "italic 12pt serif", "bold 10pt serif"),
        seed=2,
    ),
}


def samples(split: str, *, fonts: int | None = None) -> Iterator[Sample]:
    """All pages of one half, or those in its first `fonts` fonts."""
    half = SPLITS[split]
    half = replace(half, fonts=half.fonts[:fonts])
    rng = random.Random(half.seed)
    for name, pdf in honest_pages(half, rng):
        yield Sample(f"{split}/{name}", name.split("-")[0], ("trusted",), pdf)
    for index, font in enumerate(half.fonts):
        for name, expected, pdf in lying_pages(half, font, rng):
            yield Sample(f"{split}/{name}-{index}", name, expected, pdf)
    for language, text in half.passages.items():
        if language == "en":
            continue
        pdf = html_page(paragraphs(text, rng, 6), half.fonts[0])
        for name, lie in (("cipher all", cipher_all), ("no tounicode", without_tounicode)):
            yield Sample(f"{split}/{name}-{language}", name, ("garbled",), lie(pdf, rng))


def honest_pages(half: Split, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    for language, text in half.passages.items():
        yield f"language-{language}", html_page(paragraphs(text, rng, 6), half.fonts[0])
    english = half.passages["en"]
    for index, font in enumerate(half.fonts):
        yield f"article-{index}", html_page("<h2>Notes</h2>" + paragraphs(english, rng, 8), font)
        yield f"table-{index}", html_page(table_of(english, rng), font)
        yield f"numbers-{index}", html_page(number_rows(rng), font)
        yield f"few words-{index}", html_page("<h1>Annual report</h1><p>Page 3</p>", font)
        yield f"small-{index}", html_page(paragraphs(english, rng, 12), resized(font, 6))
        yield (
            f"dark-{index}",
            html_page(paragraphs(english, rng, 5), font, ink="#ffd", paper="#124"),
        )
        yield f"pale-{index}", html_page(paragraphs(english, rng, 5), font, ink="#888")
        yield f"parts list-{index}", html_page(part_numbers(rng), font)
        yield f"turned-{index}", turned(html_page(paragraphs(english, rng, 5), font))
        yield f"letterhead-{index}", on_picture(html_page(paragraphs(english, rng, 5), font), rng)
        yield f"figure-{index}", with_figure(html_page(paragraphs(english, rng, 5), font), rng)
    yield "code-0", html_page(f"<pre>{source_code()}</pre>", "9pt monospace")
    yield "formulas-0", html_page(formulas(), half.fonts[0])


def lying_pages(
    half: Split, font: str, rng: random.Random
) -> Iterator[tuple[str, tuple[str, ...], bytes]]:
    english = half.passages["en"]
    body = "<h2>Report 2019</h2>" + paragraphs(english, rng, 7) + number_rows(rng, 4)
    page = html_page(body, font)
    garbled = ("garbled",)
    for kind, changed in ciphers(rng).items():
        yield kind, garbled, mapped(page, lambda text, c=changed: c.get(text, text))
    yield "no tounicode", garbled, without_tounicode(page, rng)
    yield "private use", garbled, mapped(page, lambda text: chr(0xE000 + ord(text[0]) % 0x1000))
    yield "control characters", garbled, mapped(page, lambda text: chr(ord(text[0]) % 27 + 1))
    accents = paragraphs(half.passages["fr" if "fr" in half.passages else "es"], rng, 6)
    yield "mojibake", garbled, mapped(html_page(accents, font), mojibake)
    other = "sans-serif" if "monospace" in font else "monospace"
    swapped = shuffled(ASCII_SMALL, rng)
    mixed = f"<p style='font-family:{other}'>{english}</p>" + paragraphs(english, rng, 4)
    yield (
        "cipher one font",
        garbled,
        mapped(
            html_page(mixed, font),
            lambda text: swapped.get(text, text),
            only=1,
        ),
    )
    hidden = ("hidden",)
    yield "ocr perfect", hidden, scanned(page, rng)
    yield "ocr with errors", hidden, scanned(page, rng, errors=0.08, noise=12)
    yield "ocr shifted", ("misaligned", "hidden"), scanned(page, rng, shift=(9, 23))
    yield (
        "ocr visible below",
        ("hidden", "garbled", "partial"),
        scanned(page, rng, errors=0.03, noise=10, below=True),
    )
    yield "outlines shifted", ("misaligned", "hidden"), outlined(page, shift=(14, 31))
    partial = ("partial",)
    yield "white text", partial, html_page(body, font, ink="#fff")
    yield "half white", partial, half_white(english, font, rng)
    yield "covered by box", ("partial", "misaligned"), covered(page)
    yield "covered by photo", ("partial", "misaligned", "garbled", "hidden"), covered(page, rng)
    yield "half scan", partial, half_scan(page, html_page(paragraphs(english, rng, 7), font))
    yield "half outlines", partial, half_outlined(english, font, rng)
    yield "blank", ("none",), blank_page()
    yield "image only", ("none",), scanned(page, rng, silent=True)
