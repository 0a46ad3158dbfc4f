"""Small crops: one line, or one paragraph, list or heading with text."""

from __future__ import annotations

from . import fake
from .canvas import Canvas, Style
from .design import PageDesign
from .fake import FIELDS
from .flow import StyledWord, break_lines, set_line, set_paragraph, styled

_MAX_LINE_PX = 1400
_MAX_WORDS = 16


def line(design: PageDesign) -> Canvas:
    """One line with margins."""
    rng, look = design.rng, design.config.look
    draw = rng.random()
    x_height = look.min_x_height_px + (look.max_x_height_px - look.min_x_height_px) * draw**3
    family = design.body if design.chance(0.8) else design.family("any")
    size = x_height / family.regular.x_height_em
    bold, italic = design.chance(0.2), design.chance(0.15)
    tracking = rng.uniform(0.03, 0.2) if design.chance(look.tracked) else 0.0
    style = design.style(size, family=family, bold=bold, italic=italic, tracking_em=tracking)
    other = None
    if design.chance(look.mixed):
        other = design.style(
            size, family=family, bold=not bold, italic=italic, tracking_em=tracking
        )
    words = _line_words(design)[: look.max_line_words]
    pieces = styled(
        [word for word in words if family.draws(word)], style, other=other, rng=rng, share=0.4
    )
    pieces = _fitting(pieces, _MAX_LINE_PX) or [("0", style)]
    width = sum(s.width(t) for t, s in pieces) + sum(s.space for _, s in pieces[1:])
    left, right = (rng.uniform(0.3, 2.0) * style.size_px for _ in range(2))
    ascent = style.font.face.ascent_em * style.size_px
    top, bottom = (rng.uniform(0.15, 0.8) * style.size_px for _ in range(2))
    descent = 0.3 * style.size_px
    canvas = design.canvas(
        round(left + width + right + 4), round(top + ascent + descent + bottom + 4)
    )
    baseline = top + ascent + 2
    start, end = set_line(canvas, pieces, left, baseline, width)
    _decorate(design, canvas, style, start, end, baseline)
    return canvas


def block(design: PageDesign) -> Canvas:
    """A paragraph, a heading with one or two, or a list."""
    rng, look = design.rng, design.config.look
    draw = rng.random()
    x_height = look.min_x_height_px + 13 * draw * draw
    size = x_height / design.body.regular.x_height_em
    style = design.style(size, italic=design.chance(0.06), bold=design.chance(0.05))
    width = round(rng.uniform(14, 46) * style.size_px)
    width = min(width, 1000)
    pad = [rng.uniform(0.4, 2.5) * style.size_px for _ in range(4)]
    canvas = design.canvas(round(pad[0] + width + pad[2]), 1)
    leading = rng.uniform(1.15, 1.6) * style.size_px
    align = rng.choice(("left", "left", "justify", "justify", "center", "right"))
    y = pad[1]
    if design.chance(0.4):
        y = heading(design, canvas, pad[0], y, width, style.size_px * rng.uniform(1.1, 1.8), align)
    if design.chance(0.25):
        y = bullets(design, canvas, pad[0], y, width, style, leading)
    else:
        for _ in range(rng.choice((1, 1, 2))):
            y = _body(design, canvas, pad[0], y, width, style, leading, align)
            y += leading * rng.choice((0.0, 0.5, 1.0))
            canvas.block()
    canvas.height = max(8, round(y + pad[3]))
    return canvas


def heading(
    design: PageDesign, canvas: Canvas, x: float, y: float, width: float, size_px: float, align: str
) -> float:
    """A heading of one or two lines; returns the y below it."""
    canvas.block()
    tracking = 0.1 if design.chance(design.config.look.tracked) else 0.0
    bold = design.chance(0.7)
    style = design.style(size_px, family=design.heading, bold=bold, tracking_em=tracking)
    pieces = styled(design.title().split(), style)
    lines = break_lines(pieces, width, limit=2)
    where = align if align != "justify" else "left"
    leading = 1.2 * style.size_px
    bottom, _ = set_paragraph(canvas, lines, x, y, width, leading_px=leading, align=where)
    if lines and design.chance(0.12):
        bottom += 0.15 * size_px
        canvas.rule(x, x + width, bottom, design.tone(0.7), max(1.0, size_px / 16))
    canvas.block()
    return bottom + size_px * design.rng.uniform(0.2, 0.6)


def bullets(
    design: PageDesign,
    canvas: Canvas,
    x: float,
    y: float,
    width: float,
    style: Style,
    leading: float,
    *,
    bottom: float = float("inf"),
) -> float:
    """A list with bullets, numbers or letters, down to the bottom; returns the y below it."""
    rng = design.rng
    mark = rng.choice(("•", "•", "–", "-", "1.", "1)", "a)", "(1)"))
    indent = style.size_px * rng.uniform(1.4, 2.2)
    for number in range(rng.randint(2, 6)):
        canvas.block()
        sign = mark.replace("1", str(number + 1)).replace("a", "abcdefgh"[number])
        pieces = styled(design.words(rng.randint(2, 24)), style)
        lines = break_lines(pieces, width - indent)
        if bottom < float("inf"):
            lines = lines[: max(0, int((bottom - y) / leading))]
        if not lines:
            continue
        if style.font.face.draws(sign):
            first = [(sign, style), *lines[0]]
            baseline = y + (leading + style.size_px * 0.62) / 2
            at = x + max(indent, style.width(sign) + style.space)
            xs = [x]
            for text, word_style in lines[0]:
                xs.append(at)
                at += word_style.width(text) + word_style.space
            if at - style.space <= x + width + 1:
                canvas.line(first, xs, baseline)
                y += leading
                lines = lines[1:]
        y, _ = set_paragraph(canvas, lines, x + indent, y, width - indent, leading_px=leading)
        y += leading * 0.2
    return y


def _body(
    design: PageDesign,
    canvas: Canvas,
    x: float,
    y: float,
    width: float,
    style: Style,
    leading: float,
    align: str,
) -> float:
    other = None
    if design.chance(design.config.look.mixed):
        other = design.style(style.size_px, bold=design.chance(0.5), italic=True)
    pieces = styled(design.paragraph(8, 90), style, other=other, rng=design.rng)
    hyphenate = align == "justify" and design.chance(design.config.text.hyphenated)
    indent = style.size_px * 1.5 if align == "justify" and design.chance(0.3) else 0.0
    lines = break_lines(pieces, width, indent_px=indent, hyphenate=hyphenate)
    return set_paragraph(
        canvas, lines, x, y, width, leading_px=leading, align=align, indent_px=indent
    )[0]


def _line_words(design: PageDesign) -> list[str]:
    rng = design.rng
    draw = rng.random()
    if draw < 0.2:
        name = rng.choice(list(FIELDS))
        value = FIELDS[name](rng, design.locale)
        return f"{design.label(name)}: {value}".split() if design.chance(0.4) else value.split()
    if draw < 0.27:
        total = fake.money(fake.cents(rng, 10, 999_999) / 100, design.locale)
        return f"{fake.goods(rng, design.locale)} {total}".split()
    return design.words(rng.randint(1, rng.choice((2, 6, 12, _MAX_WORDS))))


def _fitting(pieces: list[StyledWord], width_px: float) -> list[StyledWord]:
    fitting: list[StyledWord] = []
    for text, style in pieces:
        width_px -= style.width(text) + style.space
        if width_px < 0:
            break
        fitting.append((text, style))
    return fitting


def _decorate(
    design: PageDesign, canvas: Canvas, style: Style, start: float, end: float, baseline: float
) -> None:
    """A rule below the line, a box around it, or a tint behind it, now and then."""
    stroke = max(1.0, style.size_px / 18)
    if design.chance(design.config.look.underlined):
        canvas.rule(start, end, baseline + 0.14 * style.size_px, design.ink, stroke)
    elif design.chance(0.04):
        canvas.frame((1, 1, canvas.width - 1, canvas.height - 1), design.tone(0.8), stroke)
    elif design.chance(0.04):
        low = canvas.height - 2
        canvas.rule(0, canvas.width, low, design.tone(0.6), 1.0)
