"""Forms: sections of labelled fields, most of them filled in, and boxes to tick."""

from __future__ import annotations

from .canvas import Canvas, Style
from .design import PageDesign
from .fake import FIELDS, pick
from .flow import break_lines, set_paragraph, styled
from .font import Family

_PRINTED = (
    *("first_name", "surname", "born", "address", "postcode", "town", "country", "phone"),
    *("email", "iban", "number", "customer", "date", "order", "amount"),
)


def form(design: PageDesign) -> Canvas:
    """A form of one page."""
    rng = design.rng
    width, height = design.paper_px()
    canvas = design.canvas(width, height)
    side = rng.uniform(0.06, 0.11) * width
    y, bottom = rng.uniform(0.04, 0.08) * height, height * 0.93
    label = design.style(rng.uniform(7.5, 10) * design.pt, bold=design.chance(0.15))
    hand = design.family(rng.choice(("hand", "hand", "typewriter", "mono", "sans")))
    y = _head(design, canvas, side, y, width - 2 * side, label)
    look = rng.choice(("box", "rule", "dots", "above", "comb"))
    number = 1
    while bottom - y > 9 * label.size_px:
        y = _section(design, canvas, (side, y, width - side, bottom), label, hand, look, number)
        number += 1
    return canvas


def _head(
    design: PageDesign, canvas: Canvas, x: float, y: float, width: float, label: Style
) -> float:
    rng = design.rng
    size = label.size_px * rng.uniform(1.5, 2.2)
    bold = design.style(size, family=design.heading, bold=True)
    ink = bold.ink
    if design.chance(0.25):
        canvas.fill((x, y, x + width, y + 2 * size), design.tone(0.85))
        ink = design.paper
        x += 0.5 * size
    bold = Style(bold.font, ink)
    title = (
        design.fit(design.label("form"), design.heading) if design.chance(0.5) else design.title(5)
    )
    lines = break_lines(styled(title.split(), bold), width - size, limit=1)
    set_paragraph(canvas, lines, x, y + 0.4 * size, width - size, leading_px=1.2 * size)
    canvas.block()
    return y + 2.4 * size


def _section(
    design: PageDesign,
    canvas: Canvas,
    box: tuple[float, float, float, float],
    label: Style,
    hand: Family,
    look: str,
    number: int,
) -> float:
    rng = design.rng
    x0, y, x1, bottom = box
    size = label.size_px * rng.uniform(1.1, 1.3)
    bold = design.style(size, bold=True)
    title = design.fit(f"{number}. {design.title(4, design.body)}")
    lines = break_lines(styled(title.split(), bold), x1 - x0, limit=1)
    canvas.block()
    y, _ = set_paragraph(canvas, lines, x0, y, x1 - x0, leading_px=1.6 * bold.size_px)
    if design.chance(0.3):
        canvas.rule(x0, x1, y, design.tone(0.7))
    y += 0.4 * size
    draw = rng.random()
    if draw < 0.25:
        return _ticks(design, canvas, (x0, y, x1, bottom), label)
    if draw < 0.35:
        leading = 1.3 * label.size_px
        lines = break_lines(styled(design.paragraph(15, 60), label), x1 - x0)
        most = max(0, int((bottom - y) / leading))
        canvas.block()
        y, _ = set_paragraph(canvas, lines[:most], x0, y, x1 - x0, leading_px=leading)
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
        _field(design, canvas, name, (x, y, x + each, y + step), label, hand, look)
        if column == columns - 1 or position == len(fields) - 1:
            y += step
    return y + 0.8 * size


def _field(
    design: PageDesign,
    canvas: Canvas,
    name: str,
    box: tuple[float, float, float, float],
    label: Style,
    hand: Family,
    look: str,
) -> None:
    rng = design.rng
    x0, y0, x1, y1 = box
    size = label.size_px
    text = design.fit(design.label(name)) + rng.choice(("", ":", ":"))
    canvas.block()
    above = look == "above"
    baseline = y0 + 0.9 * size if above else (y0 + y1) / 2 + 0.35 * size
    small = design.style(size * 0.85) if above else label
    label_px = canvas.write(x0, baseline, text, small)
    left = x0 if above else x0 + max(label_px + size, (x1 - x0) * 0.32)
    top, low = (y0 + 1.2 * size if above else y0 + 0.15 * size), y1 - 0.25 * size
    stroke = max(1.0, 0.5 * design.pt)
    tone = design.tone(rng.uniform(0.4, 0.9))
    if x1 - left < 3 * size:
        return
    value = FIELDS[name](rng, design.locale) if design.chance(0.82) else ""
    at = (top + low) / 2 + 0.38 * size
    if look == "comb":
        _comb(design, canvas, value, (left, top, x1, low), hand, size)
        return
    if look in ("box", "above"):
        canvas.frame((left, top, x1, low), tone, stroke)
    elif look == "rule":
        canvas.rule(left, x1, low, tone, stroke)
    else:
        step = 0.35 * size
        for number in range(int((x1 - left) / step)):
            spot = left + number * step
            canvas.fill((spot, low - stroke, spot + stroke, low), tone)
    written = design.style(size * rng.uniform(1.0, 1.25), family=hand)
    words = [word for word in value.split() if hand.draws(word)]
    while words and written.width(" ".join(words)) > x1 - left - 0.9 * size:
        words.pop()
    canvas.write(left + 0.4 * size, at, " ".join(words), written)


def _comb(
    design: PageDesign,
    canvas: Canvas,
    value: str,
    box: tuple[float, float, float, float],
    hand: Family,
    size: float,
) -> None:
    """One box a letter; the letters are one word, in capitals as such forms ask for."""
    left, top, right, low = box
    style = design.style(size * 0.9, family=hand)
    cell = max(1.15 * size, 1.1 * _widest(style, "MW08"))
    count = int((right - left) / cell)
    text = "".join(value.upper().split())[:count]
    tone = design.tone(0.6)
    for number in range(count):
        x = left + number * cell
        canvas.frame((x, top, x + cell + 1, low), tone)
    if not text or not hand.draws(text):
        return
    at = (top + low) / 2 + 0.36 * size
    spaced = Style(style.font, style.ink, pitch_px=max(cell, 1.05 * _widest(style, text)))
    while text and left + spaced.width(text) > right + 1:
        text = text[:-1]
    canvas.write(left, at, text, spaced)


def _widest(style: Style, letters: str) -> float:
    return max(style.font.width(c) for c in letters)


def _ticks(
    design: PageDesign, canvas: Canvas, box: tuple[float, float, float, float], label: Style
) -> float:
    """Boxes or rings with something to choose beside them."""
    rng = design.rng
    x0, y, x1, bottom = box
    size = label.size_px
    columns = rng.randint(1, 3)
    each = (x1 - x0) / columns
    round_boxes = design.chance(0.25)
    side = size * rng.uniform(0.85, 1.1)
    step = 1.9 * size
    options = [design.fit(design.title(4, design.body)) for _ in range(rng.randint(2, 9))]
    if design.chance(0.3):
        options = [design.fit(design.label("yes")), design.fit(design.label("no"))]
    for position, text in enumerate(options):
        column = position % columns
        if bottom - y < step:
            return y
        x = x0 + column * each
        top = y + 0.3 * size
        stroke = max(1.0, size / 11)
        canvas.frame((x, top, x + side, top + side), design.tone(0.9), stroke,
                    radius_px=side / 2 if round_boxes else 0.0)  # fmt: skip
        if design.chance(0.4):
            _tick(design, canvas, (x, top, x + side, top + side), stroke)
        words = text.split()
        while words and label.width(" ".join(words)) > each - side - 1.2 * size:
            words.pop()
        canvas.block()
        canvas.write(x + side + 0.6 * size, top + side * 0.5 + 0.36 * size, " ".join(words), label)
        if column == columns - 1 or position == len(options) - 1:
            y += step
    return y + size


def _tick(
    design: PageDesign, canvas: Canvas, box: tuple[float, float, float, float], stroke: float
) -> None:
    x0, y0, x1, y1 = box
    ink = design.ink
    third = (x1 - x0) / 3
    if design.chance(0.5):
        canvas.stroke((x0 + 2, y0 + 2, x1 - 2, y1 - 2), ink, stroke * 1.3)
        canvas.stroke((x0 + 2, y1 - 2, x1 - 2, y0 + 2), ink, stroke * 1.3)
    else:
        canvas.stroke((x0 + 2, y0 + third * 1.5, x0 + third * 1.3, y1 - 2), ink, stroke * 1.3)
        canvas.stroke((x0 + third * 1.3, y1 - 2, x1 - 1, y0 + 2), ink, stroke * 1.3)
