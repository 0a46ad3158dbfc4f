"""Text and numbers as the report shows them: every string from outside is made harmless here."""

from __future__ import annotations

import html
import re
import unicodedata

from ...engine.text import visible

_BYTE_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def esc(value: object, limit: int = 0) -> str:
    """The value as HTML text or a quoted attribute's value.

    Characters that draw nothing or turn the direction of the text are spelled out.

    Args:
        value: anything; its `str` is shown.
        limit: characters to keep, counted before escaping; the tail of a longer text is cut
            and an ellipsis put in its place. 0: all.
    """
    text = str(value)
    if limit and len(text) > limit:
        text = text[: limit - 1] + "…"
    return html.escape(visible(text), quote=True)


def tail(text: str, limit: int) -> str:
    """The end of a long text, which is where paths differ, after an ellipsis."""
    return text if len(text) <= limit else "…" + text[1 - limit :]


def count(value: float) -> str:
    """A whole number with commas: `12,345`."""
    return f"{round(value):,}"


def compact(value: float) -> str:
    """A number short enough for an axis: `0.5`, `12`, `3.4k`, `1.2M`."""
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor * 0.9995:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"


def size(value: float) -> str:
    """Bytes in decimal units, three or four digits: `253.4 MB`."""
    unit = 0
    while abs(value) >= 999.95 and unit < len(_BYTE_UNITS) - 1:
        value /= 1000
        unit += 1
    digits = f"{value:,.0f}" if unit == 0 else f"{value:,.1f}"
    return f"{digits} {_BYTE_UNITS[unit]}"


def share(part: float, whole: float) -> str:
    """A percentage that never rounds something to nothing, or a part to the whole."""
    if whole <= 0 or part <= 0:
        return "0%"
    percent = 100 * part / whole
    if percent < 0.1:
        return "<0.1%"
    if percent > 99.9 and part < whole:
        return ">99.9%"
    return f"{percent:.0f}%" if part == whole else f"{percent:.1f}%"


def millis(value: float) -> str:
    """Milliseconds, in seconds where there are many: `0.9 ms`, `17 ms`, `2.4 s`."""
    if value >= 60_000:
        return f"{int(value // 60_000)} min {value % 60_000 / 1000:.0f} s"
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


def plural(amount: float, noun: str) -> str:
    """`1 page`, `1,204 pages`."""
    return f"{count(amount)} {noun}" + ("" if round(amount) == 1 else "s")


def slug(text: str) -> str:
    """A word for an `id` or a class: lower-case ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "x"
