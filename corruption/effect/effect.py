"""Effects on whole pages, for realism: which a page gets, where they move its boxes, drawing.

An effect draws its numbers from its own slots, so that another effect changes none of them.
Pages are drawn on in a fixed order: ink and light, then the shape of the paper, then JPEG.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...engine.draw import LANES, draws
from ...engine.errors import ConfigError
from ...engine.geometry import Box, clip, union
from ...engine.page import Page
from . import kernel as kernel
from .kernel import EffectSheet, Parameters, Way

_PAGE_SLOT, _FIRST_SLOT = 0, 16
_SLOTS = 1 + kernel.NUMBERS // LANES
"""Slots of an effect: one for the race, the others for its parameters."""
_EDGE = 16
"""Parts of an edge of a box whose ends are followed."""
_BLUR_PX = 0.5
"""How far sampling carries ink over the edge of its box."""
_X_HEIGHT_SHARE = 0.006
"""x-height as a share of the longer side, where a page has no text."""


class Effect(NamedTuple):
    """One effect on one page, as a plan carries it."""

    name: str
    parameters: dict[str, Any]
    """In px, degrees and shares of the image it is for; plain JSON values."""


class EffectKind(NamedTuple):
    slot: int
    """Its number, for its draws; never given to another one."""
    amount: Callable[[EffectSheet, Sequence[float]], Parameters]
    draw: Callable[[np.ndarray, Parameters], None] | None = None
    """In place; None for effects that bend the page."""
    there: Way | None = None
    """From the clean page to the bent one."""
    back: Way | None = None


EFFECTS: dict[str, EffectKind] = {
    "bleed_through": EffectKind(0, kernel.bleed_through_amount, kernel.bleed_through),
    "stain": EffectKind(1, kernel.stain_amount, kernel.stain),
    "fold_line": EffectKind(2, kernel.fold_line_amount, kernel.fold_line),
    "shadow": EffectKind(3, kernel.shadow_amount, kernel.shadow),
    "uneven_light": EffectKind(4, kernel.uneven_light_amount, kernel.uneven_light),
    "skew": EffectKind(5, kernel.skew_amount, there=kernel.skew_there, back=kernel.skew_back),
    "warp": EffectKind(6, kernel.warp_amount, there=kernel.warp_there, back=kernel.warp_back),
    "jpeg": EffectKind(7, kernel.jpeg_amount, kernel.jpeg),
}
"""In the order in which they are drawn."""


@dataclass(frozen=True, kw_only=True)
class EffectConfig:
    """Effects on whole pages, for realism."""

    share: float = 0.0
    "Share of pages that look photographed, scanned or aged, 0 to 1."
    effects: tuple[str, ...] = tuple(EFFECTS)
    "Effects that are drawn from."
    most: int = 3
    "Most effects on one page."

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ConfigError(f"paper.share is {self.share}; it runs from 0 to 1")
        for one in self.effects:
            if one not in EFFECTS:
                raise ConfigError(f"paper.effects names {one!r}; there are {', '.join(EFFECTS)}")
        if not self.effects or len(set(self.effects)) != len(self.effects):
            raise ConfigError("paper.effects names at least one effect, each once")
        if self.most < 1:
            raise ConfigError(f"paper.most is {self.most}; it is at least 1")


def plan_effects(page: Page, key: int, config: EffectConfig) -> tuple[Effect, ...]:
    """The effects on a page, in drawing order; a pure function of its arguments.

    Args:
        page: gives the size, the x-height and the room around the words.
        key: 64 bits that name the page, the epoch and the purpose.
        config: share of pages, and the effects to draw from.
    """
    if config.share <= 0:
        return ()
    whether, many = _numbers(key, [_PAGE_SLOT])[0, :2].tolist()
    if whether >= config.share:
        return ()
    count = 1 + int(many * min(config.most, len(config.effects)))
    starts = {name: _FIRST_SLOT + _SLOTS * EFFECTS[name].slot for name in config.effects}
    race = _numbers(key, starts.values())[:, 0]
    chosen = {config.effects[index] for index in np.argsort(-race)[:count].tolist()}
    sheet = _sheet(page)
    planned = []
    for name in EFFECTS:
        if name in chosen:
            own = range(starts[name] + 1, starts[name] + _SLOTS)
            amount = EFFECTS[name].amount(sheet, _numbers(key, own).ravel().tolist())
            planned.append(Effect(name, amount))
    return tuple(planned)


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
    ways = [
        (known.there, effect.parameters)
        for effect, known in _ordered(effects)
        if known.there is not None
    ]
    if not ways or not len(boxes):
        return [(x0, y0, x1, y1) for x0, y0, x1, y1 in boxes]
    x0, y0, x1, y1 = np.asarray(boxes, np.float64).T[:, :, None]
    along = np.linspace(0.0, 1.0, _EDGE + 1)
    across, down = x0 + (x1 - x0) * along, y0 + (y1 - y0) * along
    still = np.zeros_like(along)
    x = np.concatenate((across, across, x0 + still, x1 + still), axis=1)
    y = np.concatenate((y0 + still, y1 + still, down, down), axis=1)
    for way, parameters in ways:
        x, y = way(parameters, x, y, width, height)
    low_x, low_y = x.min(axis=1) - _BLUR_PX, y.min(axis=1) - _BLUR_PX
    high_x, high_y = x.max(axis=1) + _BLUR_PX, y.max(axis=1) + _BLUR_PX
    moved = np.stack((low_x, low_y, high_x, high_y), axis=1).round(2).tolist()
    return [clip(box, float(width), float(height)) for box in moved]


def draw_effects(image: np.ndarray, effects: Iterable[Effect]) -> np.ndarray:
    """A new image with the effects on it, whatever order they are given in.

    Args:
        image: uint8 `[height, width]` or `[height, width, 3]`; it is left alone.
        effects: planned for a page of this size.
    """
    out = np.array(image, order="C")
    ways: list[tuple[Way, Parameters]] = []
    ordered = _ordered(effects) if out.size else []
    for effect, known in ordered:
        if known.back is not None:
            ways.append((known.back, effect.parameters))
            continue
        if known.draw is None:
            continue
        if ways and known.slot == EFFECTS["jpeg"].slot:
            out, ways = kernel.bend(out, ways), []
        known.draw(out, effect.parameters)
    return kernel.bend(out, ways) if ways else out


def _ordered(effects: Iterable[Effect]) -> list[tuple[Effect, EffectKind]]:
    place = {name: index for index, name in enumerate(EFFECTS)}
    return [
        (effect, EFFECTS[effect.name])
        for effect in sorted(effects, key=lambda effect: place[effect.name])
    ]


def _numbers(key: int, slots: Iterable[int]) -> np.ndarray:
    """Numbers in (0, 1), float64 [slots, LANES]."""
    at = np.fromiter(slots, np.int64)
    return draws(key, np.zeros(len(at), np.int64), at)


def _sheet(page: Page) -> EffectSheet:
    width, height = page.width, page.height
    words = page.layer.words
    middle = (width / 2, height / 2, width / 2, height / 2)
    ink = union(word.box for word in words) if words else middle
    x_height = page.x_height or _X_HEIGHT_SHARE * max(width, height)
    return EffectSheet(width, height, x_height, clip(ink, float(width), float(height)))
