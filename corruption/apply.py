"""Draw a plan on a page's image."""

from __future__ import annotations

import cv2
import numpy as np

from ..engine.errors import DataError
from .effect.apply import draw_effects
from .level import Level
from .operator import MASKS, OPERATORS, CropContext
from .operator.tone import page_colour
from .plan import CorruptionPlan, PlannedRegion

_WHITE = 255


def corrupt(image: np.ndarray, plan: CorruptionPlan, *, key: str | None = None) -> np.ndarray:
    """The image with the plan drawn on it; the image itself is left alone.

    Args:
        image: uint8 `[height, width]` or `[height, width, 3]` RGB, as the shard has it.
        plan: of this page.
        key: of the page that the image belongs to, where it is known: checked against the plan's.

    Returns:
        uint8, the shape of the image. `plan.regions[i].moved` and `plan.move_boxes` say where
        boxes lie on it.

    Raises:
        DataError: the plan is of another page, or of an image of another size.
    """
    _check(image, plan, key)
    out = image.copy()
    _hide(out, [region for region in plan.regions if region.level is Level.HEAVY])
    visible = [region for region in plan.regions if region.level in (Level.LIGHT, Level.MODERATE)]
    _write(out, visible, [_drawn(_crop(out, region), region) for region in visible])
    return draw_effects(out, plan.effects) if plan.effects else out


def _hide(out: np.ndarray, regions: list[PlannedRegion]) -> None:
    """Draw all masks; none of them sees what any of them covers."""
    if not regions:
        return
    for region in regions:
        _crop(out, region)[...] = _WHITE
    paper = page_colour(out)
    for region in regions:
        _crop(out, region)[...] = paper
    fills = [
        MASKS[region.operator].draw(out, region.cover, region.parameters["seed"])
        for region in regions
    ]
    _write(out, regions, fills)


def _crop(image: np.ndarray, region: PlannedRegion) -> np.ndarray:
    x0, y0, x1, y1 = region.cover
    return image[y0:y1, x0:x1]


def _write(out: np.ndarray, regions: list[PlannedRegion], crops: list[np.ndarray]) -> None:
    """Put what was drawn in its places, once all of it is drawn."""
    for region, crop in zip(regions, crops, strict=True):
        _crop(out, region)[...] = crop


def _drawn(crop: np.ndarray, region: PlannedRegion) -> np.ndarray:
    """The operator at its gentle strength everywhere, and at its full one where it struck."""
    operator = OPERATORS[region.operator]
    parameters = region.parameters
    lines = tuple((top, bottom) for top, bottom in parameters["lines"])
    context = CropContext(parameters["seed"], lines)
    crop = np.ascontiguousarray(crop)
    gentle = operator.draw(crop, parameters["all"], context)
    if not parameters.get("spans"):
        return gentle
    strong = operator.draw(crop, parameters["struck"], context)
    mask = np.zeros(crop.shape[:2], np.uint8)
    for x0, y0, x1, y1 in parameters["spans"]:
        mask[y0:y1, x0:x1] = 255
    return np.asarray(cv2.copyTo(strong, mask, gentle))


def _check(image: np.ndarray, plan: CorruptionPlan, key: str | None) -> None:
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        raise DataError(
            f"the image of {plan.key} is {image.dtype} {image.shape}; corrupt takes uint8 "
            "[height, width] or [height, width, 3]",
            key=plan.key,
            reason="shape",
        )
    height, width = image.shape[:2]
    if (width, height) != (plan.width, plan.height):
        raise DataError(
            f"the plan of {plan.key} is for {plan.width} x {plan.height} px, the image has "
            f"{width} x {height} px: plan and image are of different pages or corpora",
            key=plan.key,
            reason="size",
        )
    if key is not None and key != plan.key:
        raise DataError(
            f"the plan is of page {plan.key}, the image of page {key}", key=key, reason="key"
        )
