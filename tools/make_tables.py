"""Writes the tables of the guides from the code: reasons, ledger columns, index columns, settings.

python tools/make_tables.py            # rewrite
python tools/make_tables.py --check    # exit 1 where a guide is not what the code says
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import typing
from collections.abc import Iterable
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

from pagemill.corruption import CorruptionConfig
from pagemill.engine.config import describe
from pagemill.engine.reason import Reason
from pagemill.engine.store.index import IndexRow
from pagemill.engine.store.ledger import LedgerRow
from pagemill.engine.verify.fault import FaultKind
from pagemill.pipelines.build.config import BuildConfig

DOCS = Path(__file__).resolve().parents[1] / "docs"
GUIDES = ("corpus.md", "operations.md", "corruption.md")
NAMES = {str: "string", int: "int", float: "float"}
PLACE = re.compile(r"(?ms)^<!-- table: (\w+) -->\n.*?^<!-- table end -->$")


def main() -> int:
    """Rewrite, or compare with `--check`; the exit status."""
    stale = []
    for name in GUIDES:
        path = DOCS / name
        old = path.read_text(encoding="utf-8")
        new = PLACE.sub(lambda found: filled(found[1]), old)
        if new != old:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                path.write_text(new, encoding="utf-8")
    if stale and "--check" in sys.argv[1:]:
        print(f"{', '.join(stale)}: run python tools/make_tables.py")
        return 1
    return 0


def filled(name: str) -> str:
    """The markers with a fresh table between them."""
    return f"<!-- table: {name} -->\n{TABLES[name]()}<!-- table end -->"


def reasons() -> str:
    """Every word of the ledger's closed list."""
    return table(("reason", "meaning"), ((f"`{reason}`", reason.meaning) for reason in Reason))


def faults() -> str:
    """Everything that `verify` can find."""
    told = meanings(FaultKind)
    rows = ((f"`{kind}`", told.get(kind.name, "")) for kind in FaultKind)
    return table(("fault", "meaning"), rows)


def ledger() -> str:
    """The columns of `ledger/*.parquet`."""
    return table(("column", "type", "meaning"), columns(LedgerRow))


def index() -> str:
    """The columns of `index/*.parquet`."""
    return table(("column", "type", "meaning"), columns(IndexRow))


def settings() -> str:
    """Every key of `build.toml`."""
    return settings_of(BuildConfig)


def corruption() -> str:
    """Every key of `corruption.toml`."""
    return settings_of(CorruptionConfig)


def settings_of(kind: type[object]) -> str:
    """Every key of a configuration."""
    rows = ((f"`{key}`", f"`{shown(value)}`", told) for key, value, told in describe(kind))
    return table(("key", "default", "meaning"), rows)


TABLES = {f.__name__: f for f in (reasons, faults, ledger, index, settings, corruption)}


def columns(kind: type[object]) -> Iterable[tuple[str, str, str]]:
    """(name, type, meaning) of a dataclass's fields."""
    types = typing.get_type_hints(kind)
    for key, _, told in describe(kind):
        hint = types[key]
        yield f"`{key}`", NAMES.get(hint, "int list"), told


def meanings(kind: type[Enum]) -> dict[str, str]:
    """The string under each member, read from the source."""
    body = ast.parse(inspect.getsource(kind)).body[0].body  # type: ignore[attr-defined]
    found = {}
    for node, below in pairwise(body):
        if isinstance(node, ast.Assign) and isinstance(below, ast.Expr):
            found[node.targets[0].id] = ast.literal_eval(below.value)  # type: ignore[attr-defined]
    return found


def shown(value: Any) -> str:
    """A default as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(shown(item) for item in value)}]"
    return f"{value:,}".replace(",", "_") if isinstance(value, int) else str(value)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    names = list(head)
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    lines += [f"| {' | '.join(' '.join(cell.split()) for cell in row)} |" for row in rows]
    return "\n".join(line.rstrip() for line in lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
