"""One line of text at all four levels, between its neighbours, with what is expected of each."""

from __future__ import annotations

from ...corruption.level import LEVELS, Level
from ...corruption.operator import MASKS, OPERATORS
from ...corruption.severity import SeverityLookup
from ..corpus.markup import esc
from .legend import chip, rate
from .picture import crop_uri, drawn, window_of
from .specimen import PreviewLine, rows_around

_OPERATOR = "gaussian_blur"
_MASK = "mask_noise"
_CSS_X_HEIGHT = 10.5
_WIDEST_PX = 956
"""px of the screen."""


def ladder(one: PreviewLine, lookup: SeverityLookup, operator: str | None, seed: int) -> str:
    """The section "one line, four levels"."""
    cue = operator if operator in OPERATORS else _OPERATOR
    mask = operator if operator in MASKS else _MASK
    steps = "".join(_step(one, level, cue, mask, lookup, seed) for level in LEVELS)
    return (
        '<section id="ladder"><h2>One line, four levels</h2>'
        '<p class="lead">The same line each time, and the same target each time: '
        f'<q class="target" dir="auto">{esc(one.text)}</q>. The outline shows where its words '
        "stand; the mask of a line runs on, so that its width does not tell how long the text is."
        "</p>"
        f'<ol class="ladder">{steps}</ol></section>'
    )


def _step(
    one: PreviewLine, level: Level, cue: str, mask: str, lookup: SeverityLookup, seed: int
) -> str:
    image, severity, error, name = one.picked.image, 0.0, 0.0, ""
    if level is Level.HEAVY:
        name, severity, error = mask, 1.0, 1.0
    elif level is not Level.CLEAN:
        name, severity = cue, lookup.severity(cue, level, one.x_height, 0.5)
        error = lookup.error(cue, severity, one.x_height)
    if name:
        image = drawn(one, name, severity, seed)
    boxes = list(rows_around(one))
    around = (
        min(box[0] for box in boxes), min(box[1] for box in boxes),
        max(box[2] for box in boxes), max(box[3] for box in boxes),
    )  # fmt: skip
    window = window_of(image, around, 2.0 * one.x_height, 0.6 * one.x_height)
    x0, y0, x1, y1 = window
    width = min(_WIDEST_PX, (x1 - x0) * _CSS_X_HEIGHT / one.x_height)
    pad = 0.3 * one.x_height
    top, height = one.box[1] - pad - y0, one.box[3] - one.box[1] + 2 * pad
    left, right = one.box[0] - pad - x0, one.box[2] + pad - x0
    place = (
        f"left:{100 * left / (x1 - x0):.2f}%;width:{100 * (right - left) / (x1 - x0):.2f}%;"
        f"top:{100 * top / (y1 - y0):.2f}%;height:{100 * height / (y1 - y0):.2f}%"
    )
    told = f"<code>{esc(name)}</code>" if name else '<span class="soft">not touched</span>'
    if name in OPERATORS:
        told += f' <span class="soft">severity</span> {severity:.2f}'
    more = "unreadable to engines" if level is Level.HEAVY else "expected error rate"
    return (
        f'<li class="{level}"><p class="what">{chip(level)}<span>{told}</span></p>'
        f'<div class="narrow-scroll"><div class="crop" style="width:{width:.0f}px">'
        f'<img src="{crop_uri(image, window)}" alt="The line at the level {level}">'
        f'<span class="mark {level}" style="{place}"></span></div></div>'
        f'<p class="rate"><b>{rate(error)}</b><span class="soft">{more}</span></p></li>'
    )
