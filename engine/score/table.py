"""How right a table is: TEDS, the tree edit distance between two tables of HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from ..errors import DependencyError
from .text import Score, edit_share

_TAGS = ("table", "thead", "tbody", "tfoot", "tr", "td")
_CLOSES = {"td": ("td",), "tr": ("tr", "td"), "tbody": ("thead", "tbody", "tr", "td")}
_CLOSES |= {"thead": _CLOSES["tbody"], "tfoot": _CLOSES["tbody"]}
"""Open elements that a new one ends, as in HTML without end tags."""


def teds(read: str, target: str, *, structure_only: bool = False) -> Score:
    """Likeness of two HTML tables: 1 less the tree edit distance over the larger tree.

    Nodes are table, thead, tbody, tfoot, tr and td (a th is a td). Taking a node away, adding one,
    or changing its name, colspan or rowspan costs 1; other text in a cell costs its edits over the
    longer text. Formatting inside cells does not count.

    Args:
        read: HTML with a table.
        target: HTML with a table.
        structure_only: whether text in cells is left out.

    Raises:
        DependencyError: apted is not installed.

    Source: Image-based table recognition, arXiv 1911.10683, section 5.
    """
    try:
        from apted import APTED
    except ImportError as err:
        raise DependencyError("TEDS needs apted: pip install 'pagemill[train]'") from err
    first, second = table_tree(read), table_tree(target)
    if first is None or second is None:
        return Score(float(first is second), 1.0)
    distance = APTED(first, second, EditCosts(structure_only)).compute_edit_distance()
    return Score(max(0.0, 1 - distance / max(first.count(), second.count())), 1.0)


def table_tree(html: str) -> TableNode | None:
    """The first table in an HTML text; None without one."""
    parser = TableParser()
    parser.feed(html)
    parser.close()
    return parser.root


@dataclass(slots=True)
class TableNode:
    """An element of a table."""

    tag: str
    spans: tuple[str, str] = ("1", "1")
    """colspan, rowspan."""
    text: str = ""
    children: list[TableNode] = field(default_factory=list)

    def count(self) -> int:
        """Nodes of the tree."""
        return 1 + sum(child.count() for child in self.children)


class EditCosts:
    """What edits of a tree cost; apted asks for these names."""

    valuecls = float

    def __init__(self, structure_only: bool) -> None:
        self.structure_only = structure_only

    def delete(self, node: TableNode) -> int:
        """Of taking a node away."""
        return 1

    def insert(self, node: TableNode) -> int:
        """Of adding a node."""
        return 1

    def rename(self, node: TableNode, other: TableNode) -> float:
        """Of making one node the other."""
        if node.tag != other.tag or node.spans != other.spans:
            return 1.0
        if node.tag != "td" or self.structure_only:
            return 0.0
        return edit_share(node.text, other.text)

    def children(self, node: TableNode) -> list[TableNode]:
        """Below a node."""
        return node.children


class TableParser(HTMLParser):
    """The first table of an HTML text as a tree; a table inside a cell is text of the cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root: TableNode | None = None
        self.open: list[TableNode] = []
        self.ended = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a node."""
        tag = "td" if tag == "th" else tag
        if self.ended or tag not in _TAGS or (tag == "table") != (self.root is None):
            return
        while self.open and self.open[-1].tag in _CLOSES.get(tag, ()):
            self.open.pop()
        values = dict(attrs)
        node = TableNode(tag, (values.get("colspan") or "1", values.get("rowspan") or "1"))
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node
        self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        """Close a node, and those left open inside it."""
        tag = "td" if tag == "th" else tag
        if any(node.tag == tag for node in self.open):
            while self.open.pop().tag != tag:
                pass
        self.ended = self.ended or (self.root is not None and not self.open)

    def handle_data(self, data: str) -> None:
        """Text of the open cell."""
        if self.open and self.open[-1].tag == "td":
            self.open[-1].text += data
