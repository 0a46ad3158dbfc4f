"""A letter of one page."""

from __future__ import annotations

from . import fake
from .flow import break_lines, set_paragraph, styled
from .scene import Scene
from .sheet import Sheet


def letter(scene: Scene) -> Sheet:
    """Sender, recipient, date, subject, a few paragraphs, and a name at the end."""
    rng, locale = scene.rng, scene.locale
    width, height = scene.paper_px()
    sheet = scene.sheet(width, height)
    side = rng.uniform(0.1, 0.15) * width
    left, right = side, width - side
    style = scene.style(rng.uniform(9.5, 12.5) * scene.pt)
    step = style.size_px * rng.uniform(1.2, 1.55)
    y = rng.uniform(0.06, 0.1) * height
    align = rng.choice(("left", "right"))
    for line in fake.address(rng, locale):
        sheet.write(left if align == "left" else right, y, scene.fit(line), style, align=align)
        y += step
    sheet.block()
    y += step
    for line in fake.address(rng, locale):
        sheet.write(left, y, scene.fit(line), style)
        y += step
    sheet.block()
    place = fake.town(rng, locale)[1]
    day = scene.fit(f"{place}, {fake.date(rng, locale)}")
    sheet.write(right, y + step, day, style, align="right")
    sheet.block()
    y += 2 * step
    bold = scene.style(style.size_px, bold=True)
    subject = f"{scene.label('subject')} {scene.title(6, scene.body)}"
    lines = break_lines(styled(scene.fit(subject).split(), bold), right - left, limit=2)
    y, _ = set_paragraph(sheet, lines, left, y, right - left, leading_px=step)
    sheet.block()
    y += 2 * step
    surname = fake.person(rng, locale)[1]
    sheet.write(left, y, scene.fit(f"{scene.label('dear')} {surname},"), style)
    sheet.block()
    y += 0.8 * step
    justify = "justify" if scene.chance(0.4) else "left"
    for _ in range(rng.randint(1, 5)):
        words = styled(scene.paragraph(20, 90), style)
        room = int((0.8 * height - y) / step)
        if room < 2:
            break
        lines = break_lines(words, right - left, limit=room)
        sheet.block()
        y, _ = set_paragraph(sheet, lines, left, y, right - left, leading_px=step, align=justify)
        y += 0.6 * step
    sheet.block()
    y += 1.2 * step
    sheet.write(left, y, scene.fit(scene.label("regards")), style)
    sheet.block()
    name = " ".join(fake.person(rng, locale))
    if scene.chance(0.5):
        hand = scene.family("hand")
        signed = scene.style(style.size_px * rng.uniform(1.4, 2.0), family=hand)
        y += 2.4 * step
        sheet.write(left, y, scene.fit(name, hand), signed)
    y += 1.8 * step
    sheet.write(left, y, scene.fit(name), style)
    return sheet
