"""Which pixels a region's corruption may change, and how far a mask reaches beyond the text.

A mask covers the words' boxes and what ink and compression spread around them. Masks of lines and
blocks run on to their neighbours or to the edge of the text, so that a width says what room there
was and not how much text there is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..engine.geometry import Box
from ..engine.page import Page
from .region import Lines, Region, RegionKind

_SOFT_PAD = 0.15
"""x-heights around a region that stays visible."""
_MASK_PAD = 0.3
"""x-heights around a mask that are always covered: antialiasing, slanted and swash letters."""
_HALO_PX = 8
"""px around a mask that are covered where there is room: a block of JPEG."""
_ROOM = 0.4
"""x-heights kept free between a wide mask and its neighbour."""
_LEAST_PX = 2
_MARGIN = 0.9
"""Share of the margin that a wide mask may run into."""
_LEAST_WIDTH = 0.6
"""Share of the text's width that the mask of a line or block is wide."""
_FULL, _LONG = 0.75, 50.0
"""Share of its mask from which a line fills it; x-heights from which a line is long."""
_KEPT = 0.15
"""Share of full and long lines that may be hidden."""

Cover = tuple[int, int, int, int]


class Outline(NamedTuple):
    """Where a region lies."""

    box: Box
    """Around its words, px."""
    cover: Cover
    """What may change, whole px inside the page: x0, y0, x1, y1."""


def outline(page: Page, lines: Lines, region: Region) -> Outline:
    """Box and cover of a region that stays visible."""
    box = _box(page, lines, region)
    pad = max(1.0, _SOFT_PAD * float(lines.x_height[page.layer.words[region.start].line]))
    return Outline(box, _whole((box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad), page))


def mask_outlines(
    page: Page, lines: Lines, regions: Sequence[Region], reaches: Sequence[tuple[float, float]]
) -> list[Outline]:
    """Box and cover of regions that are hidden.

    Args:
        page: the page.
        lines: of the page.
        regions: of the page.
        reaches: how far the mask of a line or block runs into the left and the right margin, as
            drawn, 0 to 1.
    """
    if not regions:
        return []
    boxes = [_box(page, lines, region) for region in regions]
    spans = [
        _across(page, lines, region, box, reach)
        for region, box, reach in zip(regions, boxes, reaches, strict=True)
    ]
    pads = [_pad(page, lines, region) for region in regions]
    tall = _down(page, lines, regions, boxes, spans, pads)
    return [
        Outline(box, _whole((x0, y0, x1, y1), page))
        for box, (x0, x1), (y0, y1) in zip(boxes, spans, tall, strict=True)
    ]


def tells_length(page: Page, lines: Lines, region: Region, outline: Outline, drawn: float) -> bool:
    """Whether a line's or block's mask would say too much about the length of its text.

    Narrow masks can only hide short texts, a mask that its text fills says how long it is, and
    long texts only lie under wide masks. Of the latter two a few are kept, so that whole lines
    are hidden too.

    Args:
        page: the page.
        lines: of the page.
        region: of the page.
        outline: of its mask.
        drawn: a number in (0, 1) that decides what is kept.
    """
    if region.kind not in (RegionKind.LINE, RegionKind.BLOCK):
        return False
    left, right = lines.area
    width = outline.cover[2] - outline.cover[0]
    if width < _LEAST_WIDTH * (right - left):
        return True
    text = outline.box[2] - outline.box[0]
    x_height = float(lines.x_height[page.layer.words[region.start].line])
    telling = text > _FULL * width or text > _LONG * x_height
    return region.kind is RegionKind.LINE and telling and drawn > _KEPT


def _box(page: Page, lines: Lines, region: Region) -> Box:
    words = page.layer.words
    if region.kind in (RegionKind.LINE, RegionKind.BLOCK):
        parts = lines.rows[words[region.start].line : words[region.stop - 1].line + 1]
    else:
        parts = [word.box for word in words[region.start : region.stop]]
    if len(parts) == 1:
        return parts[0]
    lefts, tops, rights, bottoms = zip(*parts, strict=True)
    return (min(lefts), min(tops), max(rights), max(bottoms))


def _pad(page: Page, lines: Lines, region: Region) -> float:
    """px around a mask that are always covered."""
    x_height = float(lines.x_height[page.layer.words[region.start].line])
    return max(float(_LEAST_PX), _MASK_PAD * x_height)


def _across(
    page: Page,
    lines: Lines,
    region: Region,
    box: Box,
    reach: tuple[float, float],
) -> tuple[float, float]:
    """Left and right end of a mask, px."""
    pad = _pad(page, lines, region)
    if region.kind not in (RegionKind.LINE, RegionKind.BLOCK):
        before, after = _side_rooms(page, region, pad)
        return box[0] - before, box[2] + after
    first, last = page.layer.words[region.start].line, page.layer.words[region.stop - 1].line
    others = np.concatenate((lines.box[:first], lines.box[last + 1 :]))
    left, right = lines.area
    area = (left - reach[0] * _MARGIN * left, right + reach[1] * _MARGIN * (page.width - right))
    x0, x1 = _stretched(page, others, box, area, _ROOM * float(lines.x_height[first]))
    return x0 - pad, x1 + pad


def _down(
    page: Page,
    lines: Lines,
    regions: Sequence[Region],
    boxes: Sequence[Box],
    spans: Sequence[tuple[float, float]],
    pads: Sequence[float],
) -> list[tuple[float, float]]:
    """Top and bottom of masks, px: the halo where there is room, half the pad at least."""
    words = page.layer.words
    first = np.array([words[region.start].line for region in regions])[:, None]
    last = np.array([words[region.stop - 1].line for region in regions])[:, None]
    x0, x1 = np.array(spans)[:, :, None].swapaxes(0, 1)
    y0, y1 = np.array(boxes)[:, 1::2, None].swapaxes(0, 1)
    pad = np.array(pads)
    index = np.arange(len(lines.box))
    left, top, right, bottom = lines.box.T
    near = (left < x1) & (right > x0) & ((index < first) | (index > last))
    above = (top + bottom) / 2 < (y0 + y1) / 2
    up = np.where(near & above, y0 - bottom, np.inf).min(axis=1)
    down = np.where(near & ~above, top - y1, np.inf).min(axis=1)
    most = np.maximum(pad, _HALO_PX)
    low = y0[:, 0] - np.maximum(pad / 2, np.minimum(up, most))
    high = y1[:, 0] + np.maximum(pad / 2, np.minimum(down, most))
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _stretched(
    page: Page,
    others: np.ndarray,
    box: Box,
    area: tuple[float, float],
    keep: float,
) -> tuple[float, float]:
    """Left and right as far as there is neither text nor a figure beside the box."""
    x0, y0, x1, y1 = box
    left, right = min(area[0], x0), max(area[1], x1)
    figures = np.array([figure.box for figure in page.layer.figures], np.float64).reshape(-1, 4)
    beside = np.concatenate((others, figures))
    beside = beside[(beside[:, 1] < y1 - 1) & (beside[:, 3] > y0 + 1)]
    middle = (x0 + x1) / 2
    before = beside[(beside[:, 2] <= middle) & (beside[:, 0] < x0)]
    after = beside[(beside[:, 0] >= middle) & (beside[:, 2] > x1)]
    if len(before):
        left = min(x0, max(left, float(before[:, 2].max()) + keep))
    if len(after):
        right = max(x1, min(right, float(after[:, 0].min()) - keep))
    return left, right


def _side_rooms(page: Page, region: Region, pad: float) -> tuple[float, float]:
    """px to the left and right of words that have neighbours in their line."""
    words = page.layer.words
    left = right = max(pad, float(_HALO_PX))
    if region.start > 0 and words[region.start - 1].line == words[region.start].line:
        gap = words[region.start].box[0] - words[region.start - 1].box[2]
        left = _within(gap, pad)
    last = region.stop - 1
    if region.stop < len(words) and words[region.stop].line == words[last].line:
        right = _within(words[region.stop].box[0] - words[last].box[2], pad)
    return left, right


def _within(gap: float, pad: float) -> float:
    """All of a gap but its last px up to the halo; the pad at least."""
    return max(pad, min(gap - 1, float(_HALO_PX)))


def _whole(box: Box, page: Page) -> Cover:
    """Whole pixels, at least one, inside the page."""
    x0 = min(max(math.floor(box[0]), 0), page.width - 1)
    y0 = min(max(math.floor(box[1]), 0), page.height - 1)
    x1 = min(max(math.ceil(box[2]), x0 + 1), page.width)
    y1 = min(max(math.ceil(box[3]), y0 + 1), page.height)
    return (x0, y0, x1, y1)
