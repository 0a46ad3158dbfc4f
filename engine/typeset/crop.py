"""Small crops: one line, or one paragraph, list or heading with text."""

from __future__ import annotations

from . import fake
from .fake import FIELDS
from .flow import Piece, break_lines, set_line, set_paragraph, styled
from .scene import Scene
from .sheet import Sheet, Style

_MAX_LINE_PX = 1400
_MAX_WORDS = 16


def line(scene: Scene) -> Sheet:
    """One line with margins."""
    rng, look = scene.rng, scene.config.look
    draw = rng.random()
    x_height = look.min_x_height_px + (look.max_x_height_px - look.min_x_height_px) * draw**3
    family = scene.body if scene.chance(0.8) else scene.family("any")
    size = x_height / family.regular.x_height_em
    bold, italic = scene.chance(0.2), scene.chance(0.15)
    tracking = rng.uniform(0.03, 0.2) if scene.chance(look.tracked) else 0.0
    style = scene.style(size, family=family, bold=bold, italic=italic, tracking_em=tracking)
    other = None
    if scene.chance(look.mixed):
        other = scene.style(size, family=family, bold=not bold, italic=italic, tracking_em=tracking)
    words = _line_words(scene)[: look.max_line_words]
    pieces = styled(
        [word for word in words if family.draws(word)], style, other=other, rng=rng, share=0.4
    )
    pieces = _up_to(pieces, _MAX_LINE_PX) or [("0", style)]
    width = sum(s.width(t) for t, s in pieces) + sum(s.space for _, s in pieces[1:])
    left, right = (rng.uniform(0.3, 2.0) * style.size_px for _ in range(2))
    ascent = style.font.face.ascent_em * style.size_px
    top, bottom = (rng.uniform(0.15, 0.8) * style.size_px for _ in range(2))
    descent = 0.3 * style.size_px
    sheet = scene.sheet(round(left + width + right + 4), round(top + ascent + descent + bottom + 4))
    baseline = top + ascent + 2
    start, end = set_line(sheet, pieces, left, baseline, width)
    _decorate(scene, sheet, style, start, end, baseline)
    return sheet


def block(scene: Scene) -> Sheet:
    """A paragraph, a heading with one or two, or a list."""
    rng, look = scene.rng, scene.config.look
    draw = rng.random()
    x_height = look.min_x_height_px + 13 * draw * draw
    size = x_height / scene.body.regular.x_height_em
    style = scene.style(size, italic=scene.chance(0.06), bold=scene.chance(0.05))
    width = round(rng.uniform(14, 46) * style.size_px)
    width = min(width, 1000)
    pad = [rng.uniform(0.4, 2.5) * style.size_px for _ in range(4)]
    sheet = scene.sheet(round(pad[0] + width + pad[2]), 1)
    leading = rng.uniform(1.15, 1.6) * style.size_px
    align = rng.choice(("left", "left", "justify", "justify", "center", "right"))
    y = pad[1]
    if scene.chance(0.4):
        y = heading(scene, sheet, pad[0], y, width, style.size_px * rng.uniform(1.1, 1.8), align)
    if scene.chance(0.25):
        y = bullets(scene, sheet, pad[0], y, width, style, leading)
    else:
        for _ in range(rng.choice((1, 1, 2))):
            y = _body(scene, sheet, pad[0], y, width, style, leading, align)
            y += leading * rng.choice((0.0, 0.5, 1.0))
            sheet.block()
    sheet.height = max(8, round(y + pad[3]))
    return sheet


def heading(
    scene: Scene, sheet: Sheet, x: float, y: float, width: float, size_px: float, align: str
) -> float:
    """A heading of one or two lines; returns the y below it."""
    sheet.block()
    tracking = 0.1 if scene.chance(scene.config.look.tracked) else 0.0
    bold = scene.chance(0.7)
    style = scene.style(size_px, family=scene.heading, bold=bold, tracking_em=tracking)
    pieces = styled(scene.title().split(), style)
    lines = break_lines(pieces, width, limit=2)
    where = align if align != "justify" else "left"
    leading = 1.2 * style.size_px
    bottom, _ = set_paragraph(sheet, lines, x, y, width, leading_px=leading, align=where)
    if lines and scene.chance(0.12):
        bottom += 0.15 * size_px
        sheet.rule(x, x + width, bottom, scene.tone(0.7), max(1.0, size_px / 16))
    sheet.block()
    return bottom + size_px * scene.rng.uniform(0.2, 0.6)


def bullets(
    scene: Scene,
    sheet: Sheet,
    x: float,
    y: float,
    width: float,
    style: Style,
    leading: float,
    *,
    bottom: float = float("inf"),
) -> float:
    """A list with bullets, numbers or letters, down to the bottom; returns the y below it."""
    rng = scene.rng
    mark = rng.choice(("•", "•", "–", "-", "1.", "1)", "a)", "(1)"))
    indent = style.size_px * rng.uniform(1.4, 2.2)
    for number in range(rng.randint(2, 6)):
        sheet.block()
        sign = mark.replace("1", str(number + 1)).replace("a", "abcdefgh"[number])
        pieces = styled(scene.words(rng.randint(2, 24)), style)
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
            for text, own in lines[0]:
                xs.append(at)
                at += own.width(text) + own.space
            if at - style.space <= x + width + 1:
                sheet.line(first, xs, baseline)
                y += leading
                lines = lines[1:]
        y, _ = set_paragraph(sheet, lines, x + indent, y, width - indent, leading_px=leading)
        y += leading * 0.2
    return y


def _body(
    scene: Scene,
    sheet: Sheet,
    x: float,
    y: float,
    width: float,
    style: Style,
    leading: float,
    align: str,
) -> float:
    other = None
    if scene.chance(scene.config.look.mixed):
        other = scene.style(style.size_px, bold=scene.chance(0.5), italic=True)
    pieces = styled(scene.paragraph(8, 90), style, other=other, rng=scene.rng)
    hyphenate = align == "justify" and scene.chance(scene.config.text.hyphenated)
    indent = style.size_px * 1.5 if align == "justify" and scene.chance(0.3) else 0.0
    lines = break_lines(pieces, width, indent_px=indent, hyphenate=hyphenate)
    return set_paragraph(
        sheet, lines, x, y, width, leading_px=leading, align=align, indent_px=indent
    )[0]


def _line_words(scene: Scene) -> list[str]:
    rng = scene.rng
    draw = rng.random()
    if draw < 0.2:
        name = rng.choice(list(FIELDS))
        value = FIELDS[name](rng, scene.locale)
        return f"{scene.label(name)}: {value}".split() if scene.chance(0.4) else value.split()
    if draw < 0.27:
        total = fake.money(fake.cents(rng, 10, 999_999) / 100, scene.locale)
        return f"{fake.goods(rng, scene.locale)} {total}".split()
    return scene.words(rng.randint(1, rng.choice((2, 6, 12, _MAX_WORDS))))


def _up_to(pieces: list[Piece], width_px: float) -> list[Piece]:
    kept: list[Piece] = []
    for text, style in pieces:
        width_px -= style.width(text) + style.space
        if width_px < 0:
            break
        kept.append((text, style))
    return kept


def _decorate(
    scene: Scene, sheet: Sheet, style: Style, start: float, end: float, baseline: float
) -> None:
    """A rule below the line, a box around it, or a tint behind it, now and then."""
    stroke = max(1.0, style.size_px / 18)
    if scene.chance(scene.config.look.underlined):
        sheet.rule(start, end, baseline + 0.14 * style.size_px, scene.ink, stroke)
    elif scene.chance(0.04):
        sheet.frame((1, 1, sheet.width - 1, sheet.height - 1), scene.tone(0.8), stroke)
    elif scene.chance(0.04):
        low = sheet.height - 2
        sheet.rule(0, sheet.width, low, scene.tone(0.6), 1.0)
