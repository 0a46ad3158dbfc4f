"""What templates of several pages draw from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class NavigationLink:
    """A link to a place of the same page."""

    target: str
    """An `id`."""
    title: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A large number with its name above and a note below."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class StackPart:
    """One part of a bar of shares."""

    css: str
    """Class of its colour."""
    amount: float
    label: str


@dataclass(frozen=True, slots=True)
class FigurePanel:
    """A chart or a table of bars with its title."""

    title: str
    body: Markup
    note: str = ""
    wide: bool = False

    def __bool__(self) -> bool:
        return bool(self.body)


@dataclass(frozen=True, slots=True)
class FigureSection:
    """Figures beside each other under one heading; figures of one column stand in a tuple."""

    name: str
    """Its `id`."""
    title: str
    columns: Sequence[Sequence[FigurePanel]]

    @classmethod
    def of(
        cls, name: str, title: str, *columns: FigurePanel | Sequence[FigurePanel]
    ) -> FigureSection:
        """The section without figures and columns that have nothing to show."""
        kept = [
            [
                figure
                for figure in ([column] if isinstance(column, FigurePanel) else column)
                if figure
            ]
            for column in columns
        ]
        return cls(name, title, [column for column in kept if column])

    def __bool__(self) -> bool:
        return bool(self.columns)
