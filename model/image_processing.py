"""Pictures to patches: sliced, resized, normalised, cut.

Resizing is Pillow's own bicubic, so pixels equal those of the released processor to the last bit;
a grey page is resized as one channel. Shapes: S slices, p patch size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from transformers.image_processing_utils import BaseImageProcessor, BatchFeature

from ..engine.errors import ConfigError
from . import slicing
from .picture import MOST_PIXELS, as_picture, size_of
from .settings import PagemillImagesKwargs, refuse_unknown


class PagemillImageProcessor(BaseImageProcessor):
    """Slices pictures and cuts the slices into patches.

    `max_slice_nums` caps the grid, `scale_resolution` is the side of a square slice in px,
    `patch_size` the side of a patch in px. Without `do_normalize` the patches stay bytes, a quarter
    of the memory, and the tower normalises them. `max_pixels` refuses larger pictures.
    """

    model_input_names = ["pixel_values", "tgt_sizes", "num_tiles"]
    valid_kwargs = PagemillImagesKwargs

    def __init__(
        self,
        *,
        max_slice_nums: int = 9,
        scale_resolution: int = 448,
        patch_size: int = 14,
        image_mean: Sequence[float] = (0.5, 0.5, 0.5),
        image_std: Sequence[float] = (0.5, 0.5, 0.5),
        do_normalize: bool = True,
        max_pixels: int = MOST_PIXELS,
        **kwargs: Any,
    ) -> None:
        refuse_unknown(kwargs, besides=LABELS)
        super().__init__(**kwargs)
        slicing.checked(1, 1, max_slice_nums, scale_resolution, patch_size)
        if len(image_mean) != 3 or len(image_std) != 3 or min(image_std) <= 0:
            raise ConfigError("image_mean and image_std are three numbers each, image_std above 0")
        if max_pixels < 1:
            raise ConfigError(f"max_pixels is {max_pixels}; it must be at least 1")
        self.max_slice_nums = max_slice_nums
        self.scale_resolution = scale_resolution
        self.patch_size = patch_size
        self.image_mean = list(image_mean)
        self.image_std = list(image_std)
        self.do_normalize = do_normalize
        self.max_pixels = max_pixels

    def plan(
        self, width_px: int, height_px: int, *, max_slice_nums: int | None = None
    ) -> slicing.SlicePlan:
        """How a picture of this size is cut."""
        return slicing.plan(
            width_px,
            height_px,
            max_slice_nums=self.max_slice_nums if max_slice_nums is None else max_slice_nums,
            scale_resolution=self.scale_resolution,
            patch_size=self.patch_size,
        )

    def size_of(self, source: Any) -> tuple[int, int]:
        """(width, height) in px of what `picture` would give."""
        return size_of(source, most_pixels=self.max_pixels)

    def picture(self, source: Any, name: str = "") -> Image.Image:
        """A picture of any kind as `L` or `RGB`; see `as_picture`."""
        return as_picture(source, most_pixels=self.max_pixels, name=name)

    def fetch_images(self, image_url_or_urls: Any) -> Any:
        """Leave files and addresses as they are: `picture` opens them, and knows every mode."""
        return image_url_or_urls

    def __call__(self, images: Any, **kwargs: Any) -> BatchFeature:
        return self.preprocess(images, **kwargs)

    def preprocess(
        self,
        images: Any,
        *,
        max_slice_nums: int | None = None,
        do_normalize: bool | None = None,
        return_tensors: str | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """`pixel_values` [S, patches of the largest slice, 3 · p · p], `tgt_sizes`, `num_tiles`.

        Args:
            images: one picture, or any nesting of lists of them; see `as_picture`.
            max_slice_nums: in place of the configured one.
            do_normalize: in place of the configured one.
            return_tensors: "pt", "np" or None.
            **kwargs: other settings of image processors have no meaning here and are refused.

        Raises:
            ConfigError: an unknown setting.
            DataError: a picture that cannot be used.
        """
        refuse_unknown(kwargs)
        pictures = [self.picture(image) for image in flat(images)]
        plans = [self.plan(*picture.size, max_slice_nums=max_slice_nums) for picture in pictures]
        data = {
            "pixel_values": self.patches(pictures, plans, do_normalize=do_normalize),
            "tgt_sizes": sizes_array([size for plan in plans for size in plan.tgt_sizes]),
            "num_tiles": np.array([len(plan.tgt_sizes) for plan in plans], dtype=np.int64),
        }
        return BatchFeature(data, tensor_type=return_tensors)

    def patches(
        self,
        pictures: Sequence[Image.Image],
        plans: Sequence[slicing.SlicePlan],
        *,
        do_normalize: bool | None = None,
    ) -> np.ndarray:
        """The patches of all slices, each slice filled up with zeros to the longest.

        Args:
            pictures: mode `L` or `RGB`.
            plans: how each is cut.
            do_normalize: floats where true, bytes where false; None for the configured way.

        Returns:
            [S, patches of the largest slice, 3 · p · p].
        """
        normalise = self.do_normalize if do_normalize is None else do_normalize
        sizes = [size for plan in plans for size in plan.tgt_sizes]
        longest = max((height * width for height, width in sizes), default=0)
        out = np.zeros(
            (len(sizes), longest, 3 * self.patch_size**2),
            dtype=np.float32 if normalise else np.uint8,
        )
        tables = self.tables() if normalise else None
        start = 0
        for picture, plan in zip(pictures, plans, strict=True):
            count = len(plan.tgt_sizes)
            write_patches(picture, plan, tables, out[start : start + count])
            start += count
        return out

    def tables(self) -> np.ndarray:
        """The normalised value of every byte, a row a channel; float32 [3, 256]."""
        mean, std = np.array(self.image_mean)[:, None], np.array(self.image_std)[:, None]
        return ((np.arange(256) / 255 - mean) / std).astype(np.float32)


NEAREST = Image.Resampling.NEAREST
LABELS = ("image_processor_type", "feature_extractor_type", "processor_class", "auto_map")
"""What transformers writes beside the settings when it saves them."""


def write_patches(
    picture: Image.Image, plan: slicing.SlicePlan, tables: np.ndarray | None, out: np.ndarray
) -> None:
    """The patches of one picture into [slices, patches, 3 · p · p]: thumbnail, then the grid."""
    picture = one_channel(picture)
    write_grid(resized(picture, plan.whole), 1, 1, plan.patch_size, tables, out[:1])
    if plan.sliced:
        fine = resized(picture, plan.refined)
        write_grid(fine, plan.cols, plan.rows, plan.patch_size, tables, out[1:])


def one_channel(picture: Image.Image) -> Image.Image:
    """A grey picture stored in colour as grey: the same patches in half the time."""
    if picture.mode != "RGB" or not equal_channels(picture.resize((64, 64), NEAREST)):
        return picture
    return picture.getchannel(0) if equal_channels(picture) else picture


def equal_channels(picture: Image.Image) -> bool:
    """Whether every pixel is grey."""
    red, green, blue = (channel.tobytes() for channel in picture.split())
    return red == green == blue


def resized(picture: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The picture at this (width, height); uint8 [height, width] or [height, width, 3]."""
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(picture)


def write_grid(
    image: np.ndarray,
    cols: int,
    rows: int,
    patch: int,
    tables: np.ndarray | None,
    out: np.ndarray,
) -> None:
    """Cut an image into rows x cols cells, and every cell into patches."""
    height, width = image.shape[0] // rows, image.shape[1] // cols
    for number, place in enumerate(out):
        top, left = number // cols * height, number % cols * width
        write_cell(image[top : top + height, left : left + width], patch, tables, place)


def write_cell(cell: np.ndarray, patch: int, tables: np.ndarray | None, out: np.ndarray) -> None:
    """Cut a cell into patches, (channel, row, column) within a patch; small enough for a cache."""
    height, width = cell.shape[0] // patch, cell.shape[1] // patch
    count, area = height * width, patch * patch
    for channel in range(3):
        place = out[:count, channel * area : (channel + 1) * area]
        if cell.ndim == 2 and channel and (tables is None or alike(tables, channel)):
            place[:] = out[:count, :area]
            continue
        plane = cell if cell.ndim == 2 else cell[:, :, channel]
        cut = plane.reshape(height, patch, width, patch).swapaxes(1, 2).reshape(count, area)
        place[:] = cut if tables is None else tables[channel].take(cut)


def alike(tables: np.ndarray, channel: int) -> bool:
    """Whether a channel is normalised as the first one is."""
    return bool((tables[channel] == tables[0]).all())


def sizes_array(sizes: Sequence[tuple[int, int]]) -> np.ndarray:
    """(height, width) pairs as int64 [S, 2]."""
    return np.array(sizes, dtype=np.int64).reshape(-1, 2)


def flat(images: Any) -> list[Any]:
    """The pictures of any nesting of lists, in order."""
    if isinstance(images, (list, tuple)):
        return [image for part in images for image in flat(part)]
    return [images]
