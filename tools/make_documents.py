"""Makes examples/documents from examples/source: run by hand, the result is committed.

    python tools/make_documents.py

Needs chromium and the fonts that README.md lists, besides what Pagemill itself needs. The same
chromium and the same fonts give the same bytes, the encrypted file apart: its salt is drawn. Text
and layout are ours; see README.md for the two texts in the public domain.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

sys.modules.setdefault("pymupdf.layout", None)
import pymupdf

HERE = Path(__file__).resolve().parents[1] / "examples"
SOURCE = HERE / "source"
TARGET = HERE / "documents"
PASSWORD = "laid-and-wove"

sys.path.insert(0, str(SOURCE))
import sheets

PLAIN = (
    "constitution-en",
    "paper-en",
    "newsletter-de",
    "papyrus-el",
    "bumaga-ru",
    "washi-ja",
    "zaozhi-zh",
    "waraq-ar",
    "slides-en",
    "manual-en",
)
SHEETS = {"factures-fr": sheets.invoices_fr, "memoria-es": sheets.report_es}


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.iterdir():
        old.unlink()
    for name in PLAIN:
        save(typeset(name), f"{name}.pdf")
    for name, make in SHEETS.items():
        save(typeset_html(make()), f"{name}.pdf")
    save(rotated(), "produkcja-pl.pdf")
    save(form(), "membership-form-en.pdf")
    save(ciphered(typeset("letter-en")), "letter-ciphered-en.pdf")
    save(typeset("loan-en"), "loan-encrypted-en.pdf", password=PASSWORD)
    save(scan(typeset("letter-en"), seed=1), "letter-scan-en.pdf")
    save(scan(typeset("froschkoenig-de"), seed=2, ocr=True), "froschkoenig-ocr-de.pdf")
    tiff(typeset("minutes-en"), TARGET / "minutes-scan-en.tif")
    (TARGET / "letter-truncated-pl.pdf").write_bytes(truncated(typeset_html(sheets.note_pl())))
    dump(
        {"shop/receipt-en.pdf": sheets.receipt_en(), "shop/timetable-en.pdf": sheets.timetable_en()}
    )
    (HERE / "passwords.txt").write_text(f"{PASSWORD}\n", encoding="utf-8")


def typeset(name: str) -> pymupdf.Document:
    return typeset_html((SOURCE / f"{name}.html").read_text(encoding="utf-8"))


def typeset_html(text: str) -> pymupdf.Document:
    """The pages that chromium prints, without dates."""
    with tempfile.TemporaryDirectory() as folder:
        page, out = Path(folder, "page.html"), Path(folder, "page.pdf")
        page.write_text(text, encoding="utf-8")
        subprocess.run(
            [
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-pdf-header-footer",
                "--virtual-time-budget=2000",
                f"--print-to-pdf={out}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        doc = pymupdf.open(stream=out.read_bytes(), filetype="pdf")
    title = re.search("<title>(.*?)</title>", text)
    describe(doc, title[1] if title else "", "Skia/PDF")
    return doc


def describe(doc: pymupdf.Document, title: str, producer: str) -> None:
    day = "D:20260101000000Z"
    words = {"title": title, "producer": producer, "creationDate": day, "modDate": day}
    doc.set_metadata(words | {"creator": "", "author": "", "subject": "", "keywords": ""})


def to_bytes(doc: pymupdf.Document, password: str = "") -> bytes:
    options: dict[str, object] = {"garbage": 4, "deflate": True, "no_new_id": True}
    if password:
        options |= {
            "encryption": pymupdf.PDF_ENCRYPT_AES_256,
            "user_pw": password,
            "owner_pw": password,
        }
    return doc.tobytes(**options)


def save(doc: pymupdf.Document, name: str, password: str = "") -> None:
    (TARGET / name).write_bytes(to_bytes(doc, password))


def rotated() -> pymupdf.Document:
    """A portrait letter, then a wide table on a portrait sheet with /Rotate 90."""
    doc = typeset_html(sheets.note_pl())
    table = typeset_html(sheets.table_pl())
    for number in range(len(table)):
        page = doc.new_page(width=595, height=842)
        page.show_pdf_page(page.rect, table, number, rotate=90)
        page.set_rotation(90)
    describe(doc, "Sprawozdanie", "Skia/PDF")
    return doc


BOLD, PLAIN_FONT = "hebo", "helv"
MEMBER = (
    ("Surname", "Okonkwo-Reid"),
    ("First names", "Amara Jane"),
    ("Date of birth", "03/09/1988"),
    ("Street and number", "27 Sluice Terrace"),
    ("Town", "Ottermere"),
    ("Postcode", ""),
    ("Telephone", ""),
    ("E-mail", "a.okonkwo@example.org"),
    ("Occupation", "Bookbinder"),
)
MEMBERSHIPS = (
    "Single, 24 pounds a year",
    "Family, 40 pounds a year",
    "School or library, 60 pounds a year",
    "Life, 600 pounds once",
)
NOTES = (
    "Membership runs from the first day of the month in which the fee arrives and lasts twelve "
    "months. It is renewed unless you tell us otherwise in writing four weeks before its end.\n\n"
    "Members enter free of charge on every open day, bring one guest, and borrow books from the "
    "library for six weeks. They receive the newsletter three times a year, on paper.\n\n"
    "Volunteers are insured while they work at the mill and on the way there. Whoever works at "
    "the wheel needs the short course on safety, which is given on the first Saturday of the "
    "month at nine.\n\n"
    "Your address is used to send you the newsletter and the invitation to the general meeting. "
    "It is not given to anybody else. You may ask at any time what we have written down about "
    "you.\n\n"
    "Please return the form to the shop or by post to Mill Lane, Ottermere."
)


def form() -> pymupdf.Document:
    """A form of two pages with fields, some of them filled in."""
    doc = pymupdf.open()
    page = doc.new_page(width=595, height=842)
    form_head(page)
    y = form_fields(page, 130.0)
    y = form_boxes(page, y + 24)
    form_foot(page, y + 60)
    back = doc.new_page(width=595, height=842)
    back.insert_text((40, 70), "Notes for applicants", fontname=BOLD, fontsize=14)
    back.insert_textbox((40, 90, 555, 480), NOTES, fontname="tiro", fontsize=11.5, lineheight=1.4)
    describe(doc, "Application for membership", "MuPDF")
    return doc


def form_head(page: pymupdf.Page) -> None:
    """Who asks, and for what."""
    white = (1, 1, 1)
    page.draw_rect((40, 40, 555, 96), fill=(0.12, 0.25, 0.36), color=None)
    page.insert_text((54, 64), "Ottermere Mill Trust", fontname=BOLD, fontsize=16, color=white)
    page.insert_text(
        (54, 84), "Application for membership", fontname=PLAIN_FONT, fontsize=12, color=white
    )
    page.insert_text((430, 64), "Form M-1", fontname=PLAIN_FONT, fontsize=10, color=white)


def form_fields(page: pymupdf.Page, y: float) -> float:
    """Fields to fill in, one below the other; returns the y below them."""
    page.insert_text((40, y - 12), "1. About you (please print)", fontname=BOLD, fontsize=11)
    for label, value in MEMBER:
        page.insert_text((44, y + 14), label, fontname=PLAIN_FONT, fontsize=9)
        field(page, label, value, (170, y, 540, y + 20))
        y += 28
    return y


def form_boxes(page: pymupdf.Page, y: float) -> float:
    """Boxes to tick, one of them ticked; returns the y below them."""
    page.insert_text((40, y - 8), "2. Kind of membership (tick one)", fontname=BOLD, fontsize=11)
    for number, kind in enumerate(MEMBERSHIPS):
        page.draw_rect((46, y + 4, 57, y + 15), color=(0, 0, 0), width=0.8)
        if number == 1:
            page.draw_line((48, y + 9), (51, y + 14), width=1.4)
            page.draw_line((51, y + 14), (57, y + 2), width=1.4)
        page.insert_text((66, y + 13), kind, fontname=PLAIN_FONT, fontsize=10)
        y += 22
    y += 24
    page.insert_text(
        (40, y - 8), "3. What would you like to help with?", fontname=BOLD, fontsize=11
    )
    for number, kind in enumerate(["Vat", "Loft", "Shop", "Garden", "Archive", "Cake"]):
        x = 46 + 165 * (number % 3)
        page.draw_rect((x, y + 4, x + 11, y + 15), color=(0, 0, 0), width=0.8)
        page.insert_text((x + 20, y + 13), kind, fontname=PLAIN_FONT, fontsize=10)
        y += 22 * (number == 2)
    return y


def form_foot(page: pymupdf.Page, y: float) -> None:
    """Where to sign, and what the office fills in."""
    page.draw_line((44, y + 30), (270, y + 30), width=0.6)
    page.insert_text((44, y + 42), "Date and signature", fontname=PLAIN_FONT, fontsize=8)
    page.draw_rect((320, y - 10, 540, y + 46), color=(0.4, 0.4, 0.4), width=0.6, dashes="[3] 0")
    page.insert_text((328, y + 4), "For the office only", fontname=PLAIN_FONT, fontsize=8)
    page.insert_text(
        (328, y + 24),
        "No. ........................  Received ......................",
        fontname=PLAIN_FONT,
        fontsize=8,
    )


def field(
    page: pymupdf.Page, name: str, value: str, box: tuple[float, float, float, float]
) -> None:
    widget = pymupdf.Widget()
    widget.field_name, widget.field_value = name, value
    widget.field_type = pymupdf.PDF_WIDGET_TYPE_TEXT
    widget.rect = pymupdf.Rect(box)
    widget.border_color, widget.border_width = (0.45, 0.45, 0.45), 0.7
    widget.text_font, widget.text_fontsize = "Cour", 11
    page.add_widget(widget)


def ciphered(doc: pymupdf.Document) -> pymupdf.Document:
    """The same page to the eye; its ToUnicode maps say every letter 7 places further on."""

    def turn(match: re.Match[bytes]) -> bytes:
        code = int(match[0], 16)
        for first in (ord("a"), ord("A")):
            if first <= code < first + 26:
                code = first + (code - first + 7) % 26
        return b"%04X" % code

    for xref in range(1, doc.xref_length()):
        if doc.xref_get_key(xref, "ToUnicode")[0] != "xref":
            continue
        cmap = int(doc.xref_get_key(xref, "ToUnicode")[1].split()[0])
        text = expand(doc.xref_stream(cmap))
        body = re.sub(rb"(?<=> <)[0-9A-F]{4}(?=>)", turn, text)
        doc.update_stream(cmap, body)
    return doc


def expand(cmap: bytes) -> bytes:
    """Every bfrange of a ToUnicode map as single bfchar lines."""
    pairs = [
        (int(a, 16), int(b, 16))
        for a, b in re.findall(rb"(?m)^<([0-9A-F]{4})> <([0-9A-F]{4})>$", cmap)
    ]
    for low, high, code in re.findall(
        rb"(?m)^<([0-9A-F]{4})> <([0-9A-F]{4})> <([0-9A-F]{4})>$", cmap
    ):
        pairs += [
            (glyph, int(code, 16) + glyph - int(low, 16))
            for glyph in range(int(low, 16), int(high, 16) + 1)
        ]
    head = cmap[: cmap.index(b"endcodespacerange")] + b"endcodespacerange\n"
    tail = b"endcmap" + cmap.split(b"endcmap", 1)[1]
    blocks = []
    for start in range(0, len(pairs), 100):
        part = sorted(pairs)[start : start + 100]
        lines = b"".join(b"<%04X> <%04X>\n" % pair for pair in part)
        blocks.append(b"%d beginbfchar\n%sendbfchar\n" % (len(part), lines))
    return head + b"".join(blocks) + tail


def photograph(page: pymupdf.Page, dpi: int, seed: int) -> np.ndarray:
    """The page as a scanner sees it: turned a little, soft, uneven, grainy."""
    rng = np.random.default_rng(seed)
    pixmap = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    image = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)
    height, width = image.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-0.9, 0.9)), 1.0)
    turn[:, 2] += rng.uniform(-6, 6, 2)
    image = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=255)
    image = cv2.GaussianBlur(image, (0, 0), 0.7).astype(np.float32)
    shade = np.linspace(0.93, 1.0, width, dtype=np.float32)[None, :]
    image = 18 + image * shade * 0.92 + rng.normal(0, 3.0, image.shape).astype(np.float32)
    for _ in range(25):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.circle(image, (x, y), int(rng.integers(1, 3)), float(rng.uniform(40, 160)), -1)
    return np.clip(image, 0, 255).astype(np.uint8)


def scan(source: pymupdf.Document, *, seed: int, ocr: bool = False) -> pymupdf.Document:
    """Every page a photograph; with `ocr`, an invisible text layer with an OCR program's slips."""
    doc = pymupdf.open()
    for page in source:
        image = photograph(page, 130, seed * 100 + page.number)
        new = doc.new_page(width=page.rect.width, height=page.rect.height)
        new.insert_image(
            new.rect,
            stream=cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 48])[1].tobytes(),
        )
        if ocr:
            write_invisible(new, page.get_text("words"), random.Random(seed))
    describe(doc, "", "Scan to PDF 2.1")
    return doc


def write_invisible(page: pymupdf.Page, words: list, rng: random.Random) -> None:
    slips = {"rn": "m", "ß": "B", "ü": "ii", "l": "1", "e": "c"}
    for x0, y0, x1, y1, word, *_ in words:
        for right, wrong in slips.items():
            if right in word and rng.random() < 0.03:
                word = word.replace(right, wrong, 1)
        size = (y1 - y0) * 0.82
        width = pymupdf.get_text_length(word, "tiro", size) or 1.0
        at = pymupdf.Point(x0, y1 - 0.22 * (y1 - y0))
        page.insert_text(
            at, word, fontname="tiro", fontsize=size * (x1 - x0) / width, render_mode=3
        )


def tiff(source: pymupdf.Document, path: Path) -> None:
    """A fax-like scan: black and white, 200 dpi, all pages in one TIFF."""
    pages = []
    for page in source:
        image = photograph(page, 200, 300 + page.number)
        pages.append(
            Image.fromarray(
                np.where(cv2.medianBlur(image, 3) > 140, 255, 0).astype(np.uint8)
            ).convert("1")
        )
    pages[0].save(
        path, save_all=True, append_images=pages[1:], compression="group4", dpi=(200, 200)
    )


def truncated(doc: pymupdf.Document) -> bytes:
    """A download that stopped: the beginning of a file, with neither page tree nor xref."""
    data = doc.tobytes(garbage=4, deflate=True, no_new_id=True, use_objstms=1)
    return data[: len(data) * 2 // 5]


def dump(members: dict[str, str]) -> None:
    """A zip as people send it: two documents, and a file that is none."""
    with zipfile.ZipFile(TARGET / "shop-dump.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(entry(name), to_bytes(typeset_html(text)))
        archive.writestr(entry("shop/readme.txt"), "Receipt and timetable for the file.\n")


def entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


if __name__ == "__main__":
    main()
