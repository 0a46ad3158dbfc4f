"""Small PDFs for the flow tests, with pages of uneven weight."""

from __future__ import annotations

import random
from pathlib import Path

import pymupdf
from pagemill.engine.text import sanitize

WORDS = [
    "the",
    "mill",
    "grinds",
    "pages",
    "into",
    "even",
    "grain",
    "and",
    "no",
    "leaf",
    "is",
    "lost",
    "between",
    "stone",
    "and",
    "sack",
    "while",
    "water",
    "turns",
    "wheel",
    "after",
    "wheel",
    "through",
    "autumn",
    "evenings",
    "of",
    "patient",
    "reading",
]


def paper(path: Path, pages: int, seed: int = 0) -> Path:
    """A PDF with so many pages of plain text."""
    draw = random.Random(f"{sanitize(path.name)}-{seed}")
    document = pymupdf.open()
    for number in range(pages):
        page = document.new_page(width=360, height=480)
        page.insert_text((36, 40), f"Chapter {number + 1} of {path.stem}", fontsize=15)
        for line in range(draw.randint(8, 34)):
            text = " ".join(draw.choice(WORDS) for _ in range(9))
            page.insert_text((36, 70 + 12 * line), text, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(document.tobytes())
    return path


def shelf(folder: Path, documents: int = 10, seed: int = 0) -> Path:
    """A folder of PDFs of 1 to 6 pages."""
    for number in range(documents):
        paper(folder / f"part{number % 3}" / f"book{number}.pdf", 1 + number % 6, seed)
    return folder
