"""The table of an ablation, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...corruption import Level

if TYPE_CHECKING:
    from ...train.ablation import AblationArm


def ablation_table(arms: Sequence[AblationArm]) -> Iterator[str]:
    """An arm a line, with CER by level and what was restored with and without the picture."""
    headings = ["trained on", "tokens", *(f"CER {level}" for level in Level)]
    headings += ["heavy exact", "heavy exact, no picture"]
    yield f"| {' | '.join(headings)} |"
    yield f"|---|{'---:|' * (len(headings) - 1)}"
    for arm in arms:
        levels = arm.summary.get("levels", {})
        cells = [arm.name, f"{arm.tokens:,.0f}"]
        cells += [cell(levels, level, "cer") for level in Level]
        cells += [cell(levels, Level.HEAVY, metric) for metric in ("exact", "blind_exact")]
        yield f"| {' | '.join(cells)} |"


def cell(levels: Mapping[str, Any], level: Level, metric: str) -> str:
    """A figure in percent with its interval; a dash where there is none."""
    figure = levels.get(str(level), {}).get(metric)
    if figure is None:
        return "–"
    return f"{figure['value']:.1%} ({figure['low']:.1%}–{figure['high']:.1%})"
