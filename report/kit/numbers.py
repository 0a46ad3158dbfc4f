"""Numbers as the pages show them; NaN is a dash everywhere."""

from __future__ import annotations

import math

NONE = "–"
"""What stands where there is no number."""
_BYTE_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def count(value: float) -> str:
    """A whole number with commas: `12,345`."""
    return NONE if math.isnan(value) else f"{round(value):,}"


def plural(amount: float, noun: str) -> str:
    """`1 page`, `1,204 pages`."""
    return f"{count(amount)} {noun}" + ("" if round(amount) == 1 else "s")


def compact(value: float) -> str:
    """Short enough for an axis: `0.5`, `12`, `3.4k`, `1.2M`."""
    if math.isnan(value):
        return NONE
    for factor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor * 0.9995:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"


def significant(value: float) -> str:
    """Three significant digits: `0.512`, `12.3`, `1,204`, `3.2e-05`."""
    if math.isnan(value):
        return NONE
    if value == 0 or 1e-4 <= abs(value) < 1000:
        return f"{value:.3g}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.2g}"


def scientific(value: float) -> str:
    """A small number by its power of ten: `1e-3`, `7.5e-4`, `0.02`."""
    if math.isnan(value) or value == 0 or abs(value) >= 0.01:
        return significant(value)
    digits, power = f"{value:.2e}".split("e")
    return f"{float(digits):.3g}e{int(power)}"


def size(value: float) -> str:
    """Bytes in decimal units, three significant digits: `253 MB`, `1.5 GB`."""
    if math.isnan(value):
        return NONE
    unit = 0
    while abs(value) >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        value /= 1000
        unit += 1
    return f"{value:.3g} {_BYTE_UNITS[unit]}"


def percent(value: float) -> str:
    """A measured share: `0.52%`, `4.1%`, `37.0%`, `100%`."""
    if math.isnan(value):
        return NONE
    part = 100 * value
    if part == 0 or abs(part) >= 99.95:
        return f"{part:.0f}%"
    return f"{part:.2f}%" if abs(part) < 1 else f"{part:.1f}%"


def rough_percent(value: float) -> str:
    """An expected share, no more exact than it is known: `0%`, `<0.1%`, `0.8%`, `48%`."""
    part = 100 * value
    if 0 < part < 0.05:
        return "<0.1%"
    return f"{part:.1f}%" if 0 < part < 9.95 else f"{part:.0f}%"


def axis_percent(value: float) -> str:
    """A share short enough for an axis: `0.5%`, `25%`."""
    return f"{100 * value:.4g}%"


def share(part: float, whole: float) -> str:
    """A percentage that never rounds something to nothing, or a part to the whole."""
    if whole <= 0 or part <= 0:
        return "0%"
    value = 100 * part / whole
    if value < 0.1:
        return "<0.1%"
    if value > 99.9 and part < whole:
        return ">99.9%"
    return f"{value:.0f}%" if part == whole else f"{value:.1f}%"


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


def millis(value: float) -> str:
    """Milliseconds, in seconds where there are many: `0.9 ms`, `17 ms`, `2.4 s`."""
    if value >= 60_000:
        return f"{int(value // 60_000)} min {value % 60_000 / 1000:.0f} s"
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"
