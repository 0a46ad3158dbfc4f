"""The contact sheet: every operator at rising severities on the same words, masks below."""

from __future__ import annotations

from collections.abc import Sequence

from ...corruption.level import Level
from ...corruption.operator import MASKS, OPERATORS
from ...corruption.severity import TURN, SeverityLookup, share_of
from ..corpus.markup import esc
from .legend import chip, rate
from .picture import crop_uri, drawn, window_of
from .specimen import PreviewLine

SEVERITIES = (0.02, 0.04, 0.08, 0.16, 0.36, 0.52, 0.68, 1.0)
"""Doubling at first: the band of `light` runs from half of its highest severity to that."""
_CSS_X_HEIGHT = 7.8
"""px of the screen."""
_PAD_X, _PAD_Y = 0.35, 0.3
"""x-heights around the words."""
_AROUND = (6.0, 2.6)
"""x-heights around a mask: without its surroundings there is nothing to see."""
_BANDS = (Level.LIGHT, Level.MODERATE)


def sheet(
    specimens: Sequence[PreviewLine], lookup: SeverityLookup, operators: Sequence[str], seed: int
) -> str:
    """The section of all operators, or of one of them on several lines.

    Args:
        specimens: the words that are drawn; only the first where there are several operators.
        lookup: knows the operators.
        operators: of `OPERATORS` and `MASKS`, in the order of the rows.
        seed: of the clumps and the noise.
    """
    graded = [name for name in operators if name in OPERATORS]
    masks = [name for name in operators if name in MASKS]
    single = len(operators) == 1
    used = list(specimens) if single else list(specimens[:1])
    rows = [
        _row(name, one, lookup, seed, first=number == 0)
        for name in graded
        for number, one in enumerate(used)
    ]
    table = _table("".join(rows)) if rows else ""
    strip = "".join(_mask(name, one, seed, single=single) for name in masks for one in used)
    told = (
        f"<h3>{chip(Level.HEAVY)} Masks "
        '<span class="soft">have no severity: nothing of the text is left</span></h3>'
    )
    hidden = f'{told if graded else ""}<ul class="masks">{strip}</ul>' if strip else ""
    title = f"Operator <code>{esc(operators[0])}</code>" if single else "Operators by severity"
    lead = (
        '<p class="lead">Under each crop: the error rate that the engines, on average, add at '
        "that severity and size of text. Tinted cells lie in the band of "
        f"{chip(Level.LIGHT)} or {chip(Level.MODERATE)}; regions of these levels get no "
        "others.</p>"
        if rows
        else f'<p class="lead">{chip(Level.HEAVY)} A mask has no severity: nothing of the text is '
        "left. The words it hides stand below it.</p>"
    )
    return f'<section id="sheet"><h2>{title}</h2>{lead}{table}{hidden}</section>'


def _table(rows: str) -> str:
    gentle = sum(severity <= TURN for severity in SEVERITIES)
    numbers = "".join(
        f'<th scope="col"><span class="soft">severity</span> {severity:g}{_share(severity)}</th>'
        for severity in SEVERITIES
    )
    return (
        '<div class="scroll"><table class="sheet"><thead>'
        f'<tr class="soft"><th colspan="{gentle}" scope="colgroup"><span>the whole text, gently'
        f'</span></th><th colspan="{len(SEVERITIES) - gentle}" scope="colgroup"><span>besides, '
        "a share of the characters at full strength</span></th></tr>"
        f"<tr>{numbers}</tr></thead>{rows}</table></div>"
    )


def _share(severity: float) -> str:
    share = share_of(severity)
    return f' <span class="soft">· {100 * share:.0f}%</span>' if share else ""


def _row(name: str, one: PreviewLine, lookup: SeverityLookup, seed: int, *, first: bool) -> str:
    bands = {
        level: [lookup.severity(name, level, one.x_height, part) for part in (0.0, 1.0)]
        for level in _BANDS
    }
    cells = []
    for severity in SEVERITIES:
        level = next(
            (level for level, (low, high) in bands.items() if low <= severity <= high), None
        )
        error = lookup.error(name, severity, one.x_height)
        css, mark = (f' class="{level}"', chip(level)) if level else ("", "")
        picture = _picture(one, name, severity, seed)
        cells.append(f'<td{css}>{picture}<p><span class="num">{rate(error)}</span>{mark}</p></td>')
    about = esc(_about(OPERATORS[name].draw.__doc__), 140) if first else f"<q>{esc(one.text)}</q>"
    said = f"<code>{esc(name)}</code> " if first else ""
    return (
        f'<tbody><tr><th colspan="{len(SEVERITIES)}" scope="rowgroup"><div>{said}'
        f'<span class="soft">{about}</span></div></th></tr><tr>{"".join(cells)}</tr></tbody>'
    )


def _mask(name: str, one: PreviewLine, seed: int, *, single: bool) -> str:
    told = f"<q>{esc(one.text)}</q>" if single else esc(_about(MASKS[name].draw.__doc__), 110)
    said = "" if single else f"<code>{esc(name)}</code>"
    picture = _picture(one, name, 1.0, seed, around=_AROUND)
    return f'<li>{picture}<p>{said}<span class="soft">{told}</span></p></li>'


def _picture(
    one: PreviewLine,
    name: str,
    severity: float,
    seed: int,
    around: tuple[float, float] = (_PAD_X, _PAD_Y),
) -> str:
    image = drawn(one, name, severity, seed)
    window = window_of(image, one.box, around[0] * one.x_height, around[1] * one.x_height)
    width = (window[2] - window[0]) * _CSS_X_HEIGHT / one.x_height
    return (
        f'<img src="{crop_uri(image, window)}" style="width:{width:.0f}px" '
        f'alt="{esc(name)} at {severity:g}">'
    )


def _about(docstring: str | None) -> str:
    """The first sentence, without its full stop."""
    return (docstring or "").partition("\n")[0].rstrip(".")
