"""TEDS: known answers."""

from __future__ import annotations

import sys

import pytest
from pagemill.engine.errors import DependencyError
from pagemill.engine.score.table import teds

TABLE = (
    "<table><thead><tr><th>Item</th><th colspan='2'>Sum</th></tr></thead>"
    "<tbody><tr><td>Felt</td><td>12</td><td>EUR</td></tr></tbody></table>"
)


@pytest.mark.parametrize(
    ("read", "target", "value"),
    [
        (TABLE, TABLE, 1.0),
        (TABLE.replace("Felt", "Belt"), TABLE, 1 - 0.25 / 10),
        (TABLE.replace("<td>EUR</td>", ""), TABLE, 0.9),
        (TABLE.replace("colspan='2'", ""), TABLE, 0.9),
        ("no table", TABLE, 0.0),
        ("no table", "none here", 1.0),
        ("<table><tr><td>a<td>b<tr><td>c</table>",
         "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", 1.0),
    ],
)  # fmt: skip
def test_known_answers(read, target, value):
    assert teds(read, target).value == pytest.approx(value)


def test_a_table_of_structure_alone_forgets_what_cells_say():
    other = TABLE.replace("Felt", "Water")
    assert teds(other, TABLE, structure_only=True).value == 1
    assert teds(other, TABLE).value < 1


def test_without_apted_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "apted", None)
    with pytest.raises(DependencyError, match=r"TEDS needs apted: pip install 'pagemill\[train\]'"):
        teds(TABLE, TABLE)
