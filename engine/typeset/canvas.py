"""Where the words and rules of a page lie, and the drawing of them.

Everything that is not text (grounds, rules, boxes, ticks) is drawn first, so that a canvas drawn
without its text is exactly what the text is drawn upon. Coordinates are px of the shipped image;
y of a word is its baseline.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from ..geometry import Box, union
from ..page import Block, Figure, Line, TextLayer, Word
from .font import SizedFace

_OUTSIDE_PX = 0.5


@dataclass(frozen=True, slots=True)
class Style:
    """How a word is drawn."""

    font: SizedFace
    ink: int = 0
    """Grey level."""
    tracking_px: float = 0.0
    """Set between letters, beyond their advances."""
    pitch_px: float = 0.0
    """Where not 0, letters stand in the middle of cells of this width, as in a form's comb."""

    def width(self, text: str) -> float:
        """Advance, px."""
        if self.pitch_px:
            return self.pitch_px * len(text)
        if self.tracking_px:
            return sum(self.font.width(c) + self.tracking_px for c in text) - self.tracking_px
        return self.font.width(text)

    @property
    def space(self) -> float:
        """Between two words, px."""
        return self.font.width(" ") + 2 * self.tracking_px

    @property
    def size_px(self) -> float:
        return self.font.size_px


@dataclass(frozen=True, slots=True)
class TextRun:
    """One word and where it starts."""

    text: str
    x: float
    baseline: float
    style: Style
    line: int


@dataclass(frozen=True, slots=True)
class Graphic:
    """A rectangle or a stroke, in one grey level."""

    box: Box
    tone: int
    stroke_px: float
    """0: the box is filled; negative: a stroke from corner to corner; else its frame."""
    radius_px: float = 0.0


class Canvas:
    """A page under construction; words come in reading order."""

    def __init__(self, width_px: int, height_px: int, *, paper: int = 255, scale: int = 1) -> None:
        self.width = width_px
        self.height = height_px
        self.paper = paper
        self.scale = scale
        self.runs: list[TextRun] = []
        self.graphics: list[Graphic] = []
        self.blocks: list[int] = []
        """Block of each line."""
        self.figures: list[Figure] = []
        self._block = 0
        self._fresh = True

    def block(self) -> None:
        """The next line starts a block."""
        if not self._fresh:
            self._block += 1
            self._fresh = True

    def line(
        self, words: Sequence[tuple[str, Style]], xs: Sequence[float], baseline: float
    ) -> None:
        """Add a line of words that start at `xs`."""
        number = len(self.blocks)
        self.blocks.append(self._block)
        self._fresh = False
        for (text, style), x in zip(words, xs, strict=True):
            self.runs.append(TextRun(text, x, baseline, style, number))

    def write(
        self, x: float, baseline: float, text: str, style: Style, *, align: str = "left"
    ) -> float:
        """Add a line of words in one style at, up to, or around x; returns its width."""
        words = text.split()
        if not words:
            return 0.0
        widths = [style.width(word) for word in words]
        total = sum(widths) + style.space * (len(words) - 1)
        start = x - {"left": 0.0, "right": total, "center": total / 2}[align]
        xs = []
        for width in widths:
            xs.append(start)
            start += width + style.space
        self.line([(word, style) for word in words], xs, baseline)
        return total

    def fill(self, box: Box, tone: int, *, radius_px: float = 0.0) -> None:
        """A filled rectangle."""
        self.graphics.append(Graphic(box, tone, 0.0, radius_px))

    def frame(self, box: Box, tone: int, stroke_px: float = 1.0, *, radius_px: float = 0.0) -> None:
        """The outline of a rectangle."""
        self.graphics.append(Graphic(box, tone, stroke_px, radius_px))

    def rule(self, x0: float, x1: float, y: float, tone: int, stroke_px: float = 1.0) -> None:
        """A horizontal rule."""
        self.fill((x0, y - stroke_px / 2, x1, y + stroke_px / 2), tone)

    def bar(self, x: float, y0: float, y1: float, tone: int, stroke_px: float = 1.0) -> None:
        """A vertical rule."""
        self.fill((x - stroke_px / 2, y0, x + stroke_px / 2, y1), tone)

    def stroke(self, box: Box, tone: int, stroke_px: float) -> None:
        """A straight stroke from (x0, y0) to (x1, y1)."""
        self.graphics.append(Graphic(box, tone, -stroke_px))


def draw(canvas: Canvas, *, text: bool = True) -> tuple[np.ndarray, list[Box | None]]:
    """The image, uint8 `[height, width]`, and the ink box of each run.

    A run that would leave the page, or leaves no ink, is not drawn and has no box.

    Args:
        canvas: what to draw.
        text: False draws all but the text.
    """
    scale = canvas.scale
    image = Image.new("L", (canvas.width * scale, canvas.height * scale), canvas.paper)
    pen = ImageDraw.Draw(image)
    for graphic in canvas.graphics:
        _draw_graphic(pen, graphic, scale)
    boxes = [_draw_run(pen, run, canvas) for run in canvas.runs] if text else []
    pixels = np.asarray(image)
    if scale > 1:
        size = (canvas.width, canvas.height)
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return pixels, boxes


def text_layer(canvas: Canvas, boxes: Sequence[Box | None]) -> TextLayer:
    """Words, lines and blocks of the runs that were drawn."""
    words: list[Word] = []
    lines: list[Line] = []
    blocks: list[Block] = []
    start, end, count = 0, 0, len(canvas.runs)
    last_block = -1
    for number, block in enumerate(canvas.blocks):
        while end < count and canvas.runs[end].line == number:
            end += 1
        first = len(words)
        for run, box in zip(canvas.runs[start:end], boxes[start:end], strict=True):
            if box is not None:
                words.append(Word(run.text, box, len(lines), run.style.font.face.flags))
        start = end
        if first == len(words):
            continue
        line_words = words[first:]
        if block != last_block:
            blocks.append(Block(line_words[0].box, (len(lines), len(lines))))
            last_block = block
        box = union([word.box for word in line_words])
        text = " ".join([word.text for word in line_words])
        lines.append(Line(text, box, (first, len(words)), len(blocks) - 1))
    return TextLayer(
        tuple(words), tuple(lines), tuple(_closed(blocks, lines)), tuple(canvas.figures)
    )


def _closed(blocks: list[Block], lines: list[Line]) -> list[Block]:
    """The blocks with their true boxes and spans, once all lines are known."""
    starts = [block.lines[0] for block in blocks]
    ends = [*starts[1:], len(lines)]
    return [
        Block(union([line.box for line in lines[a:b]]), (a, b))
        for a, b in zip(starts, ends, strict=False)
    ]


def _draw_graphic(pen: ImageDraw.ImageDraw, graphic: Graphic, scale: int) -> None:
    x0, y0, x1, y1 = (round(value * scale) for value in graphic.box)
    if graphic.stroke_px < 0:
        width = max(1, round(-graphic.stroke_px * scale))
        pen.line((x0, y0, x1, y1), graphic.tone, width)
        return
    inner = (x0, y0, max(x0, x1 - 1), max(y0, y1 - 1))
    if graphic.radius_px:
        radius = graphic.radius_px * scale
        if graphic.stroke_px:
            width = max(1, round(graphic.stroke_px * scale))
            pen.rounded_rectangle(inner, radius, outline=graphic.tone, width=width)
        else:
            pen.rounded_rectangle(inner, radius, fill=graphic.tone)
    elif graphic.stroke_px:
        width = max(1, round(graphic.stroke_px * scale))
        pen.rectangle(inner, outline=graphic.tone, width=width)
    else:
        pen.rectangle(inner, fill=graphic.tone)


def _draw_run(pen: ImageDraw.ImageDraw, run: TextRun, canvas: Canvas) -> Box | None:
    scale, style = canvas.scale, run.style
    pieces = _pieces(run)
    y, y_part = _whole_and_fraction(run.baseline * scale)
    ready = []
    boxes: list[Box] = []
    for text, at in pieces:
        x_whole, x_part = _whole_and_fraction(at * scale)
        mask, offset = style.font.font.getmask2(text, "L", anchor="ls", start=(x_part, y_part))
        inked = mask.getbbox()
        if inked is None:
            continue
        left, top = x_whole + offset[0], y + offset[1]
        ready.append((left, top, mask))
        boxes.append((left + inked[0], top + inked[1], left + inked[2], top + inked[3]))
    if not boxes:
        return None
    x0, y0, x1, y1 = union(boxes)
    edge = _OUTSIDE_PX * scale
    if (
        x0 < edge
        or y0 < edge
        or x1 > canvas.width * scale - edge
        or y1 > canvas.height * scale - edge
    ):
        return None
    for left, top, mask in ready:
        pen.draw.draw_bitmap((left, top), mask, style.ink)
    return (x0 / scale, y0 / scale, x1 / scale, y1 / scale)


def _pieces(run: TextRun) -> list[tuple[str, float]]:
    """What is drawn at once, and where: a word, or its letters where they are set apart."""
    style, x = run.style, run.x
    if style.pitch_px:
        free = ((style.pitch_px - style.font.width(letter)) / 2 for letter in run.text)
        return [
            (c, x + n * style.pitch_px + f)
            for n, (c, f) in enumerate(zip(run.text, free, strict=True))
        ]
    if not style.tracking_px:
        return [(run.text, x)]
    pieces = []
    for letter in run.text:
        pieces.append((letter, x))
        x += style.font.width(letter) + style.tracking_px
    return pieces


def _whole_and_fraction(value: float) -> tuple[int, float]:
    """The pixel below a position, and the rest."""
    whole = math.floor(value)
    return whole, value - whole
