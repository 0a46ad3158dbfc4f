"""A page of running text: one to three columns, headings, notes, a running head, page numbers."""

from __future__ import annotations

from dataclasses import dataclass

from ..page import Figure
from . import fake
from .canvas import Canvas, Style
from .crop import bullets, heading
from .design import PageDesign
from .flow import break_lines, set_paragraph, styled


@dataclass
class Column:
    """A rectangle that is filled from the top."""

    x: float
    y: float
    width: float
    bottom: float

    @property
    def room(self) -> float:
        return self.bottom - self.y


@dataclass(frozen=True)
class _Setting:
    """How the running text is set."""

    style: Style
    other: Style | None
    leading: float
    align: str
    hyphenate: bool
    indent: float
    gap: float
    """Between paragraphs, px."""


def prose(design: PageDesign) -> Canvas:
    """A page of text."""
    rng = design.rng
    width, height = design.paper_px()
    canvas = design.canvas(width, height)
    side = rng.uniform(0.07, 0.14) * width
    count = rng.choice((1, 1, 1, 2, 2, 3) if width > 600 else (1, 1, 2))
    top, bottom = rng.uniform(0.06, 0.1) * height, height * (1 - rng.uniform(0.07, 0.11))
    setting = _setting(design, count)
    _running_head(design, canvas, side, width - side, top * 0.6, setting.style.size_px)
    y = top
    if design.chance(0.35):
        centred = "center" if design.chance(0.5) else "left"
        size = setting.style.size_px * rng.uniform(1.6, 2.6)
        y = heading(design, canvas, side, y, width - 2 * side, size, centred)
        if design.chance(0.4):
            y = _byline(design, canvas, side, y, width - 2 * side, centred)
    note = _notes(design, side, width - side, bottom, setting) if design.chance(0.25) else None
    low = note.y if note is not None else bottom
    gutter = setting.style.size_px * rng.uniform(1.6, 3.0)
    each = (width - 2 * side - gutter * (count - 1)) / count
    full = rng.uniform(0.35, 1.0) if design.chance(0.2) else 1.0
    for number in range(count):
        x = side + number * (each + gutter)
        if number and design.chance(0.15):
            canvas.bar(x - gutter / 2, y, low, design.tone(0.5))
        _fill(design, canvas, Column(x, y, each, y + (low - y) * full), setting)
    if note is not None:
        _write_notes(design, canvas, note, setting)
    _foot(design, canvas, side, width - side, (bottom + height) / 2, setting.style.size_px)
    return canvas


def _setting(design: PageDesign, count: int) -> _Setting:
    rng = design.rng
    size = rng.uniform(8.0, 12.5 if count == 1 else 10.5) * design.pt
    style = design.style(size)
    justified = design.chance(0.6)
    spaced = design.chance(0.5)
    other = None
    if design.chance(design.config.look.mixed):
        other = design.style(size, bold=design.chance(0.3), italic=design.chance(0.7))
    return _Setting(
        style=style,
        other=other,
        leading=style.size_px * rng.uniform(1.15, 1.55),
        align="justify" if justified else "left",
        hyphenate=justified and design.chance(design.config.text.hyphenated),
        indent=0.0 if spaced else style.size_px * rng.uniform(1.0, 2.0),
        gap=style.size_px * rng.uniform(0.4, 1.0) if spaced else 0.0,
    )


def _fill(design: PageDesign, canvas: Canvas, column: Column, setting: _Setting) -> None:
    """Headings, paragraphs, lists and a figure, until the column is full."""
    rng = design.rng
    size = setting.style.size_px
    canvas.block()
    while column.room > 2 * setting.leading:
        draw = rng.random()
        if draw < 0.14 and column.room > 8 * size:
            column.y += 0.5 * size
            large = size * rng.uniform(1.05, 1.5)
            column.y = heading(design, canvas, column.x, column.y, column.width, large, "left")
        elif draw < 0.22 and column.room > 22 * setting.leading:
            below = column.y + setting.leading * 0.3
            column.y = bullets(
                design,
                canvas,
                column.x,
                below,
                column.width,
                setting.style,
                setting.leading,
                bottom=column.bottom,
            )
            column.y += setting.leading * 0.5
        elif draw < 0.26 and column.room > 14 * size:
            column.y = _figure(design, canvas, column, size)
        else:
            _paragraph(design, canvas, column, setting)


def _paragraph(design: PageDesign, canvas: Canvas, column: Column, setting: _Setting) -> None:
    words = design.paragraph(15, 130)
    pieces = styled(words, setting.style, other=setting.other, rng=design.rng)
    most = int(column.room / setting.leading)
    lines = break_lines(
        pieces,
        column.width,
        indent_px=setting.indent,
        hyphenate=setting.hyphenate,
        limit=max(1, most),
    )
    canvas.block()
    column.y, _ = set_paragraph(
        canvas,
        lines,
        column.x,
        column.y,
        column.width,
        leading_px=setting.leading,
        align=setting.align,
        indent_px=setting.indent,
        room_px=column.room,
    )
    column.y += setting.gap if lines else setting.leading


def _figure(design: PageDesign, canvas: Canvas, column: Column, size: float) -> float:
    """A grey picture with shapes, and its caption; returns the y below it."""
    rng = design.rng
    high = rng.uniform(5, 10) * size
    x0, y0, x1, y1 = column.x, column.y + 0.4 * size, column.x + column.width, column.y + high
    canvas.fill((x0, y0, x1, y1), design.tone(rng.uniform(0.1, 0.35)))
    for _ in range(rng.randint(2, 7)):
        a, b = sorted(rng.uniform(x0, x1) for _ in range(2))
        c, d = sorted(rng.uniform(y0, y1) for _ in range(2))
        canvas.fill((a, c, b, d), design.tone(rng.uniform(0.05, 0.6)))
    canvas.figures.append(Figure((x0, y0, x1, y1), "image"))
    style = design.style(size * 0.88, italic=design.chance(0.5))
    text = f"{design.label('figure')} {rng.randint(1, 12)}. {' '.join(design.paragraph(4, 14))}"
    lines = break_lines(styled(design.fit(text).split(), style), column.width, limit=2)
    canvas.block()
    y, _ = set_paragraph(
        canvas, lines, x0, y1 + 0.3 * size, column.width, leading_px=1.25 * style.size_px
    )
    canvas.block()
    return y + 0.8 * size


def _running_head(
    design: PageDesign, canvas: Canvas, left: float, right: float, y: float, size: float
) -> None:
    if not design.chance(0.45):
        return
    style = design.style(size * 0.85, italic=design.chance(0.3))
    name = design.fit(design.title(5, design.body))
    width = canvas.write(left, y, name, style)
    label = f"{design.label('chapter')} {design.rng.randint(1, 20)}"
    if design.chance(0.5) and width + style.width(label) + 3 * size < right - left:
        canvas.write(right, y, design.fit(label), style, align="right")
    if design.chance(0.5):
        canvas.rule(left, right, y + 0.5 * size, design.tone(0.7))
    canvas.block()


def _foot(
    design: PageDesign, canvas: Canvas, left: float, right: float, y: float, size: float
) -> None:
    if not design.chance(0.7):
        return
    canvas.block()
    number = design.rng.randint(1, 480)
    style = design.style(size * 0.9)
    text = design.rng.choice((f"{number}", f"– {number} –", f"{design.label('page')} {number}"))
    align = design.rng.choice(("center", "right", "left"))
    x = {"left": left, "right": right, "center": (left + right) / 2}[align]
    canvas.write(x, y, design.fit(text), style, align=align)


def _byline(
    design: PageDesign, canvas: Canvas, x: float, y: float, width: float, align: str
) -> float:
    style = design.style(9.5 * design.pt)
    first, surname = fake.person(design.rng, design.locale)
    text = f"{first} {surname}, {fake.date(design.rng, design.locale)}"
    at = x + width / 2 if align == "center" else x
    canvas.write(at, y + style.size_px, design.fit(text), style, align=align)
    canvas.block()
    return y + 2.4 * style.size_px


def _notes(
    design: PageDesign, left: float, right: float, bottom: float, setting: _Setting
) -> Column:
    high = design.rng.randint(2, 5) * setting.style.size_px * 1.1
    return Column(left, bottom - high - setting.style.size_px, right - left, bottom)


def _write_notes(design: PageDesign, canvas: Canvas, column: Column, setting: _Setting) -> None:
    style = design.style(setting.style.size_px * 0.82)
    y = column.y + 0.5 * setting.style.size_px
    canvas.rule(column.x, column.x + column.width * 0.3, y, design.tone(0.8))
    y += 0.2 * style.size_px
    leading = 1.2 * style.size_px
    number = design.rng.randint(1, 40)
    while column.bottom - y > leading:
        canvas.block()
        words = design.fit(f"{number} {' '.join(design.paragraph(6, 30))}").split()
        most = int((column.bottom - y) / leading)
        lines = break_lines(styled(words, style), column.width, limit=most)
        if not lines:
            return
        y, _ = set_paragraph(canvas, lines, column.x, y, column.width, leading_px=leading)
        number += 1
