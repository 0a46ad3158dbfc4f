"""Draw effects on a page's image, and say where boxes lie afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ...engine.geometry import Box, clip
from . import EFFECTS
from .bend import bend
from .kind import EffectKind, Parameters, PointMap
from .plan import Effect

_EDGE = 16
"""Parts of an edge of a box whose ends are followed."""
_BLUR_PX = 0.5
"""How far sampling carries ink over the edge of its box."""


def move_boxes(
    boxes: Sequence[Sequence[float]], effects: Iterable[Effect], width: int, height: int
) -> list[Box]:
    """Boxes of the clean page where they lie after the effects, around all of their outline, px.

    Args:
        boxes: x0, y0, x1, y1.
        effects: of the page, in any order.
        width: of the page, px.
        height: of the page, px.
    """
    bends = [
        (kind.forward, effect.parameters)
        for effect, kind in _in_drawing_order(effects)
        if kind.forward is not None
    ]
    if not bends or not len(boxes):
        return [(x0, y0, x1, y1) for x0, y0, x1, y1 in boxes]
    x0, y0, x1, y1 = np.asarray(boxes, np.float64).T[:, :, None]
    along = np.linspace(0.0, 1.0, _EDGE + 1)
    across, down = x0 + (x1 - x0) * along, y0 + (y1 - y0) * along
    still = np.zeros_like(along)
    x = np.concatenate((across, across, x0 + still, x1 + still), axis=1)
    y = np.concatenate((y0 + still, y1 + still, down, down), axis=1)
    for forward, parameters in bends:
        x, y = forward(parameters, x, y, width, height)
    low_x, low_y = x.min(axis=1) - _BLUR_PX, y.min(axis=1) - _BLUR_PX
    high_x, high_y = x.max(axis=1) + _BLUR_PX, y.max(axis=1) + _BLUR_PX
    moved = np.stack((low_x, low_y, high_x, high_y), axis=1).round(2).tolist()
    return [clip(box, float(width), float(height)) for box in moved]


def draw_effects(image: np.ndarray, effects: Iterable[Effect]) -> np.ndarray:
    """A new image with the effects on it, whatever order they are given in.

    Effects that bend the page are gathered, so that it is sampled once.

    Args:
        image: uint8 `[height, width]` or `[height, width, 3]`; it is left alone.
        effects: planned for a page of this size.
    """
    out = np.array(image, order="C")
    bends: list[tuple[PointMap, Parameters]] = []
    for effect, kind in _in_drawing_order(effects) if out.size else ():
        if kind.inverse is not None:
            bends.append((kind.inverse, effect.parameters))
        elif kind.draw is not None:
            if bends:
                out, bends = bend(out, bends), []
            kind.draw(out, effect.parameters)
    return bend(out, bends) if bends else out


def _in_drawing_order(effects: Iterable[Effect]) -> list[tuple[Effect, EffectKind]]:
    place = {name: index for index, name in enumerate(EFFECTS)}
    return [
        (effect, EFFECTS[effect.name])
        for effect in sorted(effects, key=lambda effect: place[effect.name])
    ]
