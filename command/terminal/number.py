"""Numbers as a terminal shows them: durations, sizes, rates, counts."""

from __future__ import annotations

from collections.abc import Mapping


def top_reasons(reasons: Mapping[str, int], limit: int = 2) -> str:
    """`text_none 88, blank 30, …`: the most frequent first, ties by name."""
    ranked = sorted((item for item in reasons.items() if item[1]), key=lambda i: (-i[1], i[0]))
    texts = [f"{reason} {count:,}" for reason, count in ranked[:limit]]
    return ", ".join(texts + ["…"] * (len(ranked) > limit))


def duration(seconds: float) -> str:
    """`42s`, `3m10s`, `2h05m`, `3d04h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def rate(per_s: float) -> str:
    """`1,234`, with digits behind the point for slow work."""
    return f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.2g}"


def file_size(size_bytes: float) -> str:
    """`512 bytes`, `3.4 MB`."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size_bytes < 999.95 or unit == "TB":
            break
        size_bytes /= 1000
    return f"{size_bytes:,.0f} {unit}" if unit == "bytes" else f"{size_bytes:,.1f} {unit}"


def scaled(value: float) -> str:
    """A number with three digits and its prefix, such as `12.3 G`."""
    for prefix in ("", "k", "M", "G", "T"):
        if value < 999.5 or prefix == "T":
            break
        value /= 1000
    digits = max(0, 2 - int(f"{value:.2e}".partition("e")[2]))
    return f"{value:,.{digits}f} {prefix}"


def plural(count: int, noun: str) -> str:
    """A count and what is counted."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
