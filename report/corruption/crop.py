"""Pixels as they stand in the page: crops and whole pages, as data URIs."""

from __future__ import annotations

import cv2
import numpy as np

from ...corruption import corrupt
from ...corruption.plan import plan_at
from ...engine.geometry import Box
from ...engine.image import ImageConfig, encode
from ..kit.picture import data_uri
from .line_choice import PreviewLine

PAGE_WIDTH_PX = 1240
_PAGE = ImageConfig(codec="webp", quality=72)
_CROP = ImageConfig(codec="png", min_psnr_db=38.0)


def page_uri(image: np.ndarray) -> str:
    """A whole page, made smaller where it is wider than `PAGE_WIDTH_PX`."""
    height, width = image.shape[:2]
    if width > PAGE_WIDTH_PX:
        size = (PAGE_WIDTH_PX, max(1, round(height * PAGE_WIDTH_PX / width)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    return data_uri(encode(image, _PAGE))


def crop_uri(image: np.ndarray, window: tuple[int, int, int, int]) -> str:
    """A piece of a page, pixel by pixel."""
    x0, y0, x1, y1 = window
    return data_uri(encode(np.ascontiguousarray(image[y0:y1, x0:x1]), _CROP))


def corrupted(line: PreviewLine, operator: str, severity: float, seed: int) -> np.ndarray:
    """The line's whole page with one operator on its words."""
    plan = plan_at(line.chosen.page, line.region, operator, severity, seed=seed)
    return corrupt(line.chosen.image, plan)


def window_of(image: np.ndarray, box: Box, pad_x: float, pad_y: float) -> tuple[int, int, int, int]:
    """Whole px around a box: x0, y0, x1, y1, inside the image."""
    height, width = image.shape[:2]
    x0 = min(max(0, round(box[0] - pad_x)), width - 1)
    y0 = min(max(0, round(box[1] - pad_y)), height - 1)
    x1 = min(max(x0 + 1, round(box[2] + pad_x)), width)
    y1 = min(max(y0 + 1, round(box[3] + pad_y)), height)
    return x0, y0, x1, y1
