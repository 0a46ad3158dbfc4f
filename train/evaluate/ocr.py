"""OCR engines as readers: what can be had without a model that reasons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...corruption.ocr import OcrEngine
from ...engine.geometry import Box
from ...engine.layout.order import reading_order
from ...engine.layout.segment import Segment
from .question import Question, Reply

MARGIN_PX = 3
"""Around a line that is cut out; Tesseract drops lines that touch the border."""
IN_ORDER = ("tesseract",)
"""Engines whose pieces of a page come in reading order; those of others are put in ours."""


class OcrReader:
    """An OCR engine; regions are cut out line by line, pages are read as they are.

    It sees nothing on a white page and is not asked blind.
    """

    kind = "ocr"
    guesses = False

    def __init__(self, engine: OcrEngine) -> None:
        self.engine = engine
        self.name = engine.name

    def answer(self, questions: Sequence[Question]) -> list[Reply]:
        """The answers, in the order of the questions."""
        crops = [
            cut_out(one.picture.pixels, line)
            for one in questions
            for lines in one.lines
            for line in lines
        ]
        read = iter(self.engine.read_lines(crops) if crops else [])
        replies = []
        for one in questions:
            if one.boxes:
                texts = tuple(" ".join(next(read) for _ in lines).strip() for lines in one.lines)
            else:
                texts = (self.page(one.picture.pixels),)
            replies.append(Reply(texts, (False,) * len(texts)))
        return replies

    def page(self, pixels: np.ndarray) -> str:
        """The text of a page, in reading order, a line for each row of it."""
        pieces = self.engine.read_page(pixels)
        if self.name in IN_ORDER:
            return " ".join(text for text, _ in pieces)
        segments = [
            Segment(*box, units=float(len(text.split())), stream=number, words=[number])
            for number, (text, box) in enumerate(pieces)
        ]
        rows = [row for leaf in reading_order(segments) for row in leaf]
        return "\n".join(" ".join(pieces[one.stream][0] for one in row) for row in rows)


def cut_out(image: np.ndarray, box: Box) -> np.ndarray:
    """A box with a margin, at least one px of it."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (int(value) for value in box)
    top, left = min(max(0, y0 - MARGIN_PX), height - 1), min(max(0, x0 - MARGIN_PX), width - 1)
    return image[top : max(top + 1, y1 + MARGIN_PX + 1), left : max(left + 1, x1 + MARGIN_PX + 1)]
