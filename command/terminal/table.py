"""Tables without lines around them, as rich lays them out; cells are text, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

Cell = str | Text
INDENT = 2
LABEL_COLUMNS = 10
"""Width of the labels of a list of fields."""
EDGES: dict[str, Literal["left", "right"]] = {"l": "left", "r": "right"}


def table(
    rows: Iterable[Sequence[Cell]], *, justify: str, heads: Sequence[str] = (), indent: int = 0
) -> Padding:
    """Rows with aligned columns.

    Args:
        rows: of as many cells each.
        justify: a letter a column: `l` stands at the left edge, `r` at the right.
        heads: above the columns, in bold; a line break makes two lines.
        indent: spaces before the first column.
    """
    grid = Table(
        box=None, show_header=bool(heads), pad_edge=False, padding=(0, 2, 0, 0),
        header_style="bold",
    )  # fmt: skip
    for number, edge in enumerate(justify):
        head = Text(heads[number]) if heads else ""
        grid.add_column(head, justify=EDGES[edge], overflow="fold", vertical="bottom")
    for row in rows:
        grid.add_row(*(as_text(cell) for cell in row))
    return Padding(grid, (0, 0, 0, indent), expand=False)


def fields(rows: Iterable[tuple[str, Cell]]) -> Padding:
    """Labels and what stands behind them; an empty label goes on with the one above."""
    grid = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column(width=LABEL_COLUMNS, style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, cell in rows:
        grid.add_row(label, as_text(cell))
    return Padding(grid, (0, 0, 0, INDENT), expand=False)


def as_text(cell: Cell) -> Text:
    """The cell as it is, without markup."""
    return Text(cell) if isinstance(cell, str) else cell
