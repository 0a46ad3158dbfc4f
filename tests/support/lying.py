"""A labelled set of pages: text layers that may be believed, and every kind that may not.

`samples(split)` makes them, the same ones each time. `dev` and `held_out` share neither
passages nor fonts nor random numbers. A lie is told the way real files tell it: the page is
written honestly, then its ToUnicode maps, its images or its drawing order are changed.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from support.passages import DEV, HELD_OUT

sys.modules.setdefault("pymupdf.layout", None)  # type: ignore[arg-type]
import pymupdf  # noqa: E402

WIDTH, HEIGHT = 595.0, 842.0
FRAME = (50.0, 50.0, 545.0, 800.0)
ASCII_SMALL = "abcdefghijklmnopqrstuvwxyz"
EQUAL_WIDTH = ("bdghnopqu", "aeLkvxyzcs", "ijlft", "mw", "BEKPSAVXY", "CDGHNORQU", "0123456789")


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
    for name, pdf in _honest(half, rng):
        yield Sample(f"{split}/{name}", name.split("-")[0], ("trusted",), pdf)
    for index, font in enumerate(half.fonts):
        for name, expected, pdf in _lies(half, font, rng):
            yield Sample(f"{split}/{name}-{index}", name, expected, pdf)
    for language, text in half.passages.items():
        if language == "en":
            continue
        pdf = _html(_paragraphs(text, rng, 6), half.fonts[0])
        for name, lie in (("cipher all", _cipher_all), ("no tounicode", _without_tounicode)):
            yield Sample(f"{split}/{name}-{language}", name, ("garbled",), lie(pdf, rng))


def _honest(half: Split, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    for language, text in half.passages.items():
        yield f"language-{language}", _html(_paragraphs(text, rng, 6), half.fonts[0])
    english = half.passages["en"]
    for index, font in enumerate(half.fonts):
        yield f"article-{index}", _html("<h2>Notes</h2>" + _paragraphs(english, rng, 8), font)
        yield f"table-{index}", _html(_table(english, rng), font)
        yield f"numbers-{index}", _html(_numbers(rng), font)
        yield f"few words-{index}", _html("<h1>Annual report</h1><p>Page 3</p>", font)
        yield f"small-{index}", _html(_paragraphs(english, rng, 12), _resized(font, 6))
        yield f"dark-{index}", _html(_paragraphs(english, rng, 5), font, ink="#ffd", paper="#124")
        yield f"pale-{index}", _html(_paragraphs(english, rng, 5), font, ink="#888")
        yield f"parts list-{index}", _html(_part_numbers(rng), font)
        yield f"turned-{index}", _turned(_html(_paragraphs(english, rng, 5), font))
        yield f"letterhead-{index}", _on_picture(_html(_paragraphs(english, rng, 5), font), rng)
        yield f"figure-{index}", _with_figure(_html(_paragraphs(english, rng, 5), font), rng)
    yield "code-0", _html(f"<pre>{_code()}</pre>", "9pt monospace")
    yield "formulas-0", _html(_formulas(), half.fonts[0])


def _lies(
    half: Split, font: str, rng: random.Random
) -> Iterator[tuple[str, tuple[str, ...], bytes]]:
    english = half.passages["en"]
    body = "<h2>Report 2019</h2>" + _paragraphs(english, rng, 7) + _numbers(rng, 4)
    page = _html(body, font)
    garbled = ("garbled",)
    for kind, changed in _ciphers(rng).items():
        yield kind, garbled, _mapped(page, lambda text, c=changed: c.get(text, text))
    yield "no tounicode", garbled, _without_tounicode(page, rng)
    yield "private use", garbled, _mapped(page, lambda text: chr(0xE000 + ord(text[0]) % 0x1000))
    yield "control characters", garbled, _mapped(page, lambda text: chr(ord(text[0]) % 27 + 1))
    accents = _paragraphs(half.passages["fr" if "fr" in half.passages else "es"], rng, 6)
    yield "mojibake", garbled, _mapped(_html(accents, font), _mojibake)
    other = "sans-serif" if "monospace" in font else "monospace"
    swapped = _shuffled(ASCII_SMALL, rng)
    mixed = f"<p style='font-family:{other}'>{english}</p>" + _paragraphs(english, rng, 4)
    yield (
        "cipher one font",
        garbled,
        _mapped(
            _html(mixed, font),
            lambda text: swapped.get(text, text),
            only=1,
        ),
    )
    hidden = ("hidden",)
    yield "ocr perfect", hidden, _scanned(page, rng)
    yield "ocr with errors", hidden, _scanned(page, rng, errors=0.08, noise=12)
    yield "ocr shifted", ("misaligned", "hidden"), _scanned(page, rng, shift=(9, 23))
    yield (
        "ocr visible below",
        ("hidden", "garbled", "partial"),
        _scanned(page, rng, errors=0.03, noise=10, below=True),
    )
    yield "outlines shifted", ("misaligned", "hidden"), _outlined(page, shift=(14, 31))
    partial = ("partial",)
    yield "white text", partial, _html(body, font, ink="#fff")
    yield "half white", partial, _half_white(english, font, rng)
    yield "covered by box", ("partial", "misaligned"), _covered(page)
    yield "covered by photo", ("partial", "misaligned", "garbled", "hidden"), _covered(page, rng)
    yield "half scan", partial, _half_scan(page, _html(_paragraphs(english, rng, 7), font))
    yield "half outlines", partial, _half_outlined(english, font, rng)
    yield "blank", ("none",), _blank()
    yield "image only", ("none",), _scanned(page, rng, silent=True)


# pages


def _html(
    body: str, font: str, *, ink: str = "#000", paper: str = "", frame: tuple[float, ...] = FRAME
) -> bytes:
    """A page with embedded fonts whose ToUnicode maps are true."""
    doc = pymupdf.open()
    page = doc.new_page(width=WIDTH, height=HEIGHT)
    if paper:
        page.draw_rect(page.rect, fill=pymupdf.sRGB_to_pdf(int(paper[1:] * 2, 16)), color=None)
    css = f"* {{font: {font}; color: {ink};}} h1 {{font-size: 30pt}} td {{padding: 2pt 8pt}}"
    page.insert_htmlbox(frame, body, css=css)
    return _bytes(doc)


def _bytes(doc: Any) -> bytes:
    doc.subset_fonts()
    data = doc.tobytes(garbage=3, deflate=True)
    doc.close()
    return bytes(data)


def _paragraphs(text: str, rng: random.Random, count: int) -> str:
    sentences = re.split(r"(?<=[.;。，])\s*", text)
    parts = []
    for _ in range(count):
        chosen = [rng.choice(sentences) for _ in range(4)]
        parts.append("<p>" + " ".join(chosen) + "</p>")
    return "".join(parts)


def _table(text: str, rng: random.Random) -> str:
    words = text.split()
    rows = "".join(
        f"<tr><td>{rng.choice(words)} {rng.choice(words)}</td><td>{rng.randint(2, 98)}</td>"
        f"<td>{rng.uniform(1, 9999):,.2f}</td></tr>"
        for _ in range(24)
    )
    return f"<table border='1'>{rows}</table>"


def _numbers(rng: random.Random, lines: int = 25) -> str:
    rows = (" ".join(f"{rng.uniform(0, 99999):.2f}" for _ in range(6)) for _ in range(lines))
    return "".join(f"<p>{row}</p>" for row in rows)


def _part_numbers(rng: random.Random) -> str:
    def part() -> str:
        letters = "".join(rng.choice("ABCDEFGHKLMNPQRSTVWXZ") for _ in range(3))
        return f"{letters}-{rng.randint(1000, 99999)}/{rng.choice('xyzq')}{rng.randint(1, 9)}"

    return "".join(f"<p>{' '.join(part() for _ in range(5))}</p>" for _ in range(20))


def _code() -> str:
    lines = (
        "def merge(left, right):",
        "    result = []",
        "    while left and right:",
        "        source = left if left[0] &lt;= right[0] else right",
        "        result.append(source.pop(0))  # stable",
        "    return result + left + right",
        "if __name__ == '__main__':",
        "    print(merge([1, 4, 7], [2, 3, 9]), end='\\n')",
    )
    return "\n".join(lines * 4)


def _formulas() -> str:
    line = (
        "<p>Let <i>f</i>(<i>x</i>) = ∑ <i>a</i><sub>k</sub><i>x</i><sup>k</sup> with α ≤ β, then "
        "∫ <i>f</i> d<i>x</i> ≠ 0 and |<i>x</i> − μ| &lt; ε ∈ Ω; hence σ² ≈ 2π.</p>"
    )
    return "<h2>Theorem 4</h2>" + line * 8


def _resized(font: str, size: int) -> str:
    return re.sub(r"\d+pt", f"{size}pt", font)


def _turned(pdf: bytes) -> bytes:
    doc = pymupdf.open("pdf", pdf)
    doc[0].set_rotation(90)
    return _bytes(doc)


def _on_picture(pdf: bytes, rng: random.Random) -> bytes:
    """Live text over a picture that fills the page, as letterheads and slides have it."""
    pixels = np.full((421, 298, 3), 250, np.uint8)
    shade = np.linspace(0, 60, 298).astype(np.uint8)
    pixels[:60] -= shade[None, :, None]
    cv2.circle(pixels, (40, 30), 18, (200, 90, rng.randint(0, 90)), -1)
    doc = pymupdf.open("pdf", pdf)
    doc[0].insert_image(doc[0].rect, stream=_png(pixels), overlay=False)
    return _bytes(doc)


def _with_figure(pdf: bytes, rng: random.Random) -> bytes:
    noise = np.random.default_rng(rng.randrange(1 << 30)).integers(0, 255, (40, 60, 3), np.uint8)
    photo = cv2.resize(noise, (480, 320), interpolation=cv2.INTER_CUBIC)
    doc = pymupdf.open("pdf", pdf)
    doc[0].insert_image((120, 560, 480, 800), stream=_png(photo))
    return _bytes(doc)


def _png(pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


# what the text layer says


def _mapped(pdf: bytes, change: Callable[[str], str], *, only: int | None = None) -> bytes:
    """The page with another ToUnicode: `change` gives the new text of each glyph.

    Args:
        pdf: a page.
        change: from the true text of a glyph to the false.
        only: change this font alone, by its place in the page's list.
    """
    doc = pymupdf.open("pdf", pdf)
    for index, (xref, *_) in enumerate(doc[0].get_fonts()):
        kind, value = doc.xref_get_key(xref, "ToUnicode")
        if kind != "xref" or (only is not None and index != only):
            continue
        stream = int(value.split()[0])
        glyphs = _read_cmap(doc.xref_stream(stream).decode("latin-1"))
        doc.update_stream(stream, _write_cmap({g: change(t) for g, t in glyphs.items()}))
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def _read_cmap(cmap: str) -> dict[int, str]:
    glyphs: dict[int, str] = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.S):
        for glyph, text in re.findall(r"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>", block):
            glyphs[int(glyph, 16)] = bytes.fromhex(text).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", cmap, re.S):
        for first, last, text in re.findall(r"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
            start = bytes.fromhex(text).decode("utf-16-be")
            for step, glyph in enumerate(range(int(first, 16), int(last, 16) + 1)):
                glyphs[glyph] = start[:-1] + chr(ord(start[-1]) + step)
    return glyphs


def _write_cmap(glyphs: Mapping[int, str]) -> bytes:
    rows = [
        f"<{glyph:04x}> <{text.encode('utf-16-be', 'surrogatepass').hex()}>"
        for glyph, text in sorted(glyphs.items())
        if text
    ]
    blocks = "\n".join(
        f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar"
        for part in (rows[i : i + 100] for i in range(0, len(rows), 100))
    )
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{blocks}\nendcmap end end\n"
    ).encode("latin-1")


def _shuffled(characters: str, rng: random.Random) -> dict[str, str]:
    """A permutation that leaves few characters where they were."""
    while True:
        others = rng.sample(characters, len(characters))
        if sum(a == b for a, b in zip(characters, others, strict=True)) <= len(characters) // 8:
            return dict(zip(characters, others, strict=True))


def _ciphers(rng: random.Random) -> dict[str, dict[str, str]]:
    letters = ASCII_SMALL + ASCII_SMALL.upper()
    small = _shuffled(ASCII_SMALL, rng)
    equal: dict[str, str] = {}
    for group in EQUAL_WIDTH:
        equal |= _shuffled(group, rng) if len(group) > 2 else {}
    step = rng.choice((1, 3, 13))
    caesar = {c: ASCII_SMALL[(i + step) % 26] for i, c in enumerate(ASCII_SMALL)}
    return {
        "cipher random": _shuffled(letters, rng),
        "cipher caesar": caesar | {a.upper(): b.upper() for a, b in caesar.items()},
        "cipher keeping case": small | {a.upper(): b.upper() for a, b in small.items()},
        "cipher equal width": equal,
        "cipher digits": _shuffled("0123456789", rng),
        "cipher small letters": small,
    }


def _cipher_all(pdf: bytes, rng: random.Random) -> bytes:
    """Every character of the page swapped for another one of the page."""
    doc = pymupdf.open("pdf", pdf)
    used = sorted({c for c in doc[0].get_text() if not c.isspace() and ord(c) < 0xD800})
    doc.close()
    changed = _shuffled("".join(used), rng)
    return _mapped(pdf, lambda text: changed.get(text, text))


def _mojibake(text: str) -> str:
    return text.encode().decode("cp1252", "replace") if text > "\x7f" else text


def _without_tounicode(pdf: bytes, rng: random.Random) -> bytes:
    """Fonts of character codes alone: glyph numbers, other ones than the font program's own."""
    del rng
    doc = pymupdf.open("pdf", pdf)
    for xref, *_ in doc[0].get_fonts():
        doc.xref_set_key(xref, "ToUnicode", "null")
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


# what the page shows


def _picture(pdf: bytes, dpi: int, noise: float, rng: random.Random) -> bytes:
    """The page as a scanner sees it."""
    doc = pymupdf.open("pdf", pdf)
    pixmap = doc[0].get_pixmap(dpi=dpi, colorspace="gray")
    pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)
    doc.close()
    if not noise:
        return _png(pixels)
    draw = np.random.default_rng(rng.randrange(1 << 30))
    blurred = cv2.GaussianBlur(pixels, (0, 0), 0.8).astype(np.float32)
    height, width = pixels.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), draw.uniform(-0.4, 0.4), 1)
    blurred = cv2.warpAffine(blurred, turn, (width, height), borderValue=245)
    seen = np.clip(blurred * 0.92 + draw.normal(0, noise, pixels.shape), 0, 255)
    return bytes(cv2.imencode(".jpg", seen.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 70])[1])


def _scanned(
    pdf: bytes,
    rng: random.Random,
    *,
    errors: float = 0.0,
    noise: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    below: bool = False,
    silent: bool = False,
) -> bytes:
    """A picture of the page with its words as an OCR program adds them.

    Args:
        errors: share of characters misread.
        noise: of the scan, grey levels.
        shift: of the words against the picture, pt.
        below: the words are painted, under the picture, instead of being invisible.
        silent: no words.
    """
    source = pymupdf.open("pdf", pdf)
    words = source[0].get_text("words")
    source.close()
    doc = pymupdf.open()
    page = doc.new_page(width=WIDTH, height=HEIGHT)
    font = pymupdf.Font("helv")
    for x0, _y0, x1, y1, text, *_ in () if silent else words:
        seen = "".join(rng.choice(ASCII_SMALL) if rng.random() < errors else c for c in text)
        size = (x1 - x0) / max(0.1, font.text_length(seen, 1))
        page.insert_text(
            (x0 + shift[0], y1 - 0.2 * size + shift[1]),
            seen,
            fontsize=min(size, 40),
            render_mode=0 if below else 3,
        )
    page.insert_image(page.rect, stream=_picture(pdf, 150, noise, rng), overlay=below)
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def _outlined(pdf: bytes, shift: tuple[float, float] | None = None) -> bytes:
    """The page's text as shapes; with its words invisible and moved, if `shift` is given, pt."""
    source = pymupdf.open("pdf", pdf)
    svg = source[0].get_svg_image(text_as_path=True)
    drawing = pymupdf.open("pdf", pymupdf.open("svg", svg.encode()).convert_to_pdf())
    doc = pymupdf.open()
    page = doc.new_page(width=WIDTH, height=HEIGHT)
    page.show_pdf_page(page.rect, drawing, 0)
    for x0, _y0, _x1, y1, text, *_ in source[0].get_text("words") if shift else ():
        page.insert_text((x0 + shift[0], y1 + shift[1] - 3), text, fontsize=10, render_mode=3)
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def _half_white(text: str, font: str, rng: random.Random) -> bytes:
    doc = pymupdf.open("pdf", _html(_paragraphs(text, rng, 4), font, frame=(50, 50, 545, 400)))
    white = _html(_paragraphs(text, rng, 4), font, ink="#fff", frame=(50, 420, 545, 800))
    doc[0].show_pdf_page(doc[0].rect, pymupdf.open("pdf", white), 0)
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def _covered(pdf: bytes, rng: random.Random | None = None) -> bytes:
    """The text painted over: by white, or by a photograph."""
    doc = pymupdf.open("pdf", pdf)
    page = doc[0]
    if rng is None:
        page.draw_rect(page.rect, fill=(1, 1, 1), color=None)
    else:
        noise = np.random.default_rng(rng.randrange(1 << 30)).integers(0, 255, (60, 42), np.uint8)
        photo = cv2.resize(noise, (595, 842), interpolation=cv2.INTER_CUBIC)
        page.insert_image(page.rect, stream=_png(photo))
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def _half_scan(top: bytes, bottom: bytes) -> bytes:
    """Live text above, the picture of another page's text below."""
    source = pymupdf.open("pdf", bottom)
    clip = pymupdf.Rect(0, 0, WIDTH, HEIGHT / 2)
    picture = source[0].get_pixmap(dpi=200, clip=clip).tobytes("png")
    doc = pymupdf.open("pdf", top)
    page = doc[0]
    area = pymupdf.Rect(0, HEIGHT / 2, WIDTH, HEIGHT)
    page.add_redact_annot(area)
    page.apply_redactions()
    page.insert_image(area, stream=picture)
    return _bytes(doc)


def _half_outlined(text: str, font: str, rng: random.Random) -> bytes:
    shapes = _outlined(_html(_paragraphs(text, rng, 8), font, frame=(50, 420, 545, 800)))
    doc = pymupdf.open("pdf", _html(_paragraphs(text, rng, 4), font, frame=(50, 50, 545, 400)))
    doc[0].show_pdf_page(doc[0].rect, pymupdf.open("pdf", shapes), 0)
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def _blank() -> bytes:
    doc = pymupdf.open()
    doc.new_page(width=WIDTH, height=HEIGHT)
    data = doc.tobytes()
    doc.close()
    return bytes(data)
