"""A slide: a large title, and a few large lines."""

from __future__ import annotations

from .crop import bullets, heading
from .flow import break_lines, set_paragraph, styled
from .scene import Scene
from .sheet import Sheet


def slide(scene: Scene) -> Sheet:
    """A landscape page with few words."""
    rng = scene.rng
    width, height = rng.choice(((1280, 720), (1024, 768), (960, 540)))
    sheet = scene.sheet(width, height)
    side = rng.uniform(0.05, 0.1) * width
    size = height / rng.uniform(20, 30)
    y = height * 0.08
    y = heading(scene, sheet, side, y, width - 2 * side, size * rng.uniform(1.5, 2.0), "left")
    if scene.chance(0.3):
        sheet.rule(side, width - side, y, scene.tone(0.7), 2.0)
    y += size
    style = scene.style(size)
    if scene.chance(0.7):
        leading, room = 1.35 * style.size_px, 0.9 * height
        bullets(scene, sheet, side, y, width - 2 * side, style, leading, bottom=room)
    else:
        room = int((0.88 * height - y) / (1.4 * style.size_px))
        pieces = styled(scene.paragraph(8, 45), style)
        lines = break_lines(pieces, width - 2 * side, limit=max(1, room))
        set_paragraph(sheet, lines, side, y, width - 2 * side, leading_px=1.4 * style.size_px)
    sheet.block()
    small = scene.style(size * 0.5)
    if scene.chance(0.5):
        number = str(rng.randint(1, 60))
        sheet.write(width - side, height * 0.96, number, small, align="right")
    return sheet
