"""A slide: a large title, and a few large lines."""

from __future__ import annotations

from .canvas import Canvas
from .crop import bullets, heading
from .design import PageDesign
from .flow import break_lines, set_paragraph, styled


def slide(design: PageDesign) -> Canvas:
    """A landscape page with few words."""
    rng = design.rng
    width, height = rng.choice(((1280, 720), (1024, 768), (960, 540)))
    canvas = design.canvas(width, height)
    side = rng.uniform(0.05, 0.1) * width
    size = height / rng.uniform(20, 30)
    y = height * 0.08
    y = heading(design, canvas, side, y, width - 2 * side, size * rng.uniform(1.5, 2.0), "left")
    if design.chance(0.3):
        canvas.rule(side, width - side, y, design.tone(0.7), 2.0)
    y += size
    style = design.style(size)
    if design.chance(0.7):
        leading, room = 1.35 * style.size_px, 0.9 * height
        bullets(design, canvas, side, y, width - 2 * side, style, leading, bottom=room)
    else:
        room = int((0.88 * height - y) / (1.4 * style.size_px))
        pieces = styled(design.paragraph(8, 45), style)
        lines = break_lines(pieces, width - 2 * side, limit=max(1, room))
        set_paragraph(canvas, lines, side, y, width - 2 * side, leading_px=1.4 * style.size_px)
    canvas.block()
    small = design.style(size * 0.5)
    if design.chance(0.5):
        number = str(rng.randint(1, 60))
        canvas.write(width - side, height * 0.96, number, small, align="right")
    return canvas
