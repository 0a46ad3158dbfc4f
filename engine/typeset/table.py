"""Tables: columns of names, codes, dates and numbers, with and without rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..page import Figure
from . import fake
from .crop import heading
from .flow import break_lines, set_paragraph, styled
from .scene import Scene
from .sheet import Sheet, Style


@dataclass(frozen=True)
class TableGrid:
    """What stands in a table."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    aligns: Sequence[str]
    last_bold: bool = False


def table(scene: Scene) -> Sheet:
    """A page with a heading, a few lines of text and one or two tables."""
    rng = scene.rng
    width, height = scene.paper_px()
    sheet = scene.sheet(width, height)
    side = rng.uniform(0.06, 0.12) * width
    y, bottom = rng.uniform(0.05, 0.1) * height, height * 0.93
    size = rng.uniform(7.5, 11) * scene.pt
    style = scene.style(size)
    if scene.chance(0.7):
        y = heading(scene, sheet, side, y, width - 2 * side, size * rng.uniform(1.3, 2.0), "left")
    while bottom - y > 12 * style.size_px:
        y = _text(scene, sheet, side, y, width - 2 * side, style, bottom)
        y = _captioned(scene, sheet, (side, y, width - side, bottom), style)
        if scene.chance(0.35):
            break
    return sheet


def grid_of(scene: Scene, columns: int, rows: int) -> TableGrid:
    """A made-up table."""
    rng, locale = scene.rng, scene.locale
    names: list[str] = ["name"]
    while len(names) < columns:
        names.append(rng.choice(list(_CELLS)))
    shares = {"price": 2, "share": 1}

    def cell(name: str) -> str:
        if name in shares and rng.random() < 0.04:
            return "–"
        return _CELLS[name](scene)

    content = [[scene.fit(cell(name)) for name in names] for _ in range(rows)]
    head = [scene.fit(" ".join(filter(None, [_head_word(scene, name)]))) for name in names]
    aligns = ["right" if name in _NUMERIC else "left" for name in names]
    if scene.chance(0.1):
        aligns = ["center"] * columns
    total = scene.chance(0.3)
    if total:
        sums = [
            fake.number(rng.randint(100, 9_999_999) / 100, locale) if n in _NUMERIC else ""
            for n in names
        ]
        content.append([scene.label("total"), *sums[1:]])
    return TableGrid(head, content, aligns, last_bold=total)


def draw_grid(
    scene: Scene,
    sheet: Sheet,
    grid: TableGrid,
    box: tuple[float, float, float, float],
    style: Style,
) -> float:
    """Draw as many columns and rows as the box holds; returns the y below the table."""
    rng = scene.rng
    x0, y, x1, bottom = box
    bold = scene.style(style.size_px, bold=True)
    pad = style.size_px * rng.uniform(0.35, 0.8)
    row_px = style.size_px * rng.uniform(1.35, 2.1)
    widths = _widths(grid, style, bold, pad, x1 - x0)
    if not widths:
        return y + row_px
    used = len(widths)
    edges = [x0]
    for width in widths:
        edges.append(edges[-1] + width)
    rows = [list(grid.head), *[list(row) for row in grid.rows]]
    rows = rows[: max(1, int((bottom - y) / row_px))]
    look = rng.choice(("boxed", "rules", "head", "zebra", "plain", "filled", "lines"))
    _rules(scene, sheet, look, edges, y, row_px, len(rows))
    sheet.figures.append(Figure((x0, y, edges[-1], y + row_px * len(rows)), "table"))
    sheet.block()
    for number, row in enumerate(rows):
        is_head = number == 0
        strong = (is_head and look != "plain") or (grid.last_bold and number == len(grid.rows))
        own = bold if strong else style
        if is_head and look == "filled":
            own = scene.style(style.size_px, bold=True, ink=scene.paper)
        baseline = y + number * row_px + row_px / 2 + 0.34 * style.size_px
        for column in range(used):
            _cell(sheet, row[column], own, grid.aligns[column], edges, column, pad, baseline)
    sheet.block()
    return y + row_px * len(rows) + style.size_px


def _cell(
    sheet: Sheet,
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
    sheet.write(at, baseline, " ".join(words), style, align=align)


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
    scene: Scene,
    sheet: Sheet,
    look: str,
    edges: Sequence[float],
    y: float,
    row_px: float,
    rows: int,
) -> None:
    left, right, bottom = edges[0], edges[-1], y + row_px * rows
    tone, thin = scene.tone(scene.rng.uniform(0.35, 1.0)), max(1.0, scene.pt * 0.5)
    if look == "filled":
        sheet.fill((left, y, right, y + row_px), scene.tone(0.9))
    if look == "zebra":
        light = scene.tone(0.09)
        for number in range(1, rows, 2):
            top = y + number * row_px
            sheet.fill((left, top, right, top + row_px), light)
    if look in ("boxed", "lines"):
        for number in range(rows + 1):
            sheet.rule(left, right, y + number * row_px, tone, thin)
    if look == "boxed":
        for edge in edges:
            sheet.bar(edge, y, bottom, tone, thin)
    if look == "rules":
        for place, weight in ((y, 2.0), (y + row_px, 1.0), (bottom, 2.0)):
            sheet.rule(left, right, place, tone, thin * weight)
    if look in ("head", "zebra"):
        sheet.rule(left, right, y + row_px, tone, thin)


def _captioned(
    scene: Scene, sheet: Sheet, box: tuple[float, float, float, float], style: Style
) -> float:
    rng = scene.rng
    x0, y, x1, bottom = box
    if scene.chance(0.6):
        caption = f"{scene.label('table')} {rng.randint(1, 30)}: {scene.title(8, scene.body)}"
        own = scene.style(style.size_px * 0.95, italic=scene.chance(0.3), bold=scene.chance(0.3))
        words = scene.fit(caption).split()
        lines = break_lines(styled(words, own), x1 - x0, limit=1)
        y, _ = set_paragraph(sheet, lines, x0, y, x1 - x0, leading_px=1.5 * own.size_px)
        sheet.block()
        y += 0.3 * style.size_px
    grid = grid_of(scene, rng.randint(2, 8), rng.randint(3, 28))
    return draw_grid(scene, sheet, grid, (x0, y, x1, bottom), style)


def _text(
    scene: Scene, sheet: Sheet, x: float, y: float, width: float, style: Style, bottom: float
) -> float:
    if scene.chance(0.4):
        return y
    leading = style.size_px * 1.35
    words = styled(scene.paragraph(10, 70), style)
    lines = break_lines(words, width, limit=max(1, int((bottom - y) / leading) - 6))
    sheet.block()
    y, _ = set_paragraph(sheet, lines, x, y, width, leading_px=leading)
    sheet.block()
    return y + leading * 0.6


def _head_word(scene: Scene, name: str) -> str:
    known = {
        "name": "name", "thing": "description", "code": "code", "date": "date", "count": "quantity",
        "price": "price", "share": "share", "town": "town", "year": "year", "number": "number",
    }  # fmt: skip
    return scene.label(known[name]) if name in known else scene.title(2, scene.body)


_CELLS: dict[str, Callable[[Scene], str]] = {
    "name": lambda s: (
        " ".join(fake.person(s.rng, s.locale)) if s.chance(0.5) else s.title(3, s.body)
    ),
    "thing": lambda s: fake.goods(s.rng, s.locale),
    "code": lambda s: fake.code(s.rng),
    "date": lambda s: fake.date(s.rng, s.locale),
    "count": lambda s: str(s.rng.randint(0, s.rng.choice((9, 99, 9999)))),
    "price": lambda s: fake.number(fake.cents(s.rng, 5, 9_999_999) / 100, s.locale),
    "share": lambda s: fake.percent(s.rng.randint(0, 1000) / 1000, s.locale, places=1),
    "town": lambda s: fake.town(s.rng, s.locale)[1],
    "year": lambda s: str(s.rng.randint(1850, 2030)),
    "number": lambda s: fake.number(s.rng.randint(-9999, 9999) / 1000, s.locale, places=3),
    "words": lambda s: " ".join(s.words(s.rng.randint(1, 4))),
}
_NUMERIC = {"count", "price", "share", "number"}
