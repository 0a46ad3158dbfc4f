"""Pages that the tokenizer is trained on: prose, forms, symbols; part of make_tokenizer.py."""

from __future__ import annotations

import random
import re
import textwrap
import zlib
from collections.abc import Iterator
from dataclasses import replace

from tokenizer_table import Form, forms, letterhead

SYMBOL_LINES = 15_000

QUOTES = {
    "en": "“”", "de": "„“", "fr": "«»", "es": "«»", "it": "«»", "pt": "«»", "nl": "“”",
    "pl": "„”", "cs": "„“", "sv": "””", "da": "»«", "fi": "””", "hu": "„”", "ro": "„”",
    "tr": "“”", "nb": "«»",
}  # fmt: skip


def prose(language: str, lines: list[str]) -> Iterator[str]:
    """Pages of twelve paragraphs, set as books and forms are: broken lines, typographic marks."""
    for start in range(0, len(lines), 12):
        page = [set_paragraph(line, language) for line in lines[start : start + 12]]
        yield ("\n\n" if shuffled_key(page[0])[0] % 3 else "\n").join(page)


def set_paragraph(line: str, language: str) -> str:
    """The line as it would stand on a page, which its own checksum decides."""
    number = shuffled_key(line)[0]
    if number % 2:
        opening, closing = QUOTES.get(language, "“”")
        line = re.sub(r'"([^"]+)"', rf"{opening}\1{closing}", line)
        line = re.sub(r"(?<=\w)'(?=\w)", "’", line).replace(" - ", " – ").replace("...", "…")
    if number % 16 == 2 and len(line) < 90:
        line = capital(line, language)
    elif number % 32 == 3 and len(line) < 60 and language == "en":
        line = line.title()
    elif number % 32 == 4:
        line = f"{'•–-*'[number % 4]} {line}"
    if number % 250 == 5:
        line = line.replace("ffi", "ﬃ").replace("fi", "ﬁ").replace("fl", "ﬂ").replace("ff", "ﬀ")
    return textwrap.fill(line, 40 + number % 60, break_long_words=False, break_on_hyphens=False)


def capital(line: str, language: str) -> str:
    return (line.replace("i", "İ") if language == "tr" else line).upper()


def form(language: str, lines: list[str], rng: random.Random) -> str:
    """One page as offices print it: letterhead, fields, a table, contents, boxes, a footer."""
    wording = forms()[language]
    if rng.random() < 0.25:
        wording = replace(wording, labels=[capital(label, language) for label in wording.labels])
    parts = [
        head(rng),
        capital(rng.choice(wording.labels), language),
        *(field(wording, rng) for _ in range(8)),
        *(row(wording, lines, rng) for _ in range(6)),
        *(entry(lines, rng) for _ in range(4)),
        *(f"{rng.choice('☐☐☑☒□■○●')} {rng.choice(wording.labels)}" for _ in range(3)),
        f"{rng.choice(wording.labels)} {rng.randint(1, 20)} / {rng.randint(20, 40)}",
    ]
    return "\n".join(parts)


def head(rng: random.Random) -> str:
    """A sender: name, firm, web, telephone, bank."""
    surname = rng.choice(letterhead().surnames)
    host = surname.lower() + rng.choice((".com", ".de", ".fr", ".org", ".net", ".eu", ".co.uk"))
    digits = [rng.randint(100, 999) for _ in range(4)]
    lines = (
        f"{rng.choice(letterhead().names)} {surname}",
        f"{surname} {rng.choice(letterhead().firms)}",
        f"www.{host}",
        f"https://www.{host}/",
        f"E-mail: info@{host}",
        f"Tel.: +{rng.randint(1, 99)} {digits[0]} {digits[1]}-{digits[2]}",
        f"IBAN: {rng.choice(('DE', 'FR', 'ES', 'IT', 'NL', 'GB'))}{digits[0]} {digits[1]}",
        f"BIC: {surname.upper()}",
    )
    return "\n".join(rng.sample(lines, 4))


def field(wording: Form, rng: random.Random) -> str:
    """A label and what is filled in, or the line to fill it in on."""
    value = rng.choice(
        (
            date(wording, rng),
            money(wording, rng),
            f"{rng.choice(letterhead().names)} {rng.choice(letterhead().surnames)}",
            f"{rng.choice('ABCDEFGHKLMNPRSTVWXZ')}{rng.choice('-/. ')}{rng.randint(1000, 99999)}",
            f"{rng.randint(0, 100)}{rng.choice(('', ',5', '.5', ''))}{rng.choice(('%', ' %'))}",
            "_" * rng.randint(3, 40),
            "." * rng.randint(3, 60),
        )
    )
    gap = rng.choice((": ", ":", ": ", "  ", " " * rng.randint(2, 30)))
    return f"{rng.choice(wording.labels)}{gap}{value}"


def row(wording: Form, lines: list[str], rng: random.Random) -> str:
    """A row of a table, its columns apart by spaces, a tab or a bar."""
    gap = rng.choice((" ", " " * rng.randint(2, 16), "\t", " | "))
    number = str(rng.randint(1, 30))
    return gap.join((number, words(lines, rng), number, money(wording, rng), money(wording, rng)))


def entry(lines: list[str], rng: random.Random) -> str:
    """A line of a table of contents, with a leader."""
    leader = rng.choice(("." * rng.randint(4, 80), " ." * rng.randint(4, 30), "…" * 8))
    number = rng.choice(("", f"{rng.randint(1, 9)}.{rng.randint(1, 9)} ", f"{rng.randint(1, 9)}. "))
    return f"{number}{words(lines, rng)} {leader} {rng.randint(1, 300)}"


def words(lines: list[str], rng: random.Random) -> str:
    return " ".join(rng.choice(lines).split(" ")[: rng.randint(1, 4)])


def money(wording: Form, rng: random.Random) -> str:
    amount = f"{rng.randint(1, 10 ** rng.randint(1, 6)) / 100:,.2f}"
    if wording.money != forms()["en"].money:
        amount = amount.translate(str.maketrans(",.", rng.choice((".,", " ,", "\u00a0,"))))
    return rng.choice(wording.money).format(amount)


def date(wording: Form, rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1950, 2035)
    return rng.choice(wording.date).format(
        day=day,
        dd=f"{day:02}",
        month=wording.months[month - 1],
        mm=f"{month:02}",
        year=year,
        yy=f"{year % 100:02}",
    )


SYMBOLS = (
    "αβγδεζηθικλμνξοπρςστυφχψωΓΔΘΛΞΠΣΦΨΩ±×÷−·≤≥≠≈≡∞√∑∏∫∂∇∈∉⊂∪∩∀∃→←↑↓↔⇒⇔∝∼°′″‰µ"
    "€£¥¢₹₺₽₩§¶©®™•‣–—―‘’‚“”„‹›«»…†‡¡¿№ªº¹²³⁴₂½¼¾☐☑☒✓✔✗□■▪○●◦►▶★ﬁﬂﬀﬃﬄ"
    "\u00a0\u00ad\u2009\u200b\u202f\ufeff"
)
LATIN = "".join(chr(code) for code in (*range(0xC0, 0x180), *range(0x218, 0x21C), 0x1E9E))


def symbols(rng: random.Random) -> Iterator[str]:
    """Lines that give every symbol and every letter of European alphabets a token of its own."""
    letters = [char for char in LATIN if char.isalpha()]
    for _ in range(SYMBOL_LINES):
        yield "1".join((*rng.choices(SYMBOLS, k=5), *rng.choices(letters, k=3)))


def shuffled_key(line: str) -> tuple[int, str]:
    """An even, repeatable number of a line, and the line against ties."""
    return zlib.crc32(line.encode()), line
