"""Effects that leave ink, a spill or a crease on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from ..operator import bank
from ..operator.tone import filled, is_light, page_colour
from .kind import EffectSheet, Parameters, between
from .light import coarse_grid, dim, smooth_step


def bleed_through_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    return {
        "opacity": between(u[0], 0.07, 0.2),
        "sigma_px": between(u[1], 0.15 * sheet.x_height, 0.4 * sheet.x_height, 2),
        "dx_px": round((u[2] - 0.5) * 0.03 * sheet.width),
        "dy_px": round((u[3] - 0.5) * 0.03 * sheet.height),
    }


def bleed_through(image: np.ndarray, parameters: Parameters) -> None:
    """The page itself, mirrored, blurred and faint: what it hides stays hidden."""
    height, width = image.shape[:2]
    half = (max(1, width // 2), max(1, height // 2))
    back = cv2.flip(cv2.resize(image, half, interpolation=cv2.INTER_AREA), 1)
    sigma = parameters["sigma_px"] / 2
    if sigma >= 0.1:
        back = cv2.GaussianBlur(back, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    colour = page_colour(image)
    tone = colour if isinstance(colour, tuple) else (colour,)
    paper, light = filled(back, tone), is_light(tone)
    trace = cv2.subtract(paper, back) if light else cv2.subtract(back, paper)
    trace = cv2.resize(trace, (width, height), interpolation=cv2.INTER_LINEAR)
    rows, from_rows = _shifted(height, parameters["dy_px"])
    columns, from_columns = _shifted(width, parameters["dx_px"])
    part, trace = image[rows, columns], trace[from_rows, from_columns]
    if part.size:
        opacity = parameters["opacity"]
        part[...] = cv2.addWeighted(part, 1.0, trace, -opacity if light else opacity, 0.0)


def stain_amount(sheet: EffectSheet, u: Sequence[float]) -> Parameters:
    return {
        "x_px": between(u[0], 0.0, sheet.width, 1),
        "y_px": between(u[1], 0.0, sheet.height, 1),
        "radius_px": between(u[2], 0.04 * sheet.longer, 0.16 * sheet.longer, 1),
        "body": between(u[3], 0.03, 0.2),
        "rim": between(u[4], 0.05, 0.3),
        "wobble": [between(number, -0.06, 0.06) for number in u[5:11]],
        "seed": int(u[11] * 2**32),
    }


def stain(image: np.ndarray, parameters: Parameters) -> None:
    """A dried spill: a brownish body, uneven, with a darker rim."""
    radius = max(1.0, parameters["radius_px"])
    x, y = parameters["x_px"], parameters["y_px"]
    rows = _reach(y, 1.4 * radius, image.shape[0])
    columns = _reach(x, 1.4 * radius, image.shape[1])
    part = image[rows, columns]
    if not part.size:
        return
    step = max(1.0, radius / 64)
    across, down = coarse_grid(part.shape[1], part.shape[0], step)
    dx, dy = (across + columns.start - x) / radius, (down + rows.start - y) / radius
    angle = np.arctan2(dy, dx)
    outline = np.ones_like(angle)
    for order, (even, odd) in enumerate(
        zip(*[iter(parameters["wobble"])] * 2, strict=True), start=1
    ):
        outline += (even * np.cos(order * angle) + odd * np.sin(order * angle)) / order
    away = np.sqrt(dx * dx + dy * dy) / outline
    cloud = bank.grain(bank.normal_tile(), away.shape, 24.0, parameters["seed"], smooth=True)
    body = smooth_step((1.0 - away) / 0.05) * (0.75 + cloud / 512.0)
    rim = np.exp(-(((away - 0.97) / np.where(away > 0.97, 0.012, 0.04)) ** 2))
    dim(part, parameters["body"] * body + parameters["rim"] * rim, tint=(0.65, 0.9, 1.3))


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


def fold_line(image: np.ndarray, parameters: Parameters) -> None:
    """A crease across the page: one side in its shade, and along it ink that has rubbed off."""
    paper = page_colour(image)
    view = image.swapaxes(0, 1) if parameters["upright"] else image
    height, width = view.shape[:2]
    reach = 3 * parameters["width_px"] + abs(parameters["slope_px"]) / 2 + 2
    rows = _reach(parameters["at_px"], reach, height)
    part = view[rows]
    if not part.size:
        return
    line = parameters["at_px"] + parameters["slope_px"] * (
        np.arange(width, dtype=np.float32) / width - 0.5
    )
    down = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5 - line[None, :]
    down *= parameters["dark_side"]
    away = np.abs(down)
    fall = np.exp(away * np.float32(-1.0 / max(0.5, parameters["width_px"])))
    shade = (
        np.where(down > 0, np.float32(-parameters["depth"]), np.float32(0.3 * parameters["depth"]))
        * fall
    )
    worn = np.exp(-((away / np.float32(max(0.6, parameters["crease_px"]))) ** 2))
    shade -= np.float32(parameters["depth"]) * worn
    worn *= np.float32(parameters["wear"])
    if part.ndim == 3:
        shade, worn = shade[..., None], worn[..., None]
    mixed = part + (np.asarray(paper, np.float32) - part) * worn
    part[...] = np.clip(mixed * (1.0 + shade) + 0.5, 0, 255).astype(np.uint8)


def _reach(middle: float, reach: float, length: int) -> slice:
    """Whole px around a place on a side."""
    low, high = math.floor(middle - reach), math.ceil(middle + reach)
    return slice(min(max(0, low), length), max(0, min(high, length)))


def _shifted(length: int, by: int) -> tuple[slice, slice]:
    """Where something moved along a side lands, and what of it does."""
    by = max(-length, min(length, by))
    return slice(max(0, by), length + min(0, by)), slice(max(0, -by), length - max(0, by))
