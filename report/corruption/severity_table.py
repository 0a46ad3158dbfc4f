"""What the severity table was measured with, as names and values."""

from __future__ import annotations

from collections.abc import Mapping

from ...corruption.severity import SeverityTable

_SHOWN_ELSEWHERE = ("meaning", "schema")


def table_rows(table: SeverityTable) -> list[tuple[str, str]]:
    """(name, value) of all that the table says of itself."""
    header: dict[str, object] = {
        name: value for name, value in table.header.items() if name not in _SHOWN_ELSEWHERE
    }
    header["OCR engines"] = header.pop("versions", list(table.engines))
    header.pop("engines", None)
    header["x-heights, px"] = list(table.x_heights)
    header["severities"] = list(table.severities)
    header["operators"] = len(table.curves)
    header["digest"] = table.digest
    return [(name.replace("_", " "), _text(value)) for name, value in header.items()]


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_text(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
