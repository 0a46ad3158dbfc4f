"""Pages of text with embedded fonts whose ToUnicode maps are true."""

from __future__ import annotations

import random
import re
import sys
from typing import Any

import cv2
import numpy as np

sys.modules.setdefault("pymupdf.layout", None)  # type: ignore[arg-type]
import pymupdf  # noqa: E402

WIDTH, HEIGHT = 595.0, 842.0
"""Of a page, in points."""
FRAME = (50.0, 50.0, 545.0, 800.0)


def html_page(
    body: str, font: str, *, ink: str = "#000", paper: str = "", frame: tuple[float, ...] = FRAME
) -> bytes:
    """A page with embedded fonts whose ToUnicode maps are true."""
    doc = pymupdf.open()
    page = doc.new_page(width=WIDTH, height=HEIGHT)
    if paper:
        page.draw_rect(page.rect, fill=pymupdf.sRGB_to_pdf(int(paper[1:] * 2, 16)), color=None)
    css = f"* {{font: {font}; color: {ink};}} h1 {{font-size: 30pt}} td {{padding: 2pt 8pt}}"
    page.insert_htmlbox(frame, body, css=css)
    return pdf_bytes(doc)


def pdf_bytes(doc: Any) -> bytes:
    doc.subset_fonts()
    data = doc.tobytes(garbage=3, deflate=True)
    doc.close()
    return bytes(data)


def paragraphs(text: str, rng: random.Random, count: int) -> str:
    sentences = re.split(r"(?<=[.;。，])\s*", text)
    parts = []
    for _ in range(count):
        chosen = [rng.choice(sentences) for _ in range(4)]
        parts.append("<p>" + " ".join(chosen) + "</p>")
    return "".join(parts)


def table_of(text: str, rng: random.Random) -> str:
    words = text.split()
    rows = "".join(
        f"<tr><td>{rng.choice(words)} {rng.choice(words)}</td><td>{rng.randint(2, 98)}</td>"
        f"<td>{rng.uniform(1, 9999):,.2f}</td></tr>"
        for _ in range(24)
    )
    return f"<table border='1'>{rows}</table>"


def number_rows(rng: random.Random, lines: int = 25) -> str:
    rows = (" ".join(f"{rng.uniform(0, 99999):.2f}" for _ in range(6)) for _ in range(lines))
    return "".join(f"<p>{row}</p>" for row in rows)


def part_numbers(rng: random.Random) -> str:
    def part() -> str:
        letters = "".join(rng.choice("ABCDEFGHKLMNPQRSTVWXZ") for _ in range(3))
        return f"{letters}-{rng.randint(1000, 99999)}/{rng.choice('xyzq')}{rng.randint(1, 9)}"

    return "".join(f"<p>{' '.join(part() for _ in range(5))}</p>" for _ in range(20))


def source_code() -> str:
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


def formulas() -> str:
    line = (
        "<p>Let <i>f</i>(<i>x</i>) = ∑ <i>a</i><sub>k</sub><i>x</i><sup>k</sup> with α ≤ β, then "
        "∫ <i>f</i> d<i>x</i> ≠ 0 and |<i>x</i> − μ| &lt; ε ∈ Ω; hence σ² ≈ 2π.</p>"
    )
    return "<h2>Theorem 4</h2>" + line * 8


def resized(font: str, size: int) -> str:
    return re.sub(r"\d+pt", f"{size}pt", font)


def turned(pdf: bytes) -> bytes:
    doc = pymupdf.open("pdf", pdf)
    doc[0].set_rotation(90)
    return pdf_bytes(doc)


def on_picture(pdf: bytes, rng: random.Random) -> bytes:
    """Live text over a picture that fills the page, as letterheads and slides have it."""
    pixels = np.full((421, 298, 3), 250, np.uint8)
    shade = np.linspace(0, 60, 298).astype(np.uint8)
    pixels[:60] -= shade[None, :, None]
    cv2.circle(pixels, (40, 30), 18, (200, 90, rng.randint(0, 90)), -1)
    doc = pymupdf.open("pdf", pdf)
    doc[0].insert_image(doc[0].rect, stream=png_of(pixels), overlay=False)
    return pdf_bytes(doc)


def with_figure(pdf: bytes, rng: random.Random) -> bytes:
    noise = np.random.default_rng(rng.randrange(1 << 30)).integers(0, 255, (40, 60, 3), np.uint8)
    photo = cv2.resize(noise, (480, 320), interpolation=cv2.INTER_CUBIC)
    doc = pymupdf.open("pdf", pdf)
    doc[0].insert_image((120, 560, 480, 800), stream=png_of(photo))
    return pdf_bytes(doc)


def png_of(pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])
