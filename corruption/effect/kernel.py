"""Kernels on whole pages: the other side shining through, stains, folds, light, bent paper, JPEG.

For each effect `<name>_amount` turns numbers in (0, 1) into parameters in px, degrees and shares,
and `<name>` draws them in place. Skew and warp bend the page: each has a way there and a way
back, in px where pixel i spans i to i + 1, and `bend` draws all of them in one sampling.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from ..operator import bank
from ..operator.albumentations import geometric, pixel
from ..operator.tone import filled, is_light, page_colour, paper_of

Parameters = dict[str, Any]
Points = tuple[np.ndarray, np.ndarray]
"""x and y, px, float64 or float32 of shapes that broadcast."""
Way = Callable[[Parameters, np.ndarray, np.ndarray, float, float], Points]
"""Parameters, x, y, width and height of the page to x and y."""

NUMBERS = 64
"""Numbers in (0, 1) that an effect is given for its parameters, the first one not counted."""
_COARSE = 16
"""px that one number of a field of light covers."""
_MOST_SKEW = 2.0
"""Degrees either way."""
_MOST_WARP, _MOST_WARP_ACROSS = 0.006, 0.015
"""Largest displacement as a share of the longer and of the shorter side: the page never folds."""
_WARP_SIDE = 4
_PLAIN = 12
"""Levels by which neighbours on bare paper may differ."""
_TILE = 512
_JPEG_TILE = 32768
_ROUNDS = 5
"""Steps of the fixed point that inverts a warp; each leaves at most a tenth of the error."""


class EffectSheet(NamedTuple):
    """What effects know of a page besides its pixels."""

    width: int
    height: int
    """px."""
    x_height: float
    """px."""
    ink: tuple[float, float, float, float]
    """Box around all words, px."""

    @property
    def longer(self) -> int:
        return max(self.width, self.height)

    @property
    def margin(self) -> float:
        """Least distance of a word from the edge, px."""
        x0, y0, x1, y1 = self.ink
        return max(0.0, min(x0, y0, self.width - x1, self.height - y1))

    @property
    def reach(self) -> float:
        """The most that a warp may displace: no word leaves the page."""
        shorter = min(self.width, self.height)
        return min(_MOST_WARP * self.longer, _MOST_WARP_ACROSS * shorter, self.margin)


def between(number: float, low: float, high: float, digits: int = 3) -> float:
    """A number in (0, 1) moved to a range."""
    return round(low + (high - low) * number, digits)


def bleed_through_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    return {
        "opacity": between(u[0], 0.07, 0.2),
        "sigma_px": between(u[1], 0.15 * sheet.x_height, 0.4 * sheet.x_height, 2),
        "dx_px": round((u[2] - 0.5) * 0.03 * sheet.width),
        "dy_px": round((u[3] - 0.5) * 0.03 * sheet.height),
    }


def bleed_through(image: np.ndarray, given: Parameters) -> None:
    """The page itself, mirrored, blurred and faint: what it hides stays hidden."""
    height, width = image.shape[:2]
    half = (max(1, width // 2), max(1, height // 2))
    back = cv2.flip(cv2.resize(image, half, interpolation=cv2.INTER_AREA), 1)
    sigma = given["sigma_px"] / 2
    if sigma >= 0.1:
        back = cv2.GaussianBlur(back, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    colour = page_colour(image)
    tone = colour if isinstance(colour, tuple) else (colour,)
    paper, light = filled(back, tone), is_light(tone)
    trace = cv2.subtract(paper, back) if light else cv2.subtract(back, paper)
    trace = cv2.resize(trace, (width, height), interpolation=cv2.INTER_LINEAR)
    rows, from_rows = _shifted(height, given["dy_px"])
    columns, from_columns = _shifted(width, given["dx_px"])
    part, trace = image[rows, columns], trace[from_rows, from_columns]
    if part.size:
        opacity = given["opacity"]
        part[...] = cv2.addWeighted(part, 1.0, trace, -opacity if light else opacity, 0.0)


def stain_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    return {
        "x_px": between(u[0], 0.0, sheet.width, 1),
        "y_px": between(u[1], 0.0, sheet.height, 1),
        "radius_px": between(u[2], 0.04 * sheet.longer, 0.16 * sheet.longer, 1),
        "body": between(u[3], 0.03, 0.2),
        "rim": between(u[4], 0.05, 0.3),
        "wobble": [between(one, -0.06, 0.06) for one in u[5:11]],
        "seed": int(u[11] * 2**32),
    }


def stain(image: np.ndarray, given: Parameters) -> None:
    """A dried spill: a brownish body, uneven, with a darker rim."""
    radius = max(1.0, given["radius_px"])
    x, y = given["x_px"], given["y_px"]
    rows = _reach(y, 1.4 * radius, image.shape[0])
    columns = _reach(x, 1.4 * radius, image.shape[1])
    part = image[rows, columns]
    if not part.size:
        return
    step = max(1.0, radius / 64)
    across, down = _coarse(part.shape[1], part.shape[0], step)
    dx, dy = (across + columns.start - x) / radius, (down + rows.start - y) / radius
    angle = np.arctan2(dy, dx)
    outline = np.ones_like(angle)
    for order, (even, odd) in enumerate(zip(*[iter(given["wobble"])] * 2, strict=True), start=1):
        outline += (even * np.cos(order * angle) + odd * np.sin(order * angle)) / order
    away = np.sqrt(dx * dx + dy * dy) / outline
    cloud = bank.grain(bank.normal_tile(), away.shape, 24.0, given["seed"], smooth=True)
    body = _step((1.0 - away) / 0.05) * (0.75 + cloud / 512.0)
    rim = np.exp(-(((away - 0.97) / np.where(away > 0.97, 0.012, 0.04)) ** 2))
    _dim(part, given["body"] * body + given["rim"] * rim, tint=(0.65, 0.9, 1.3))


def fold_line_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    upright = u[0] < 0.4
    length, other = (sheet.width, sheet.height) if upright else (sheet.height, sheet.width)
    place = (1 / 2, 1 / 3, 2 / 3)[int(u[1] * 3)]
    return {
        "upright": upright,
        "at_px": round((place + (u[2] - 0.5) * 0.06) * length, 1),
        "slope_px": round((u[3] - 0.5) * 0.02 * other, 1),
        "width_px": between(u[4], 0.004 * sheet.longer, 0.02 * sheet.longer, 1),
        "depth": between(u[5], 0.06, 0.22),
        "crease_px": between(u[6], 0.05 * sheet.x_height, 0.14 * sheet.x_height, 2),
        "wear": between(u[7], 0.2, 0.6),
        "dark_side": 1 if u[8] < 0.5 else -1,
    }


def fold_line(image: np.ndarray, given: Parameters) -> None:
    """A crease across the page: one side in its shade, and along it ink that has rubbed off."""
    paper = page_colour(image)
    view = image.swapaxes(0, 1) if given["upright"] else image
    height, width = view.shape[:2]
    reach = 3 * given["width_px"] + abs(given["slope_px"]) / 2 + 2
    rows = _reach(given["at_px"], reach, height)
    part = view[rows]
    if not part.size:
        return
    line = given["at_px"] + given["slope_px"] * (np.arange(width, dtype=np.float32) / width - 0.5)
    down = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5 - line[None, :]
    down *= given["dark_side"]
    away = np.abs(down)
    fall = np.exp(away * np.float32(-1.0 / max(0.5, given["width_px"])))
    shade = np.where(down > 0, np.float32(-given["depth"]), np.float32(0.3 * given["depth"])) * fall
    worn = np.exp(-((away / np.float32(max(0.6, given["crease_px"]))) ** 2))
    shade -= np.float32(given["depth"]) * worn
    worn *= np.float32(given["wear"])
    if part.ndim == 3:
        shade, worn = shade[..., None], worn[..., None]
    mixed = part + (np.asarray(paper, np.float32) - part) * worn
    part[...] = np.clip(mixed * (1.0 + shade) + 0.5, 0, 255).astype(np.uint8)


def shadow_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    return {
        "degrees": between(u[0], 0.0, 360.0, 1),
        "share": between(u[1], 0.1, 0.45),
        "soft_px": between(u[2] ** 2, 0.01 * sheet.longer, 0.25 * sheet.longer, 1),
        "depth": between(u[3], 0.15, 0.45),
    }


def shadow(image: np.ndarray, given: Parameters) -> None:
    """A straight edge between the lamp and the page, as of a hand or the other page of a book."""
    height, width = image.shape[:2]
    across, down = _coarse(width, height, _COARSE)
    turn = math.radians(given["degrees"])
    cos, sin = math.cos(turn), math.sin(turn)
    half = (abs(cos) * width + abs(sin) * height) / 2
    along = (across - width / 2) * cos + (down - height / 2) * sin
    inside = along - half * (1 - 2 * given["share"])
    deeper = 0.7 + 0.3 * inside / max(1.0, 2 * half * given["share"])
    _dim(image, given["depth"] * _step(inside / max(1.0, given["soft_px"]) + 0.5) * deeper)


def uneven_light_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    return {
        "x_px": between(u[0], -0.2 * sheet.width, 1.2 * sheet.width, 1),
        "y_px": between(u[1], -0.2 * sheet.height, 1.2 * sheet.height, 1),
        "depth": between(u[2], 0.15, 0.45),
    }


def uneven_light(image: np.ndarray, given: Parameters) -> None:
    """A lamp near one place of the page: the farther from it, the darker."""
    height, width = image.shape[:2]
    across, down = _coarse(width, height, _COARSE)
    x, y = given["x_px"], given["y_px"]
    farthest = max(x, width - x) ** 2 + max(y, height - y) ** 2
    _dim(image, given["depth"] * ((across - x) ** 2 + (down - y) ** 2) / max(1.0, farthest))


def jpeg_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    return {"quality": int(between(u[0], 20, 75, 0))}


def jpeg(image: np.ndarray, given: Parameters) -> None:
    """Compressed and read again, in as many files as its size needs."""
    for rows, columns in _tiles(image, _JPEG_TILE):
        part = np.ascontiguousarray(image[rows, columns])
        image[rows, columns] = pixel.image_compression(part, given["quality"], ".jpg")


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
        for at, room in ((right, half_x - sheet.reach), (low, half_y - sheet.reach)):
            if at > room:
                smaller = min(smaller, room / at)
    return {"degrees": degrees, "scale": math.floor(smaller * 1e5) / 1e5}


def skew_there(
    given: Parameters, x: np.ndarray, y: np.ndarray, width: float, height: float
) -> Points:
    """From the straight page to the skewed one."""
    return _turned(x, y, width, height, given["degrees"], given["scale"])


def skew_back(
    given: Parameters, x: np.ndarray, y: np.ndarray, width: float, height: float
) -> Points:
    """From the skewed page to the straight one."""
    return _turned(x, y, width, height, -given["degrees"], 1.0 / given["scale"])


def warp_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    """Control numbers by row and column; the surface runs through those of the corners only."""
    reach, count = sheet.reach, _WARP_SIDE
    numbers = [round((one - 0.5) * 2 * reach, 2) for one in u[: 2 * count * count]]
    rows = [numbers[at : at + count] for at in range(0, len(numbers), count)]
    return {"dx_px": rows[:count], "dy_px": rows[count:]}


def warp_there(
    given: Parameters, x: np.ndarray, y: np.ndarray, width: float, height: float
) -> Points:
    """From the flat page to the warped one: the fixed point of the way back."""
    there_x, there_y = x, y
    for _ in range(_ROUNDS):
        back_x, back_y = warp_back(given, there_x, there_y, width, height)
        there_x, there_y = there_x + (x - back_x), there_y + (y - back_y)
    return there_x, there_y


def warp_back(
    given: Parameters, x: np.ndarray, y: np.ndarray, width: float, height: float
) -> Points:
    """From the warped page to the flat one, by Bézier surfaces of degree 3."""
    across, down = _bernstein(x / width), _bernstein(y / height)
    moved = []
    for name in ("dx_px", "dy_px"):
        rows = [sum(one * b for one, b in zip(row, across, strict=True)) for row in given[name]]
        moved.append(sum(row * b for row, b in zip(rows, down, strict=True)))
    return x + moved[0], y + moved[1]


def bend(image: np.ndarray, ways_back: Sequence[tuple[Way, Parameters]]) -> np.ndarray:
    """The image bent, sampled once, with paper in the corners that come into view.

    Where the border is bare, the paper goes on as it is lit there.

    Args:
        image: uint8 `[height, width]` or `[height, width, 3]`.
        ways_back: from the bent page to the image, in the order in which the page was bent.
    """
    height, width = image.shape[:2]
    border = cv2.BORDER_REPLICATE if _has_plain_rim(image) else cv2.BORDER_CONSTANT
    paper = paper_of(image)
    fill = paper if image.ndim == 3 else paper[0]
    out = np.empty_like(image)
    for rows, columns in _tiles(image, _TILE):
        x = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] + np.float32(0.5)
        y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.float32(0.5)
        for way, given in reversed(ways_back):
            x, y = way(given, x, y, width, height)
        x, y = x - np.float32(0.5), y - np.float32(0.5)
        left, right = _around(x, width)
        top, bottom = _around(y, height)
        source = image[top:bottom, left:right]
        out[rows, columns] = geometric.remap(
            source, x - left, y - top, cv2.INTER_LINEAR, border, fill
        )
    return out


def _dim(image: np.ndarray, taken: np.ndarray, tint: tuple[float, ...] = (1.0, 1.0, 1.0)) -> None:
    """The image with a share of its light taken away, by a field of any size that is enlarged."""
    height, width = image.shape[:2]
    shares = [taken] if image.ndim == 2 else [taken * one for one in tint]
    left = [np.rint(255 * (1 - np.clip(share, 0, 1))).astype(np.uint8) for share in shares]
    field = left[0] if image.ndim == 2 else cv2.merge(left)
    field = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    image[...] = cv2.multiply(image, field.reshape(image.shape), scale=1 / 255)


def _coarse(width: int, height: int, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the cells of a coarse grid, px: x `[1, columns]` and y `[rows, 1]`."""
    columns, rows = max(1, round(width / step)), max(1, round(height / step))
    across = (np.arange(columns) + 0.5) * (width / columns)
    down = (np.arange(rows) + 0.5) * (height / rows)
    return across[None, :], down[:, None]


def _step(along: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, smooth between."""
    inside = np.clip(along, 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside))


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


def _reach(middle: float, reach: float, length: int) -> slice:
    low, high = math.floor(middle - reach), math.ceil(middle + reach)
    return slice(min(max(0, low), length), max(0, min(high, length)))


def _shifted(length: int, by: int) -> tuple[slice, slice]:
    """Where something moved along a side lands, and what of it does."""
    by = max(-length, min(length, by))
    return slice(max(0, by), length + min(0, by)), slice(max(0, -by), length - max(0, by))


def _tiles(image: np.ndarray, side: int) -> Iterator[tuple[slice, slice]]:
    height, width = image.shape[:2]
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield slice(top, min(height, top + side)), slice(left, min(width, left + side))


def _turned(
    x: np.ndarray, y: np.ndarray, width: float, height: float, degrees: float, scale: float
) -> Points:
    cos, sin = (scale * part(math.radians(degrees)) for part in (math.cos, math.sin))
    dx, dy = x - width / 2, y - height / 2
    return dx * cos - dy * sin + width / 2, dx * sin + dy * cos + height / 2


def _bernstein(t: np.ndarray) -> tuple[np.ndarray, ...]:
    s = 1 - t
    return s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
