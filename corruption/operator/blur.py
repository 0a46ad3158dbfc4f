"""Operators that lose detail: blur by lens and by motion, sampling down and up."""

from __future__ import annotations

import cv2
import numpy as np

from .albumentations import pixel
from .kind import Amount, CropContext

_FINE = 8
"""Steps a pixel in which kernels are drawn."""
_FAINT = 0.1
"""Strength up to which what is sampled anew is laid over the crop, so that 0 is nothing."""


def gaussian_amount(strength: float, x_height: float) -> Amount:
    return {"sigma_px": round(strength * 0.75 * x_height, 2)}


def gaussian(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Gaussian blur."""
    sigma = amount["sigma_px"]
    if sigma < 0.1:
        return crop.copy()
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def defocus_amount(strength: float, x_height: float) -> Amount:
    return {"radius_px": round(strength * 1.15 * x_height, 2)}


def defocus(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Blur by a disk, as of a lens out of focus."""
    radius = amount["radius_px"]
    if radius < 0.25:
        return crop.copy()
    half = int(np.ceil(radius))
    fine = (np.arange(-half * _FINE, half * _FINE + 1) / _FINE) ** 2
    disk = (fine[:, None] + fine[None, :] <= radius * radius).astype(np.float32)
    kernel = cv2.resize(disk, (2 * half + 1, 2 * half + 1), interpolation=cv2.INTER_AREA)
    return np.asarray(pixel.convolve(crop, kernel / kernel.sum()))


def motion_amount(strength: float, x_height: float) -> Amount:
    return {"length_px": round(1 + strength * 3.2 * x_height, 2)}


def motion(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Blur along a short way, in a direction that the region's seed gives."""
    length = amount["length_px"]
    if length < 1.25:
        return crop.copy()
    degrees = context.seed % 180
    half = int(np.ceil(length / 2))
    way = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    points = np.linspace(-length / 2, length / 2, max(3, round(4 * length)))[:, None] * way + half
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    np.add.at(kernel, tuple(np.rint(points[:, ::-1]).astype(int).T), 1.0)
    return np.asarray(pixel.convolve(crop, kernel / kernel.sum()))


def downsample_amount(strength: float, x_height: float) -> Amount:
    coarsest = max(1.0, x_height / 1.3)
    return {
        "factor": round(1 + strength * (coarsest - 1), 3),
        "opacity": round(min(1.0, strength / _FAINT), 3),
    }


def downsample(crop: np.ndarray, amount: Amount, context: CropContext) -> np.ndarray:
    """Sampled down by area and up again by lines."""
    factor = amount["factor"]
    if factor <= 1.0 or min(crop.shape[:2]) < 2:
        return crop.copy()
    scale = max(1.0 / factor, 1.0 / min(crop.shape[:2]))
    coarse = pixel.downscale(crop, scale, cv2.INTER_AREA, cv2.INTER_LINEAR)
    opacity = amount["opacity"]
    return np.asarray(
        coarse if opacity >= 1 else cv2.addWeighted(coarse, opacity, crop, 1 - opacity, 0.0)
    )
