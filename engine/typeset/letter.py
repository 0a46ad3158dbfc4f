"""A letter of one page."""

from __future__ import annotations

from . import fake
from .canvas import Canvas
from .design import PageDesign
from .flow import break_lines, set_paragraph, styled


def letter(design: PageDesign) -> Canvas:
    """Sender, recipient, date, subject, a few paragraphs, and a name at the end."""
    rng, locale = design.rng, design.locale
    width, height = design.paper_px()
    canvas = design.canvas(width, height)
    side = rng.uniform(0.1, 0.15) * width
    left, right = side, width - side
    style = design.style(rng.uniform(9.5, 12.5) * design.pt)
    step = style.size_px * rng.uniform(1.2, 1.55)
    y = rng.uniform(0.06, 0.1) * height
    align = rng.choice(("left", "right"))
    for line in fake.address(rng, locale):
        canvas.write(left if align == "left" else right, y, design.fit(line), style, align=align)
        y += step
    canvas.block()
    y += step
    for line in fake.address(rng, locale):
        canvas.write(left, y, design.fit(line), style)
        y += step
    canvas.block()
    place = fake.town(rng, locale)[1]
    day = design.fit(f"{place}, {fake.date(rng, locale)}")
    canvas.write(right, y + step, day, style, align="right")
    canvas.block()
    y += 2 * step
    bold = design.style(style.size_px, bold=True)
    subject = f"{design.label('subject')} {design.title(6, design.body)}"
    lines = break_lines(styled(design.fit(subject).split(), bold), right - left, limit=2)
    y, _ = set_paragraph(canvas, lines, left, y, right - left, leading_px=step)
    canvas.block()
    y += 2 * step
    surname = fake.person(rng, locale)[1]
    canvas.write(left, y, design.fit(f"{design.label('dear')} {surname},"), style)
    canvas.block()
    y += 0.8 * step
    justify = "justify" if design.chance(0.4) else "left"
    for _ in range(rng.randint(1, 5)):
        words = styled(design.paragraph(20, 90), style)
        room = int((0.8 * height - y) / step)
        if room < 2:
            break
        lines = break_lines(words, right - left, limit=room)
        canvas.block()
        y, _ = set_paragraph(canvas, lines, left, y, right - left, leading_px=step, align=justify)
        y += 0.6 * step
    canvas.block()
    y += 1.2 * step
    canvas.write(left, y, design.fit(design.label("regards")), style)
    canvas.block()
    name = " ".join(fake.person(rng, locale))
    if design.chance(0.5):
        hand = design.family("hand")
        signed = design.style(style.size_px * rng.uniform(1.4, 2.0), family=hand)
        y += 2.4 * step
        canvas.write(left, y, design.fit(name, hand), signed)
    y += 1.8 * step
    canvas.write(left, y, design.fit(name), style)
    return canvas
