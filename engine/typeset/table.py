"""Tables: columns of names, codes, dates and numbers, with and without rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..page import Figure
from . import fake
from .canvas import Canvas, Style
from .crop import heading
from .design import PageDesign
from .flow import break_lines, set_paragraph, styled


@dataclass(frozen=True)
class TableGrid:
    """What stands in a table."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    aligns: Sequence[str]
    last_bold: bool = False


def table(design: PageDesign) -> Canvas:
    """A page with a heading, a few lines of text and one or two tables."""
    rng = design.rng
    width, height = design.paper_px()
    canvas = design.canvas(width, height)
    side = rng.uniform(0.06, 0.12) * width
    y, bottom = rng.uniform(0.05, 0.1) * height, height * 0.93
    size = rng.uniform(7.5, 11) * design.pt
    style = design.style(size)
    if design.chance(0.7):
        y = heading(design, canvas, side, y, width - 2 * side, size * rng.uniform(1.3, 2.0), "left")
    while bottom - y > 12 * style.size_px:
        y = _text(design, canvas, side, y, width - 2 * side, style, bottom)
        y = _captioned(design, canvas, (side, y, width - side, bottom), style)
        if design.chance(0.35):
            break
    return canvas


def random_grid(design: PageDesign, columns: int, rows: int) -> TableGrid:
    """A made-up table of that many columns and rows; now and then a row with totals below."""
    rng, locale = design.rng, design.locale
    kinds: list[str] = ["name"]
    while len(kinds) < columns:
        kinds.append(rng.choice(list(_CELLS)))

    def cell(kind: str) -> str:
        if kind in _SOMETIMES_EMPTY and rng.random() < 0.04:
            return "–"
        return _CELLS[kind](design)

    content = [[design.fit(cell(kind)) for kind in kinds] for _ in range(rows)]
    head = [design.fit(_head_word(design, kind)) for kind in kinds]
    aligns = ["right" if kind in _NUMERIC else "left" for kind in kinds]
    if design.chance(0.1):
        aligns = ["center"] * columns
    total = design.chance(0.3)
    if total:
        sums = [
            fake.number(rng.randint(100, 9_999_999) / 100, locale) if kind in _NUMERIC else ""
            for kind in kinds
        ]
        content.append([design.label("total"), *sums[1:]])
    return TableGrid(head, content, aligns, last_bold=total)


def draw_grid(
    design: PageDesign,
    canvas: Canvas,
    grid: TableGrid,
    box: tuple[float, float, float, float],
    style: Style,
) -> float:
    """Draw as many columns and rows as the box holds; returns the y below the table."""
    rng = design.rng
    x0, y, x1, bottom = box
    bold = design.style(style.size_px, bold=True)
    pad = style.size_px * rng.uniform(0.35, 0.8)
    row_px = style.size_px * rng.uniform(1.35, 2.1)
    widths = _widths(grid, style, bold, pad, x1 - x0)
    if not widths:
        return y + row_px
    edges = [x0]
    for width in widths:
        edges.append(edges[-1] + width)
    rows = [list(grid.head), *[list(row) for row in grid.rows]]
    rows = rows[: max(1, int((bottom - y) / row_px))]
    look = rng.choice(("boxed", "rules", "head", "zebra", "plain", "filled", "lines"))
    _rules(design, canvas, look, edges, y, row_px, len(rows))
    canvas.figures.append(Figure((x0, y, edges[-1], y + row_px * len(rows)), "table"))
    canvas.block()
    for number, row in enumerate(rows):
        is_head = number == 0
        strong = (is_head and look != "plain") or (grid.last_bold and number == len(grid.rows))
        row_style = bold if strong else style
        if is_head and look == "filled":
            row_style = design.style(style.size_px, bold=True, ink=design.paper)
        baseline = y + number * row_px + row_px / 2 + 0.34 * style.size_px
        for column in range(len(widths)):
            _cell(canvas, row[column], row_style, grid.aligns[column], edges, column, pad, baseline)
    canvas.block()
    return y + row_px * len(rows) + style.size_px


def _cell(
    canvas: Canvas,
    text: str,
    style: Style,
    align: str,
    edges: Sequence[float],
    column: int,
    pad: float,
    baseline: float,
) -> None:
    left, right = edges[column] + pad, edges[column + 1] - pad
    words = text.split()
    while words and style.width(" ".join(words)) > right - left + 1:
        words.pop()
    at = {"left": left, "right": right, "center": (left + right) / 2}[align]
    canvas.write(at, baseline, " ".join(words), style, align=align)


def _widths(grid: TableGrid, style: Style, bold: Style, pad: float, room: float) -> list[float]:
    """Widths of the first columns that fit, stretched to the room where little is missing."""
    widths: list[float] = []
    for column in range(len(grid.head)):
        cells = [style.width(row[column]) for row in grid.rows]
        widest = max([bold.width(grid.head[column]), *cells])
        width = min(widest * 1.06, room * 0.5) + 2 * pad
        if sum(widths) + width > room:
            break
        widths.append(width)
    total = sum(widths)
    if widths and total > 0.45 * room:
        widths = [width * room / total for width in widths]
    return widths


def _rules(
    design: PageDesign,
    canvas: Canvas,
    look: str,
    edges: Sequence[float],
    y: float,
    row_px: float,
    rows: int,
) -> None:
    left, right, bottom = edges[0], edges[-1], y + row_px * rows
    tone, thin = design.tone(design.rng.uniform(0.35, 1.0)), max(1.0, design.pt * 0.5)
    if look == "filled":
        canvas.fill((left, y, right, y + row_px), design.tone(0.9))
    if look == "zebra":
        light = design.tone(0.09)
        for number in range(1, rows, 2):
            top = y + number * row_px
            canvas.fill((left, top, right, top + row_px), light)
    if look in ("boxed", "lines"):
        for number in range(rows + 1):
            canvas.rule(left, right, y + number * row_px, tone, thin)
    if look == "boxed":
        for edge in edges:
            canvas.bar(edge, y, bottom, tone, thin)
    if look == "rules":
        for place, weight in ((y, 2.0), (y + row_px, 1.0), (bottom, 2.0)):
            canvas.rule(left, right, place, tone, thin * weight)
    if look in ("head", "zebra"):
        canvas.rule(left, right, y + row_px, tone, thin)


def _captioned(
    design: PageDesign, canvas: Canvas, box: tuple[float, float, float, float], style: Style
) -> float:
    rng = design.rng
    x0, y, x1, bottom = box
    if design.chance(0.6):
        caption = f"{design.label('table')} {rng.randint(1, 30)}: {design.title(8, design.body)}"
        caption_style = design.style(
            style.size_px * 0.95, italic=design.chance(0.3), bold=design.chance(0.3)
        )
        words = design.fit(caption).split()
        lines = break_lines(styled(words, caption_style), x1 - x0, limit=1)
        y, _ = set_paragraph(canvas, lines, x0, y, x1 - x0, leading_px=1.5 * caption_style.size_px)
        canvas.block()
        y += 0.3 * style.size_px
    grid = random_grid(design, rng.randint(2, 8), rng.randint(3, 28))
    return draw_grid(design, canvas, grid, (x0, y, x1, bottom), style)


def _text(
    design: PageDesign,
    canvas: Canvas,
    x: float,
    y: float,
    width: float,
    style: Style,
    bottom: float,
) -> float:
    if design.chance(0.4):
        return y
    leading = style.size_px * 1.35
    words = styled(design.paragraph(10, 70), style)
    lines = break_lines(words, width, limit=max(1, int((bottom - y) / leading) - 6))
    canvas.block()
    y, _ = set_paragraph(canvas, lines, x, y, width, leading_px=leading)
    canvas.block()
    return y + leading * 0.6


def _head_word(design: PageDesign, kind: str) -> str:
    label = _HEAD_LABELS.get(kind, "")
    return design.label(label) if label else design.title(2, design.body)


_HEAD_LABELS = {
    "name": "name", "thing": "description", "code": "code", "date": "date", "count": "quantity",
    "price": "price", "share": "share", "town": "town", "year": "year", "number": "number",
}  # fmt: skip
"""Kind of a column to the label over it; another column has words over it."""

_CELLS: dict[str, Callable[[PageDesign], str]] = {
    "name": lambda design: (
        " ".join(fake.person(design.rng, design.locale))
        if design.chance(0.5)
        else design.title(3, design.body)
    ),
    "thing": lambda design: fake.goods(design.rng, design.locale),
    "code": lambda design: fake.code(design.rng),
    "date": lambda design: fake.date(design.rng, design.locale),
    "count": lambda design: str(design.rng.randint(0, design.rng.choice((9, 99, 9999)))),
    "price": lambda design: fake.number(fake.cents(design.rng, 5, 9_999_999) / 100, design.locale),
    "share": lambda design: fake.percent(
        design.rng.randint(0, 1000) / 1000, design.locale, places=1
    ),
    "town": lambda design: fake.town(design.rng, design.locale)[1],
    "year": lambda design: str(design.rng.randint(1850, 2030)),
    "number": lambda design: fake.number(
        design.rng.randint(-9999, 9999) / 1000, design.locale, places=3
    ),
    "words": lambda design: " ".join(design.words(design.rng.randint(1, 4))),
}
_NUMERIC = {"count", "price", "share", "number"}
_SOMETIMES_EMPTY = {"price", "share"}
