"""Files and functions stay small enough to be read at once."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 400
MOST_FUNCTION_LINES = 60


def sources() -> dict[str, str]:
    """Every Python file of the repository, by its path."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    return {
        name: (ROOT / name).read_text(encoding="utf-8") for name in names if (ROOT / name).exists()
    }


def long_functions(text: str) -> list[str]:
    """Functions of more than `MOST_FUNCTION_LINES` lines, from `def` to their last line."""
    return [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno - node.lineno >= MOST_FUNCTION_LINES
    ]


def test_no_file_is_longer_than_400_lines():
    lines = {name: text.count("\n") for name, text in sources().items()}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_function_is_longer_than_60_lines():
    faults = {name: long_functions(text) for name, text in sources().items()}
    assert {name: found for name, found in faults.items() if found} == {}


def test_a_function_that_is_too_long_is_found():
    assert long_functions("def f():\n" + "    pass\n" * MOST_FUNCTION_LINES) == ["f has 61 lines"]
    assert long_functions("def f():\n" + "    pass\n" * (MOST_FUNCTION_LINES - 1)) == []
