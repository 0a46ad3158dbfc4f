"""Figures of a page from the boxes of its images and vector drawings.

`image`: a raster image. `table`: ruling lines that cross each other in at least two rows and
two columns of cells, with words in them. `drawing`: a cluster of paths as large as a figure;
rules, underlines, frames and backgrounds are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from ..geometry import Box, area, clip, pixels_per_point
from ..page import Figure

_COVER_CELLS = 256
_MIN_IMAGE_PT = 6.0
_THIN_PT = 2.5
"""Up to this a path is a line."""
_RULE_PT = 12.0
"""Least length of a ruling line."""
_TOUCH_PT = 2.0
_MIN_LINES = 3
"""Lines each way that make two rows and two columns."""
_MIN_TABLE_WORDS = 4
_FIGURE_PT = 36.0
"""Least width and height of a drawing."""
_MIN_CURVES = 3
_MANY_CURVES = 6
"""Paths other than lines and rectangles from which a grid is that of a chart."""
_MIN_PATHS = 12
_CELL_PT = 6.0
"""Paths nearer than this belong together."""
_BACKGROUND = 0.6
"""Share of the page from which a plain rectangle is a background or a frame."""
_LONG_RULE = 0.5
"""Share of the page's side from which a line parts text rather than belongs to a drawing."""
_MAX_PATHS = 20_000


class Vector(NamedTuple):
    """One path as painted."""

    box: Box
    is_rectangle: bool
    is_stroked: bool


def image_cover(images: Sequence[Box], *, width_px: float, height_px: float) -> float:
    """Share of the page under images, 0 to 1, to 1/256 of the page's sides."""
    seen = np.zeros((_COVER_CELLS, _COVER_CELLS), dtype=bool)
    fx, fy = _COVER_CELLS / max(width_px, 1e-6), _COVER_CELLS / max(height_px, 1e-6)
    for image in images:
        x0, y0, x1, y1 = clip(image, width_px, height_px)
        seen[round(y0 * fy) : round(y1 * fy), round(x0 * fx) : round(x1 * fx)] = True
    return float(seen.mean()) if images else 0.0


def figures_of(
    images: Sequence[Box],
    vectors: Sequence[Vector],
    words: Sequence[Box],
    *,
    width_px: float,
    height_px: float,
    dpi: float,
) -> tuple[Figure, ...]:
    """Images, tables and drawings on the page, px, each kind in the order of painting."""
    point = pixels_per_point(dpi)
    figures = []
    for image in images:
        box = clip(image, width_px, height_px)
        if min(box[2] - box[0], box[3] - box[1]) >= _MIN_IMAGE_PT * point:
            figures.append(Figure(box, "image"))
    if not vectors or len(vectors) > _MAX_PATHS:
        return tuple(figures)
    boxes = np.array([vector.box for vector in vectors], dtype=np.float64)
    boxes[:, 0::2] = boxes[:, 0::2].clip(0.0, width_px)
    boxes[:, 1::2] = boxes[:, 1::2].clip(0.0, height_px)
    plain = np.array([vector.is_rectangle for vector in vectors], dtype=bool)
    stroked = np.array([vector.is_stroked for vector in vectors], dtype=bool)
    size = boxes[:, 2:] - boxes[:, :2]
    seen = (size.max(axis=1) > 0) & (size.min(axis=1) >= 0)
    boxes, plain, stroked = boxes[seen], plain[seen], stroked[seen]
    thin = (boxes[:, 2:] - boxes[:, :2]).min(axis=1) <= _THIN_PT * point
    curves = boxes[~plain & ~thin].tolist()
    grids = [
        box
        for box in _grids(boxes, plain & stroked, point)
        if _inside(words, box) >= _MIN_TABLE_WORDS and _inside(curves, box) < _MANY_CURVES
    ]
    figures += [Figure(box, "table") for box in grids]
    figures += [
        Figure(box, "drawing")
        for box in _clusters(boxes, plain, point, width_px, height_px)
        if not any(_covers(grid, box) for grid in grids)
    ]
    return tuple(figures)


def _inside(boxes: Sequence[Sequence[float]], box: Box) -> int:
    return sum(
        box[0] <= (w[0] + w[2]) / 2 <= box[2] and box[1] <= (w[1] + w[3]) / 2 <= box[3]
        for w in boxes
    )


def _covers(outer: Box, inner: Box) -> bool:
    """Whether a box holds most of another."""
    overlap = (
        max(outer[0], inner[0]),
        max(outer[1], inner[1]),
        min(outer[2], inner[2]),
        min(outer[3], inner[3]),
    )
    return area(overlap) > 0.5 * area(inner)


def _grids(boxes: np.ndarray, frames: np.ndarray, point: float) -> list[Box]:
    """Boxes around ruling lines that cross each down as those of a table do."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    thin, least, touch = _THIN_PT * point, _RULE_PT * point, _TOUCH_PT * point
    level = boxes[(height <= thin) & (width >= least)]
    upright = boxes[(width <= thin) & (height >= least)]
    cells = boxes[frames & (width > thin) & (height > thin)]
    x0, y0, x1, y1 = cells.T
    level = np.concatenate([level, np.stack([x0, y0, x1, y0], 1), np.stack([x0, y1, x1, y1], 1)])
    upright = np.concatenate(
        [upright, np.stack([x0, y0, x0, y1], 1), np.stack([x1, y0, x1, y1], 1)]
    )
    if min(len(level), len(upright)) < _MIN_LINES:
        return []
    crossing = (
        (level[:, None, 0] - touch <= upright[None, :, 2])
        & (upright[None, :, 0] <= level[:, None, 2] + touch)
        & (upright[None, :, 1] - touch <= level[:, None, 3])
        & (level[:, None, 1] <= upright[None, :, 3] + touch)
    )
    grids = []
    for rows, columns in _components(crossing):
        across, down = level[rows], upright[columns]
        if (
            _distinct((across[:, 1] + across[:, 3]) / 2, 2 * touch) >= _MIN_LINES
            and _distinct((down[:, 0] + down[:, 2]) / 2, 2 * touch) >= _MIN_LINES
        ):
            lines = np.concatenate([across, down])
            low, high = lines[:, :2].min(axis=0), lines[:, 2:].max(axis=0)
            grids.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))
    return sorted(grids, key=lambda box: (box[1], box[0]))


def _components(crossing: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and columns of a Boolean matrix that hang together, as index arrays."""
    components = []
    rows_left = np.asarray(crossing.any(axis=1))
    while rows_left.any():
        rows = np.zeros(len(crossing), dtype=bool)
        rows[np.argmax(rows_left)] = True
        while True:
            columns = crossing[rows].any(axis=0)
            more = np.asarray(crossing[:, columns].any(axis=1))
            if (more == rows).all():
                break
            rows = more
        rows_left &= ~rows
        components.append((np.flatnonzero(rows), np.flatnonzero(columns)))
    return components


def _distinct(values: np.ndarray, apart: float) -> int:
    """How many values are further apart than that from the one before."""
    return 1 + int(np.count_nonzero(np.diff(np.sort(values)) > apart))


def _clusters(
    boxes: np.ndarray, plain: np.ndarray, point: float, width_px: float, height_px: float
) -> list[Box]:
    """Boxes around paths that lie close together and are as large as a figure."""
    size = boxes[:, 2:] - boxes[:, :2]
    page = np.array([width_px, height_px])
    rule = size.min(axis=1) <= _THIN_PT * point
    keep = ~(plain & (size.prod(axis=1) > _BACKGROUND * page.prod()))
    keep &= ~(rule & (size > _LONG_RULE * page).any(axis=1))
    boxes, solid = boxes[keep], ~rule[keep]
    curved = ~plain[keep] & solid
    if np.count_nonzero(curved) < _MIN_CURVES and np.count_nonzero(solid) < _MIN_PATHS:
        return []
    cell = _CELL_PT * point
    shape = (int(height_px / cell) + 3, int(width_px / cell) + 3)
    corners = (boxes / cell).astype(np.int64)
    edges = np.zeros(shape, dtype=np.int32)
    for x, y, sign in ((0, 1, 1), (2, 3, 1), (0, 3, -1), (2, 1, -1)):
        np.add.at(edges, (corners[:, y] + (y == 3), corners[:, x] + (x == 2)), sign)
    covered = (edges.cumsum(axis=0).cumsum(axis=1) > 0).astype(np.uint8)
    covered = cv2.dilate(covered, np.ones((2, 2), np.uint8))
    count, labels = cv2.connectedComponents(covered, connectivity=8)
    label = labels[corners[:, 1], corners[:, 0]]
    clusters = []
    for number in range(1, count):
        members = label == number
        curves, solids = np.count_nonzero(curved[members]), np.count_nonzero(solid[members])
        if curves < _MIN_CURVES and solids < _MIN_PATHS:
            continue
        group = boxes[members]
        low, high = group[:, :2].min(axis=0), group[:, 2:].max(axis=0)
        if (high - low).min() >= _FIGURE_PT * point:
            clusters.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))
    return sorted(clusters, key=lambda box: (box[1], box[0]))
