"""Tables without lines around them, as rich lays them out; cells are text, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

Cell = str | Text
INDENT = 2
LABEL_COLUMNS = 11
"""Width of the labels of a list of fields."""


def table(
    rows: Iterable[Sequence[Cell]],
    *,
    heads: Sequence[str] = (),
    left: int = 1,
    gap: int = 2,
    indent: int = 0,
) -> Padding:
    """Rows with aligned columns.

    Args:
        rows: of as many cells each.
        heads: above the columns, in bold.
        left: so many columns stand at the left edge, the others right.
        gap: spaces between columns.
        indent: spaces before the first one.
    """
    rows = [*rows]
    grid = Table(
        box=None, show_header=bool(heads), pad_edge=False, padding=(0, gap, 0, 0),
        header_style="bold",
    )  # fmt: skip
    for number in range(max(map(len, (*rows, heads)), default=0)):
        grid.add_column(
            Text(heads[number]) if number < len(heads) else "",
            justify="left" if number < left else "right",
            overflow="fold",
        )
    for row in rows:
        grid.add_row(*(as_text(cell) for cell in row))
    return Padding(grid, (0, 0, 0, indent), expand=False)


def fields(rows: Iterable[tuple[str, Cell]]) -> Padding:
    """Labels and what stands behind them; an empty label goes on with the one above."""
    grid = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column(width=LABEL_COLUMNS - 1, style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, cell in rows:
        grid.add_row(label, as_text(cell))
    return Padding(grid, (0, 0, 0, INDENT), expand=False)


def as_text(cell: Cell) -> Text:
    """The cell as it is, without markup."""
    return Text(cell) if isinstance(cell, str) else cell
