"""OCR engines as readers: what can be had without a model that reasons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...corruption.ocr import OcrEngine
from ...engine.geometry import Box
from ...engine.layout.order import reading_order
from ...engine.layout.segment import Segment
from ...model.question import Question, Reply

MARGIN_PX = 3
"""Around a line that is cut out; Tesseract drops lines that touch the border."""
IN_ORDER = ("tesseract",)
"""Engines whose pieces of a page come in reading order; those of others are put in ours."""


class OcrReader:
    """An OCR engine; regions are cut out line by line, pages are read as they are.

    It sees nothing on a white page and is not asked blind.
    """

    kind = "ocr"
    answers_blind = False

    def __init__(self, engine: OcrEngine) -> None:
        self.engine = engine
        self.name = engine.name

    def answer(self, questions: Sequence[Question]) -> list[Reply]:
        """The answers, in the order of the questions."""
        crops = [
            crop_line(question.picture.pixels, line)
            for question in questions
            for lines in question.line_boxes
            for line in lines
        ]
        line_texts = iter(self.engine.read_lines(crops) if crops else [])
        replies = []
        for question in questions:
            if question.boxes:
                texts = tuple(
                    " ".join(next(line_texts) for _ in lines).strip()
                    for lines in question.line_boxes
                )
            else:
                texts = (self.read_page(question.picture.pixels),)
            replies.append(Reply(texts, (False,) * len(texts)))
        return replies

    def read_page(self, pixels: np.ndarray) -> str:
        """The text of a page, in reading order, a line for each row of it."""
        pieces = self.engine.read_page(pixels)
        if self.name in IN_ORDER:
            return " ".join(text for text, _ in pieces)
        segments = [
            Segment(*box, units=float(len(text.split())), stream=number, words=[number])
            for number, (text, box) in enumerate(pieces)
        ]
        rows = [row for leaf in reading_order(segments) for row in leaf]
        return "\n".join(" ".join(pieces[segment.stream][0] for segment in row) for row in rows)


def crop_line(image: np.ndarray, box: Box) -> np.ndarray:
    """A box with a margin, at least one px of it."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (int(value) for value in box)
    top, left = min(max(0, y0 - MARGIN_PX), height - 1), min(max(0, x0 - MARGIN_PX), width - 1)
    return image[top : max(top + 1, y1 + MARGIN_PX + 1), left : max(left + 1, x1 + MARGIN_PX + 1)]
