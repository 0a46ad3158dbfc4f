"""What colour the paper and the ink of a crop have."""

from __future__ import annotations

import numpy as np

Colour = tuple[int, ...]
"""One number for a grey crop, three for RGB."""
_SPARSE = 7
"""px between samples of a page."""


def paper_of(crop: np.ndarray) -> Colour:
    """The commonest value of each channel along the crop's border."""
    rim = np.concatenate((crop[0], crop[-1], crop[:, 0], crop[:, -1]))
    if crop.ndim == 2:
        return (int(np.bincount(rim).argmax()),)
    return tuple(int(np.bincount(rim[:, channel]).argmax()) for channel in range(crop.shape[2]))


def ink_of(crop: np.ndarray, paper: Colour) -> Colour:
    """The value of each channel that lies farthest from the paper, darker or lighter."""
    flat = crop.reshape(-1, len(paper))
    extreme = flat.min(axis=0) if is_light(paper) else flat.max(axis=0)
    return tuple(int(value) for value in extreme)


def is_light(paper: Colour) -> bool:
    """Whether dark ink is to be expected on it."""
    return sum(paper) >= 128 * len(paper)


def filled(crop: np.ndarray, colour: Colour) -> np.ndarray:
    """A crop of the same shape in one colour."""
    out = np.empty_like(crop)
    out[...] = colour[0] if crop.ndim == 2 else colour
    return out


def page_colour(image: np.ndarray) -> Colour | int:
    """The commonest value of each channel over the page, from a sparse sample."""
    sample = image[::_SPARSE, ::_SPARSE]
    if image.ndim == 2:
        return int(np.bincount(sample.ravel()).argmax())
    return tuple(int(np.bincount(sample[..., c].ravel()).argmax()) for c in range(image.shape[2]))
