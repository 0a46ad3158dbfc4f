"""Pages typeset in the tests, so that words, boxes and ink are known exactly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from pagemill.engine.key import page_key
from pagemill.engine.page import Block, Figure, Line, Page, TextLayer, Verdict, VerdictName, Word
from PIL import Image, ImageDraw, ImageFont

SIZE_PX = 22
PITCH_PX = 34
LEFT_PX = 60
TOP_PX = 50

PROSE = (
    "Paper is made from fibres that are beaten in water until they swell and fray",
    "and then spread on a mould so that the water drains and a wet sheet is left",
    "behind on the wire while the maker shakes the frame from side to side gently",
    "to lock the fibres together",
    "Every sheet is couched on felt and pressed under a screw with several others",
    "until hardly any water comes out and the sheets can be parted without tearing",
    "and hung in a loft where moving air dries them over some days of fair weather",
    "Size made from gelatine keeps ink from running into the paper when it is used",
    "for writing and the finished sheets are counted and folded into quires of ink",
    "before they leave the mill",
)


@cache
def font(size_px: int = SIZE_PX) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=size_px)


def typeset(
    lines: Sequence[str] = PROSE,
    *,
    width: int = 1000,
    blocks: Sequence[int] = (),
    figures: Sequence[Figure] = (),
    name: str = "typeset",
    size_px: int = SIZE_PX,
    pitch_px: int = PITCH_PX,
    words_per_box: dict[int, tuple[float, float]] | None = None,
) -> tuple[np.ndarray, Page]:
    """A page of left-aligned lines.

    Args:
        lines: text, words parted by single spaces.
        width: px.
        blocks: lines at which a new block begins, besides the first.
        figures: of the layer.
        name: the page's document.
        size_px: of the font.
        pitch_px: from line to line.
        words_per_box: word index to the left and right end of a box to use instead of its own.
    """
    height = TOP_PX * 2 + pitch_px * len(lines)
    image = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(image)
    face = font(size_px)
    words: list[Word] = []
    rows: list[Line] = []
    starts = [0, *blocks]
    for number, text in enumerate(lines):
        x, y, first = float(LEFT_PX), TOP_PX + pitch_px * number, len(words)
        for piece in text.split(" "):
            span = (words_per_box or {}).get(len(words), (x, x + pen.textlength(piece, face)))
            pen.text((span[0], y), piece, fill=0, font=face)
            words.append(Word(piece, (span[0], y + 1.0, span[1], y + size_px * 1.25), number))
            x = span[1] + pen.textlength(" ", face)
        block = max(index for index, start in enumerate(starts) if start <= number)
        box = (LEFT_PX + 0.0, y + 1.0, words[-1].box[2], y + size_px * 1.25)
        rows.append(Line(text, box, (first, len(words)), block))
    layer = TextLayer(
        tuple(words), tuple(rows), blocks_of(rows, [*starts, len(lines)]), tuple(figures)
    )
    return np.array(image), page_of(name, width, height, size_px, layer)


def blocks_of(rows: Sequence[Line], edges: Sequence[int]) -> tuple[Block, ...]:
    """The blocks whose first lines are the edges; the last edge ends the last one."""
    return tuple(
        Block(
            (LEFT_PX + 0.0, rows[a].box[1], max(r.box[2] for r in rows[a:b]), rows[b - 1].box[3]),
            (a, b),
        )
        for a, b in pairwise(edges)
    )


def page_of(name: str, width: int, height: int, size_px: int, layer: TextLayer) -> Page:
    """The first and only page of a document."""
    sha = hashlib.sha256(name.encode()).hexdigest()
    return Page(
        key=page_key(sha, 0),
        doc_sha256=sha,
        page_index=0,
        page_count=1,
        width=width,
        height=height,
        dpi=144.0,
        rotation=0,
        engine="typeset 1",
        layer=layer,
        verdict=Verdict(VerdictName.TRUSTED, 1.0),
        language="en",
        x_height=size_px * 0.52,
        image_sha256="",
    )
