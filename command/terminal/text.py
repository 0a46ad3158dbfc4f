"""Durations and counts as a terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping


def top_reasons(reasons: Mapping[str, int], limit: int = 2) -> str:
    """`text_none 88, blank 30, …`: the most frequent first, ties by name."""
    ranked = sorted((item for item in reasons.items() if item[1]), key=lambda i: (-i[1], i[0]))
    shown = [f"{reason} {count:,}" for reason, count in ranked[:limit]]
    return ", ".join(shown + ["…"] * (len(ranked) > limit))


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
