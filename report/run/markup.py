"""Text and numbers as the report shows them: every string from outside is made harmless here."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from typing import Any

from ...engine.text import visible

NONE = "–"
"""What stands where there is no number."""
LONG_ROWS = 14
"""Rows from which a table scrolls in its own box."""
_BYTE_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def esc(value: object, limit: int = 0) -> str:
    """The value as HTML text or a quoted attribute's value, in one line.

    Args:
        value: anything; its `str` is shown.
        limit: characters to keep, counted before escaping; 0 keeps all.
    """
    text = str(value)
    if limit and len(text) > limit:
        text = text[: limit - 1] + "…"
    return html.escape(visible(text), quote=True)


def esc_lines(text: str) -> str:
    """The same with its line breaks."""
    return "\n".join(map(esc, text.split("\n")))


def number(value: Any) -> float:
    """The value as a float; NaN where it is none, null or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return math.nan
    return float(value)


def plain(value: float) -> str:
    """Three significant digits: `0.512`, `12.3`, `1,204`, `3.2e-05`."""
    if math.isnan(value):
        return NONE
    if value == 0 or 1e-4 <= abs(value) < 1000:
        return f"{value:.3g}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.2g}"


def rate(value: float) -> str:
    """A small number: `1e-3`, `7.5e-4`, `0.02`."""
    if math.isnan(value) or value == 0 or abs(value) >= 0.01:
        return plain(value)
    digits, power = f"{value:.2e}".split("e")
    return f"{float(digits):.3g}e{int(power)}"


def percent(value: float) -> str:
    """A share: `0.52%`, `4.1%`, `37%`, `100%`."""
    if math.isnan(value):
        return NONE
    part = 100 * value
    if part == 0 or abs(part) >= 99.95:
        return f"{part:.0f}%"
    return f"{part:.2f}%" if abs(part) < 1 else f"{part:.1f}%"


def percent_tick(value: float) -> str:
    """A share short enough for an axis: `0.5%`, `25%`."""
    return f"{100 * value:.4g}%"


def compact(value: float) -> str:
    """Short enough for an axis: `0.5`, `12`, `3.4k`, `1.2M`."""
    if math.isnan(value):
        return NONE
    for factor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor * 0.9995:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"


def size(value: float) -> str:
    """Bytes in decimal units: `253 MB`, `1.5 GB`."""
    if math.isnan(value):
        return NONE
    unit = 0
    while abs(value) >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        value /= 1000
        unit += 1
    return f"{value:.3g} {_BYTE_UNITS[unit]}"


def duration(seconds: float) -> str:
    """`0.8 s`, `42 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    if math.isnan(seconds):
        return NONE
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    hours = round(minutes / 60)
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def plural(amount: int, noun: str) -> str:
    """`1 step`, `1,204 steps`."""
    return f"{amount:,} {noun}" + ("" if amount == 1 else "s")


def table(head: Iterable[str], rows: Iterable[Iterable[str]], *, numbers: Iterable[int]) -> str:
    """A table in a box that scrolls sideways; cells are HTML already.

    Args:
        head: names of the columns.
        rows: cells of each row.
        numbers: columns that are numbers and stand at the right.
    """
    right = set(numbers)

    def cells(tag: str, values: Iterable[str]) -> str:
        return "".join(
            f'<{tag} class="num">{one}</{tag}>' if at in right else f"<{tag}>{one}</{tag}>"
            for at, one in enumerate(values)
        )

    body = [f"<tr>{cells('td', row)}</tr>" for row in rows]
    css = "scroll long" if len(body) > LONG_ROWS else "scroll"
    return (
        f'<div class="{css}" tabindex="0"><table><thead><tr>{cells("th", head)}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )
