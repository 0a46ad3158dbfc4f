"""The foot of the page: what the severity table was measured with, and what the checks found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...corruption.leak import stands_elsewhere
from ...corruption.level import Level
from ...corruption.severity import SeverityTable
from ..corpus.markup import esc, plural
from .whole import ShownPage

_TOLD_ELSEWHERE = ("meaning", "schema")


def foot(table: SeverityTable, shown: Sequence[ShownPage]) -> str:
    """The sections of the checks and of the severity table."""
    return _leaks(shown) + _table(table)


def _leaks(shown: Sequence[ShownPage]) -> str:
    messages = [message for one in shown for message in one.leaks]
    heavy = sum(one.levels[Level.HEAVY] for one in shown)
    pages = plural(len(shown), "page")
    if messages:
        told = "".join(f'<li class="leak">{esc(message, 400)}</li>' for message in messages)
        inner = f'<ul class="plain">{told}</ul>'
    elif not heavy:
        inner = f'<p class="soft">No region is heavy on {pages}: there was nothing to check.</p>'
    else:
        inner = (
            f'<p class="no-leak">No leak found in {plural(heavy, "heavy region")} on {pages}.</p>'
        )
    return (
        '<section id="checks"><h2>Is anything left under the masks?</h2>'
        '<p class="lead">Under every mask of these pages the ink was replaced by noise and the '
        "plan drawn again: what comes out has to be the same to the last pixel. Beside the masks "
        f"no ink may be left that hangs together with what they hide.</p>{inner}"
        f"{_elsewhere(shown)}</section>"
    )


def _elsewhere(shown: Sequence[ShownPage]) -> str:
    """How often a masked word can be copied from another place of its page."""
    shares = [
        stands_elsewhere(one.picked.page, one.plan) for one in shown if one.levels[Level.HEAVY]
    ]
    if not shares:
        return ""
    return (
        f'<p class="soft">Of the masked words, {100 * sum(shares) / len(shares):.0f}% also stand '
        "in clear somewhere on their page: mostly the small words of the language.</p>"
    )


def _table(table: SeverityTable) -> str:
    facts: dict[str, object] = {
        name: value for name, value in table.header.items() if name not in _TOLD_ELSEWHERE
    }
    facts["engines"] = facts.pop("versions", list(table.engines))
    facts["x-heights, px"] = list(table.x_heights)
    facts["severities"] = list(table.severities)
    facts["operators"] = len(table.curves)
    facts["digest"] = table.digest
    rows = "".join(
        f'<tr><th scope="row">{esc(name.replace("_", " "), 60)}</th>'
        f"<td>{esc(_said(value), 400)}</td></tr>"
        for name, value in facts.items()
    )
    return (
        '<section id="table"><h2>The severity table</h2>'
        '<p class="lead">Severities come from this table: OCR engines read lines of real pages '
        "at every severity, and the error rate that a level is aimed at was looked up in their "
        f'curves.</p><table class="facts"><tbody>{rows}</tbody></table></section>'
    )


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_said(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
