"""Forms: sections of labelled fields, most of them filled in, and boxes to tick."""

from __future__ import annotations

from .fake import FIELDS, pick
from .flow import break_lines, set_paragraph, styled
from .font import Family
from .scene import Scene
from .sheet import Sheet, Style

_PRINTED = (
    *("first_name", "surname", "born", "address", "postcode", "town", "country", "phone"),
    *("email", "iban", "number", "customer", "date", "order", "amount"),
)


def form(scene: Scene) -> Sheet:
    """A form of one page."""
    rng = scene.rng
    width, height = scene.paper_px()
    sheet = scene.sheet(width, height)
    side = rng.uniform(0.06, 0.11) * width
    y, bottom = rng.uniform(0.04, 0.08) * height, height * 0.93
    label = scene.style(rng.uniform(7.5, 10) * scene.pt, bold=scene.chance(0.15))
    hand = scene.family(rng.choice(("hand", "hand", "typewriter", "mono", "sans")))
    y = _head(scene, sheet, side, y, width - 2 * side, label)
    look = rng.choice(("box", "rule", "dots", "above", "comb"))
    number = 1
    while bottom - y > 9 * label.size_px:
        y = _section(scene, sheet, (side, y, width - side, bottom), label, hand, look, number)
        number += 1
    return sheet


def _head(scene: Scene, sheet: Sheet, x: float, y: float, width: float, label: Style) -> float:
    rng = scene.rng
    size = label.size_px * rng.uniform(1.5, 2.2)
    bold = scene.style(size, family=scene.heading, bold=True)
    ink = bold.ink
    if scene.chance(0.25):
        sheet.fill((x, y, x + width, y + 2 * size), scene.tone(0.85))
        ink = scene.paper
        x += 0.5 * size
    bold = Style(bold.font, ink)
    title = scene.fit(scene.label("form"), scene.heading) if scene.chance(0.5) else scene.title(5)
    lines = break_lines(styled(title.split(), bold), width - size, limit=1)
    set_paragraph(sheet, lines, x, y + 0.4 * size, width - size, leading_px=1.2 * size)
    sheet.block()
    return y + 2.4 * size


def _section(
    scene: Scene,
    sheet: Sheet,
    box: tuple[float, float, float, float],
    label: Style,
    hand: Family,
    look: str,
    number: int,
) -> float:
    rng = scene.rng
    x0, y, x1, bottom = box
    size = label.size_px * rng.uniform(1.1, 1.3)
    bold = scene.style(size, bold=True)
    title = scene.fit(f"{number}. {scene.title(4, scene.body)}")
    lines = break_lines(styled(title.split(), bold), x1 - x0, limit=1)
    sheet.block()
    y, _ = set_paragraph(sheet, lines, x0, y, x1 - x0, leading_px=1.6 * bold.size_px)
    if scene.chance(0.3):
        sheet.rule(x0, x1, y, scene.tone(0.7))
    y += 0.4 * size
    draw = rng.random()
    if draw < 0.25:
        return _ticks(scene, sheet, (x0, y, x1, bottom), label)
    if draw < 0.35:
        leading = 1.3 * label.size_px
        lines = break_lines(styled(scene.paragraph(15, 60), label), x1 - x0)
        most = max(0, int((bottom - y) / leading))
        sheet.block()
        y, _ = set_paragraph(sheet, lines[:most], x0, y, x1 - x0, leading_px=leading)
        return y + label.size_px
    columns = rng.choice((1, 1, 2)) if look != "comb" else 1
    fields = pick(rng, _PRINTED, rng.randint(2, 9))
    step = label.size_px * (3.4 if look == "above" else rng.uniform(2.2, 3.0))
    each = (x1 - x0 - (columns - 1) * 1.5 * size) / columns
    for position, name in enumerate(fields):
        column = position % columns
        if bottom - y < step:
            break
        x = x0 + column * (each + 1.5 * size)
        _field(scene, sheet, name, (x, y, x + each, y + step), label, hand, look)
        if column == columns - 1 or position == len(fields) - 1:
            y += step
    return y + 0.8 * size


def _field(
    scene: Scene,
    sheet: Sheet,
    name: str,
    box: tuple[float, float, float, float],
    label: Style,
    hand: Family,
    look: str,
) -> None:
    rng = scene.rng
    x0, y0, x1, y1 = box
    size = label.size_px
    text = scene.fit(scene.label(name)) + rng.choice(("", ":", ":"))
    sheet.block()
    above = look == "above"
    baseline = y0 + 0.9 * size if above else (y0 + y1) / 2 + 0.35 * size
    small = scene.style(size * 0.85) if above else label
    used = sheet.write(x0, baseline, text, small)
    left = x0 if above else x0 + max(used + size, (x1 - x0) * 0.32)
    top, low = (y0 + 1.2 * size if above else y0 + 0.15 * size), y1 - 0.25 * size
    stroke = max(1.0, 0.5 * scene.pt)
    tone = scene.tone(rng.uniform(0.4, 0.9))
    if x1 - left < 3 * size:
        return
    value = FIELDS[name](rng, scene.locale) if scene.chance(0.82) else ""
    at = (top + low) / 2 + 0.38 * size
    if look == "comb":
        _comb(scene, sheet, value, (left, top, x1, low), hand, size)
        return
    if look in ("box", "above"):
        sheet.frame((left, top, x1, low), tone, stroke)
    elif look == "rule":
        sheet.rule(left, x1, low, tone, stroke)
    else:
        step = 0.35 * size
        for number in range(int((x1 - left) / step)):
            spot = left + number * step
            sheet.fill((spot, low - stroke, spot + stroke, low), tone)
    written = scene.style(size * rng.uniform(1.0, 1.25), family=hand)
    words = [word for word in value.split() if hand.draws(word)]
    while words and written.width(" ".join(words)) > x1 - left - 0.9 * size:
        words.pop()
    sheet.write(left + 0.4 * size, at, " ".join(words), written)


def _comb(
    scene: Scene,
    sheet: Sheet,
    value: str,
    box: tuple[float, float, float, float],
    hand: Family,
    size: float,
) -> None:
    """One box a letter; the letters are one word, in capitals as such forms ask for."""
    left, top, right, low = box
    style = scene.style(size * 0.9, family=hand)
    cell = max(1.15 * size, 1.1 * _widest(style, "MW08"))
    count = int((right - left) / cell)
    text = "".join(value.upper().split())[:count]
    tone = scene.tone(0.6)
    for number in range(count):
        x = left + number * cell
        sheet.frame((x, top, x + cell + 1, low), tone)
    if not text or not hand.draws(text):
        return
    at = (top + low) / 2 + 0.36 * size
    spaced = Style(style.font, style.ink, pitch_px=max(cell, 1.05 * _widest(style, text)))
    while text and left + spaced.width(text) > right + 1:
        text = text[:-1]
    sheet.write(left, at, text, spaced)


def _widest(style: Style, letters: str) -> float:
    return max(style.font.width(c) for c in letters)


def _ticks(
    scene: Scene, sheet: Sheet, box: tuple[float, float, float, float], label: Style
) -> float:
    """Boxes or rings with something to choose beside them."""
    rng = scene.rng
    x0, y, x1, bottom = box
    size = label.size_px
    columns = rng.randint(1, 3)
    each = (x1 - x0) / columns
    round_boxes = scene.chance(0.25)
    side = size * rng.uniform(0.85, 1.1)
    step = 1.9 * size
    options = [scene.fit(scene.title(4, scene.body)) for _ in range(rng.randint(2, 9))]
    if scene.chance(0.3):
        options = [scene.fit(scene.label("yes")), scene.fit(scene.label("no"))]
    for position, text in enumerate(options):
        column = position % columns
        if bottom - y < step:
            return y
        x = x0 + column * each
        top = y + 0.3 * size
        stroke = max(1.0, size / 11)
        sheet.frame((x, top, x + side, top + side), scene.tone(0.9), stroke,
                    radius_px=side / 2 if round_boxes else 0.0)  # fmt: skip
        if scene.chance(0.4):
            _tick(scene, sheet, (x, top, x + side, top + side), stroke)
        words = text.split()
        while words and label.width(" ".join(words)) > each - side - 1.2 * size:
            words.pop()
        sheet.block()
        sheet.write(x + side + 0.6 * size, top + side * 0.5 + 0.36 * size, " ".join(words), label)
        if column == columns - 1 or position == len(options) - 1:
            y += step
    return y + size


def _tick(
    scene: Scene, sheet: Sheet, box: tuple[float, float, float, float], stroke: float
) -> None:
    x0, y0, x1, y1 = box
    ink = scene.ink
    third = (x1 - x0) / 3
    if scene.chance(0.5):
        sheet.stroke((x0 + 2, y0 + 2, x1 - 2, y1 - 2), ink, stroke * 1.3)
        sheet.stroke((x0 + 2, y1 - 2, x1 - 2, y0 + 2), ink, stroke * 1.3)
    else:
        sheet.stroke((x0 + 2, y0 + third * 1.5, x0 + third * 1.3, y1 - 2), ink, stroke * 1.3)
        sheet.stroke((x0 + third * 1.3, y1 - 2, x1 - 1, y0 + 2), ink, stroke * 1.3)
