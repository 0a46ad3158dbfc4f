"""Effects that bend the page: skew and warp, as maps of points both ways, and their drawing.

`bend` draws all of them in one sampling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from ..operator.albumentations import geometric
from ..operator.tone import paper_of
from .kind import EffectSheet, Parameters, PointMap, Points, tiles

_MOST_SKEW = 2.0
"""Degrees either way."""
_WARP_SIDE = 4
"""Control numbers along a side."""
_PLAIN = 12
"""Levels by which neighbours on bare paper may differ."""
_TILE_PX = 512
_ROUNDS = 5
"""Steps of the fixed point that inverts a warp; each leaves at most a tenth of the error."""


def skew_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    """Turned about the middle, and made smaller by as much as keeps every word on the page."""
    degrees = round((u[0] - 0.5) * 2 * _MOST_SKEW, 3)
    turn = math.radians(degrees)
    x0, y0, x1, y1 = sheet.ink
    half_x, half_y = sheet.width / 2, sheet.height / 2
    smaller = 1.0
    for x, y in ((x0, y0), (x1, y0), (x0, y1), (x1, y1)):
        dx, dy = x - half_x, y - half_y
        right = abs(dx * math.cos(turn) - dy * math.sin(turn))
        low = abs(dx * math.sin(turn) + dy * math.cos(turn))
        for distance, room in ((right, half_x - sheet.reach), (low, half_y - sheet.reach)):
            if distance > room:
                smaller = min(smaller, room / distance)
    return {"degrees": degrees, "scale": math.floor(smaller * 1e5) / 1e5}


def skew_forward(
    parameters: Parameters, x: np.ndarray, y: np.ndarray, width: float, height: float
) -> Points:
    """From the straight page to the skewed one."""
    return _turned(x, y, width, height, parameters["degrees"], parameters["scale"])


def skew_inverse(
    parameters: Parameters, x: np.ndarray, y: np.ndarray, width: float, height: float
) -> Points:
    """From the skewed page to the straight one."""
    return _turned(x, y, width, height, -parameters["degrees"], 1.0 / parameters["scale"])


def warp_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    """Control numbers by row and column; the surface runs through those of the corners only."""
    reach, count = sheet.reach, _WARP_SIDE
    numbers = [round((number - 0.5) * 2 * reach, 2) for number in u[: 2 * count * count]]
    rows = [numbers[start : start + count] for start in range(0, len(numbers), count)]
    return {"dx_px": rows[:count], "dy_px": rows[count:]}


def warp_forward(
    parameters: Parameters, x: np.ndarray, y: np.ndarray, width: float, height: float
) -> Points:
    """From the flat page to the warped one: the fixed point of the inverse."""
    forward_x, forward_y = x, y
    for _ in range(_ROUNDS):
        back_x, back_y = warp_inverse(parameters, forward_x, forward_y, width, height)
        forward_x, forward_y = forward_x + (x - back_x), forward_y + (y - back_y)
    return forward_x, forward_y


def warp_inverse(
    parameters: Parameters, x: np.ndarray, y: np.ndarray, width: float, height: float
) -> Points:
    """From the warped page to the flat one, by Bézier surfaces of degree 3."""
    across, down = _bernstein(x / width), _bernstein(y / height)
    moved = []
    for name in ("dx_px", "dy_px"):
        rows = [
            sum(number * b for number, b in zip(row, across, strict=True))
            for row in parameters[name]
        ]
        moved.append(sum(row * b for row, b in zip(rows, down, strict=True)))
    return x + moved[0], y + moved[1]


def bend(image: np.ndarray, inverses: Sequence[tuple[PointMap, Parameters]]) -> np.ndarray:
    """The image bent, sampled once, with paper in the corners that come into view.

    Where the border is bare, the paper goes on as it is lit there.

    Args:
        image: uint8 `[height, width]` or `[height, width, 3]`.
        inverses: from the bent page to the image, in the order in which the page was bent.
    """
    height, width = image.shape[:2]
    border = cv2.BORDER_REPLICATE if _has_plain_rim(image) else cv2.BORDER_CONSTANT
    paper = paper_of(image)
    fill = paper if image.ndim == 3 else paper[0]
    out = np.empty_like(image)
    for rows, columns in tiles(image, _TILE_PX):
        x = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] + np.float32(0.5)
        y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.float32(0.5)
        for inverse, parameters in reversed(inverses):
            x, y = inverse(parameters, x, y, width, height)
        x, y = x - np.float32(0.5), y - np.float32(0.5)
        left, right = _around(x, width)
        top, bottom = _around(y, height)
        source = image[top:bottom, left:right]
        out[rows, columns] = geometric.remap(
            source, x - left, y - top, cv2.INTER_LINEAR, border, fill
        )
    return out


def _has_plain_rim(image: np.ndarray) -> bool:
    """Whether nothing but paper, however lit, lies along the page's border."""
    for side in (image[0], image[-1], image[:, 0], image[:, -1]):
        steps = np.diff(side.astype(np.int16), axis=0)
        if steps.size and np.abs(steps).max() > _PLAIN:
            return False
    return True


def _around(places: np.ndarray, length: int) -> tuple[int, int]:
    """Which pixels of a side sampling at these places reads; at least one."""
    low, high = math.floor(float(places.min())) - 1, math.ceil(float(places.max())) + 2
    return min(max(0, low), length - 1), max(1, min(high, length))


def _turned(
    x: np.ndarray, y: np.ndarray, width: float, height: float, degrees: float, scale: float
) -> Points:
    cos, sin = (scale * part(math.radians(degrees)) for part in (math.cos, math.sin))
    dx, dy = x - width / 2, y - height / 2
    return dx * cos - dy * sin + width / 2, dx * sin + dy * cos + height / 2


def _bernstein(t: np.ndarray) -> tuple[np.ndarray, ...]:
    s = 1 - t
    return s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
