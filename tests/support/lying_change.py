"""What makes a text layer lie: other maps, scans, outlines, covers, hidden text."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Mapping

import cv2
import numpy as np

sys.modules.setdefault("pymupdf.layout", None)  # type: ignore[arg-type]
import pymupdf  # noqa: E402
from support.lying_page import (  # noqa: E402
    HEIGHT,
    WIDTH,
    html_page,
    paragraphs,
    pdf_bytes,
    png_of,
)

ASCII_SMALL = "abcdefghijklmnopqrstuvwxyz"

EQUAL_WIDTH = ("bdghnopqu", "aeLkvxyzcs", "ijlft", "mw", "BEKPSAVXY", "CDGHNORQU", "0123456789")


def mapped(pdf: bytes, change: Callable[[str], str], *, only: int | None = None) -> bytes:
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
        glyphs = read_cmap(doc.xref_stream(stream).decode("latin-1"))
        doc.update_stream(stream, write_cmap({g: change(t) for g, t in glyphs.items()}))
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def read_cmap(cmap: str) -> dict[int, str]:
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


def write_cmap(glyphs: Mapping[int, str]) -> bytes:
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


def shuffled(characters: str, rng: random.Random) -> dict[str, str]:
    """A permutation that leaves few characters where they were."""
    while True:
        others = rng.sample(characters, len(characters))
        if sum(a == b for a, b in zip(characters, others, strict=True)) <= len(characters) // 8:
            return dict(zip(characters, others, strict=True))


def ciphers(rng: random.Random) -> dict[str, dict[str, str]]:
    letters = ASCII_SMALL + ASCII_SMALL.upper()
    small = shuffled(ASCII_SMALL, rng)
    equal: dict[str, str] = {}
    for group in EQUAL_WIDTH:
        equal |= shuffled(group, rng) if len(group) > 2 else {}
    step = rng.choice((1, 3, 13))
    caesar = {c: ASCII_SMALL[(i + step) % 26] for i, c in enumerate(ASCII_SMALL)}
    return {
        "cipher random": shuffled(letters, rng),
        "cipher caesar": caesar | {a.upper(): b.upper() for a, b in caesar.items()},
        "cipher keeping case": small | {a.upper(): b.upper() for a, b in small.items()},
        "cipher equal width": equal,
        "cipher digits": shuffled("0123456789", rng),
        "cipher small letters": small,
    }


def cipher_all(pdf: bytes, rng: random.Random) -> bytes:
    """Every character of the page swapped for another one of the page."""
    doc = pymupdf.open("pdf", pdf)
    used = sorted({c for c in doc[0].get_text() if not c.isspace() and ord(c) < 0xD800})
    doc.close()
    changed = shuffled("".join(used), rng)
    return mapped(pdf, lambda text: changed.get(text, text))


def mojibake(text: str) -> str:
    return text.encode().decode("cp1252", "replace") if text > "\x7f" else text


def without_tounicode(pdf: bytes, rng: random.Random) -> bytes:
    """Fonts of character codes alone: glyph numbers, other ones than the font program's own."""
    del rng
    doc = pymupdf.open("pdf", pdf)
    for xref, *_ in doc[0].get_fonts():
        doc.xref_set_key(xref, "ToUnicode", "null")
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def picture_of_page(pdf: bytes, dpi: int, noise: float, rng: random.Random) -> bytes:
    """The page as a scanner sees it."""
    doc = pymupdf.open("pdf", pdf)
    pixmap = doc[0].get_pixmap(dpi=dpi, colorspace="gray")
    pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)
    doc.close()
    if not noise:
        return png_of(pixels)
    draw = np.random.default_rng(rng.randrange(1 << 30))
    blurred = cv2.GaussianBlur(pixels, (0, 0), 0.8).astype(np.float32)
    height, width = pixels.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), draw.uniform(-0.4, 0.4), 1)
    blurred = cv2.warpAffine(blurred, turn, (width, height), borderValue=245)
    seen = np.clip(blurred * 0.92 + draw.normal(0, noise, pixels.shape), 0, 255)
    return bytes(cv2.imencode(".jpg", seen.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 70])[1])


def scanned(
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
    page.insert_image(page.rect, stream=picture_of_page(pdf, 150, noise, rng), overlay=below)
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def outlined(pdf: bytes, shift: tuple[float, float] | None = None) -> bytes:
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


def half_white(text: str, font: str, rng: random.Random) -> bytes:
    doc = pymupdf.open("pdf", html_page(paragraphs(text, rng, 4), font, frame=(50, 50, 545, 400)))
    white = html_page(paragraphs(text, rng, 4), font, ink="#fff", frame=(50, 420, 545, 800))
    doc[0].show_pdf_page(doc[0].rect, pymupdf.open("pdf", white), 0)
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def covered(pdf: bytes, rng: random.Random | None = None) -> bytes:
    """The text painted over: by white, or by a photograph."""
    doc = pymupdf.open("pdf", pdf)
    page = doc[0]
    if rng is None:
        page.draw_rect(page.rect, fill=(1, 1, 1), color=None)
    else:
        noise = np.random.default_rng(rng.randrange(1 << 30)).integers(0, 255, (60, 42), np.uint8)
        photo = cv2.resize(noise, (595, 842), interpolation=cv2.INTER_CUBIC)
        page.insert_image(page.rect, stream=png_of(photo))
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def half_scan(top: bytes, bottom: bytes) -> bytes:
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
    return pdf_bytes(doc)


def half_outlined(text: str, font: str, rng: random.Random) -> bytes:
    shapes = outlined(html_page(paragraphs(text, rng, 8), font, frame=(50, 420, 545, 800)))
    doc = pymupdf.open("pdf", html_page(paragraphs(text, rng, 4), font, frame=(50, 50, 545, 400)))
    doc[0].show_pdf_page(doc[0].rect, pymupdf.open("pdf", shapes), 0)
    data = doc.tobytes(deflate=True)
    doc.close()
    return bytes(data)


def blank_page() -> bytes:
    doc = pymupdf.open()
    doc.new_page(width=WIDTH, height=HEIGHT)
    data = doc.tobytes()
    doc.close()
    return bytes(data)
