"""Operators that add noise or leave pixels out, all of it from the bank."""

from __future__ import annotations

import cv2
import numpy as np

from . import bank
from .albumentations import pixel
from .kind import Amount, CropContext
from .tone import filled, ink_of, paper_of


def noise_amount(strength: float, x_height: float) -> Amount:
    return {"std": round(strength * 260, 1)}


def noise(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Additive normal noise, pixel by pixel."""
    return _add(crop, bank.window(bank.normal_tile(), crop.shape, context.seed), amount["std"])


def speckle_amount(strength: float, x_height: float) -> Amount:
    return {"std": round(strength * 340, 1), "grain_px": round(0.3 * x_height, 2)}


def speckle(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Blotches of a grain that is a share of the x-height, as of coarse film or a bad copy."""
    tile = bank.normal_tile()
    grains = bank.grain(tile, crop.shape, amount["grain_px"], context.seed, smooth=True)
    return _add(crop, grains, amount["std"])


def _add(crop: np.ndarray, around_128: np.ndarray, std: float) -> np.ndarray:
    gain = std / bank.STD
    other = bank.like(around_128, crop)
    return np.asarray(cv2.addWeighted(crop, 1.0, other, gain, -128.0 * gain))


def dropout_amount(strength: float, x_height: float) -> Amount:
    return {"share": round(0.93 * strength, 4), "grain_px": round(0.14 * x_height, 2)}


def dropout(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Small squares replaced by paper."""
    grains = bank.grain(bank.even_tile(), crop.shape, amount["grain_px"], context.seed)
    mask = grains < round(256 * amount["share"])
    mask = mask if crop.ndim == 2 else np.repeat(mask[..., None], crop.shape[2], axis=2)
    return np.asarray(pixel.pixel_dropout(crop, mask, filled(crop, paper_of(crop))))


def edge_spots_amount(strength: float, x_height: float) -> Amount:
    return {
        "share": round(0.62 * strength, 4),
        "grain_px": round(0.2 * x_height, 2),
        "reach_px": round(0.6 * strength * x_height, 2),
    }


def edge_spots(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Spots of ink and of paper along the edges of the strokes, as of a worn plate."""
    paper = paper_of(crop)
    grey = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    reach = 2 * max(1, round(amount["reach_px"])) + 1
    window = np.ones((min(reach, 99), min(reach, 99)), np.uint8)
    edge = cv2.subtract(cv2.dilate(grey, window), cv2.erode(grey, window))
    grains = bank.grain(bank.even_tile(), crop.shape, amount["grain_px"], context.seed)
    limit = round(256 * amount["share"])
    near = edge > 48
    out = crop.copy()
    out[near & (grains < limit // 2)] = ink_of(crop, paper)
    out[near & (grains >= 256 - limit // 2)] = paper
    return out


def fade_amount(strength: float, x_height: float) -> Amount:
    return {"contrast": round(1 - 0.985 * strength, 4), "std": round(3 + 9 * strength, 1)}


def fade(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Ink as pale as the paper's own grain, as of a ribbon that runs dry."""
    contrast = amount["contrast"]
    pale = cv2.addWeighted(crop, contrast, filled(crop, paper_of(crop)), 1 - contrast, 0.0)
    return _add(pale, bank.window(bank.normal_tile(), crop.shape, context.seed), amount["std"])
