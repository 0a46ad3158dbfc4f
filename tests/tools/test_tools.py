"""Every tool says what it makes and how it is run, and is in the table of the folder."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PROGRAMS = sorted(path.name for path in TOOLS.glob("make_*.py"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_tool_says_how_it_is_run_from_the_repository_root(name):
    text = (TOOLS / name).read_text(encoding="utf-8")
    assert f"python tools/{name}" in (ast.get_docstring(ast.parse(text)) or "")


def test_the_table_names_every_tool_and_no_other():
    table = (TOOLS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(make_\w+\.py)`", table, re.M) == PROGRAMS


@pytest.mark.parametrize("name", sorted(path.name for path in TOOLS.glob("*.toml")))
def test_tables_lie_beside_the_tool_that_reads_them(name):
    readers = [path for path in TOOLS.glob("*.py") if f'"{name}"' in path.read_text("utf-8")]
    assert len(readers) == 1
