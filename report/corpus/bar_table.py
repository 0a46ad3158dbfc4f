"""A table of bars: a name, a bar as long as its amount, the amount, its share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..kit.chart import bar_chart
from ..kit.environment import render


@dataclass(frozen=True, slots=True)
class BarRow:
    """One row of the table."""

    name: str
    parts: Sequence[tuple[str, float]]
    """(CSS class, amount) from left to right."""
    amount: int
    meaning: str = ""


def bar_table(rows: Sequence[BarRow]) -> Markup:
    """The table; the longest bar fills its column."""
    most = max(row.amount for row in rows)
    return render(
        "corpus/bar_table.html.jinja",
        rows=[(row, bar_chart(row.parts, most)) for row in rows],
        whole=sum(row.amount for row in rows),
    )
