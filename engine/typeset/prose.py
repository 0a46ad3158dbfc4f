"""A page of running text: one to three columns, headings, notes, a running head, page numbers."""

from __future__ import annotations

from dataclasses import dataclass

from ..page import Figure
from . import fake
from .crop import bullets, heading
from .flow import break_lines, set_paragraph, styled
from .scene import Scene
from .sheet import Sheet, Style


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


def prose(scene: Scene) -> Sheet:
    """A page of text."""
    rng = scene.rng
    width, height = scene.paper_px()
    sheet = scene.sheet(width, height)
    side = rng.uniform(0.07, 0.14) * width
    count = rng.choice((1, 1, 1, 2, 2, 3) if width > 600 else (1, 1, 2))
    top, bottom = rng.uniform(0.06, 0.1) * height, height * (1 - rng.uniform(0.07, 0.11))
    setting = _setting(scene, count)
    _running_head(scene, sheet, side, width - side, top * 0.6, setting.style.size_px)
    y = top
    if scene.chance(0.35):
        centred = "center" if scene.chance(0.5) else "left"
        size = setting.style.size_px * rng.uniform(1.6, 2.6)
        y = heading(scene, sheet, side, y, width - 2 * side, size, centred)
        if scene.chance(0.4):
            y = _byline(scene, sheet, side, y, width - 2 * side, centred)
    note = _notes(scene, side, width - side, bottom, setting) if scene.chance(0.25) else None
    low = note.y if note is not None else bottom
    gutter = setting.style.size_px * rng.uniform(1.6, 3.0)
    each = (width - 2 * side - gutter * (count - 1)) / count
    full = rng.uniform(0.35, 1.0) if scene.chance(0.2) else 1.0
    for number in range(count):
        x = side + number * (each + gutter)
        if number and scene.chance(0.15):
            sheet.bar(x - gutter / 2, y, low, scene.tone(0.5))
        _fill(scene, sheet, Column(x, y, each, y + (low - y) * full), setting)
    if note is not None:
        _write_notes(scene, sheet, note, setting)
    _foot(scene, sheet, side, width - side, (bottom + height) / 2, setting.style.size_px)
    return sheet


def _setting(scene: Scene, count: int) -> _Setting:
    rng = scene.rng
    size = rng.uniform(8.0, 12.5 if count == 1 else 10.5) * scene.pt
    style = scene.style(size)
    justified = scene.chance(0.6)
    spaced = scene.chance(0.5)
    other = None
    if scene.chance(scene.config.look.mixed):
        other = scene.style(size, bold=scene.chance(0.3), italic=scene.chance(0.7))
    return _Setting(
        style=style,
        other=other,
        leading=style.size_px * rng.uniform(1.15, 1.55),
        align="justify" if justified else "left",
        hyphenate=justified and scene.chance(scene.config.text.hyphenated),
        indent=0.0 if spaced else style.size_px * rng.uniform(1.0, 2.0),
        gap=style.size_px * rng.uniform(0.4, 1.0) if spaced else 0.0,
    )


def _fill(scene: Scene, sheet: Sheet, column: Column, setting: _Setting) -> None:
    """Headings, paragraphs, lists and a figure, until the column is full."""
    rng = scene.rng
    size = setting.style.size_px
    sheet.block()
    while column.room > 2 * setting.leading:
        draw = rng.random()
        if draw < 0.14 and column.room > 8 * size:
            column.y += 0.5 * size
            large = size * rng.uniform(1.05, 1.5)
            column.y = heading(scene, sheet, column.x, column.y, column.width, large, "left")
        elif draw < 0.22 and column.room > 22 * setting.leading:
            below = column.y + setting.leading * 0.3
            column.y = bullets(
                scene,
                sheet,
                column.x,
                below,
                column.width,
                setting.style,
                setting.leading,
                bottom=column.bottom,
            )
            column.y += setting.leading * 0.5
        elif draw < 0.26 and column.room > 14 * size:
            column.y = _figure(scene, sheet, column, size)
        else:
            _paragraph(scene, sheet, column, setting)


def _paragraph(scene: Scene, sheet: Sheet, column: Column, setting: _Setting) -> None:
    words = scene.paragraph(15, 130)
    pieces = styled(words, setting.style, other=setting.other, rng=scene.rng)
    most = int(column.room / setting.leading)
    lines = break_lines(
        pieces,
        column.width,
        indent_px=setting.indent,
        hyphenate=setting.hyphenate,
        limit=max(1, most),
    )
    sheet.block()
    column.y, _ = set_paragraph(
        sheet,
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


def _figure(scene: Scene, sheet: Sheet, column: Column, size: float) -> float:
    """A grey picture with shapes, and its caption; returns the y below it."""
    rng = scene.rng
    high = rng.uniform(5, 10) * size
    x0, y0, x1, y1 = column.x, column.y + 0.4 * size, column.x + column.width, column.y + high
    sheet.fill((x0, y0, x1, y1), scene.tone(rng.uniform(0.1, 0.35)))
    for _ in range(rng.randint(2, 7)):
        a, b = sorted(rng.uniform(x0, x1) for _ in range(2))
        c, d = sorted(rng.uniform(y0, y1) for _ in range(2))
        sheet.fill((a, c, b, d), scene.tone(rng.uniform(0.05, 0.6)))
    sheet.figures.append(Figure((x0, y0, x1, y1), "image"))
    style = scene.style(size * 0.88, italic=scene.chance(0.5))
    text = f"{scene.label('figure')} {rng.randint(1, 12)}. {' '.join(scene.paragraph(4, 14))}"
    lines = break_lines(styled(scene.fit(text).split(), style), column.width, limit=2)
    sheet.block()
    y, _ = set_paragraph(
        sheet, lines, x0, y1 + 0.3 * size, column.width, leading_px=1.25 * style.size_px
    )
    sheet.block()
    return y + 0.8 * size


def _running_head(
    scene: Scene, sheet: Sheet, left: float, right: float, y: float, size: float
) -> None:
    if not scene.chance(0.45):
        return
    style = scene.style(size * 0.85, italic=scene.chance(0.3))
    name = scene.fit(scene.title(5, scene.body))
    width = sheet.write(left, y, name, style)
    label = f"{scene.label('chapter')} {scene.rng.randint(1, 20)}"
    if scene.chance(0.5) and width + style.width(label) + 3 * size < right - left:
        sheet.write(right, y, scene.fit(label), style, align="right")
    if scene.chance(0.5):
        sheet.rule(left, right, y + 0.5 * size, scene.tone(0.7))
    sheet.block()


def _foot(scene: Scene, sheet: Sheet, left: float, right: float, y: float, size: float) -> None:
    if not scene.chance(0.7):
        return
    sheet.block()
    number = scene.rng.randint(1, 480)
    style = scene.style(size * 0.9)
    text = scene.rng.choice((f"{number}", f"– {number} –", f"{scene.label('page')} {number}"))
    align = scene.rng.choice(("center", "right", "left"))
    x = {"left": left, "right": right, "center": (left + right) / 2}[align]
    sheet.write(x, y, scene.fit(text), style, align=align)


def _byline(scene: Scene, sheet: Sheet, x: float, y: float, width: float, align: str) -> float:
    style = scene.style(9.5 * scene.pt)
    first, surname = fake.person(scene.rng, scene.locale)
    text = f"{first} {surname}, {fake.date(scene.rng, scene.locale)}"
    at = x + width / 2 if align == "center" else x
    sheet.write(at, y + style.size_px, scene.fit(text), style, align=align)
    sheet.block()
    return y + 2.4 * style.size_px


def _notes(scene: Scene, left: float, right: float, bottom: float, setting: _Setting) -> Column:
    high = scene.rng.randint(2, 5) * setting.style.size_px * 1.1
    return Column(left, bottom - high - setting.style.size_px, right - left, bottom)


def _write_notes(scene: Scene, sheet: Sheet, column: Column, setting: _Setting) -> None:
    style = scene.style(setting.style.size_px * 0.82)
    y = column.y + 0.5 * setting.style.size_px
    sheet.rule(column.x, column.x + column.width * 0.3, y, scene.tone(0.8))
    y += 0.2 * style.size_px
    leading = 1.2 * style.size_px
    number = scene.rng.randint(1, 40)
    while column.bottom - y > leading:
        sheet.block()
        words = scene.fit(f"{number} {' '.join(scene.paragraph(6, 30))}").split()
        most = int((column.bottom - y) / leading)
        lines = break_lines(styled(words, style), column.width, limit=most)
        if not lines:
            return
        y, _ = set_paragraph(sheet, lines, column.x, y, column.width, leading_px=leading)
        number += 1
