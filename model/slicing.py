"""How an image is partitioned before the tower sees it: the LLaVA-UHD rule, from sizes alone.

A small image is one slice, resized to about `scale_resolution`² pixels. A larger one is a
thumbnail and a grid of slices of about that area each. No pixels are needed: `plan` gives the grid
and every size in pixels and patches, `visual_tokens` what the language model will see.

Source: methods of MiniCPM-V 4.5, image slicing as released.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..engine.errors import ConfigError

FULL, QUARTER = 1, 4
"""Compression rates: the divisor of the number of visual tokens."""

CONNECTORS = ("resampler3d", "shuffle_mlp")
"""Connectors by the name that configurations use."""


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """Sizes in px, (width, height); a grid of 1 by 1 means that the image is not cut."""

    cols: int
    rows: int
    whole: tuple[int, int]
    """The thumbnail; without a grid, the image itself."""
    cell: tuple[int, int]
    """One slice of the grid; (0, 0) without a grid."""
    patch_size: int

    @property
    def sliced(self) -> bool:
        """Whether there is a grid of slices beside the thumbnail."""
        return self.cols * self.rows > 1

    @property
    def refined(self) -> tuple[int, int]:
        """Size of the image that is cut into the grid."""
        return self.cell[0] * self.cols, self.cell[1] * self.rows

    @property
    def tgt_sizes(self) -> list[tuple[int, int]]:
        """(height, width) in patches: the thumbnail, then the slices row by row."""
        cells = self.cols * self.rows if self.sliced else 0
        return [in_patches(self.whole, self.patch_size)] + [
            in_patches(self.cell, self.patch_size)
        ] * cells


def plan(
    width_px: int,
    height_px: int,
    *,
    max_slice_nums: int = 9,
    scale_resolution: int = 448,
    patch_size: int = 14,
) -> SlicePlan:
    """The partition of an image of this size.

    A thumbnail is never larger than its image: one that is cut has more than `scale_resolution`²
    pixels. Only a side below one patch is widened to one.

    Raises:
        ConfigError: a size or a setting is not positive.
    """
    cols, rows = grid(
        width_px,
        height_px,
        max_slice_nums=max_slice_nums,
        scale_resolution=scale_resolution,
        patch_size=patch_size,
    )
    whole = fitted(width_px, height_px, scale_resolution, patch_size)
    if cols * rows == 1:
        return SlicePlan(1, 1, whole, (0, 0), patch_size)
    cell = fitted(
        rounded(width_px, cols) / cols,
        rounded(height_px, rows) / rows,
        scale_resolution,
        patch_size,
    )
    return SlicePlan(cols, rows, whole, cell, patch_size)


def grid(
    width_px: int,
    height_px: int,
    *,
    max_slice_nums: int = 9,
    scale_resolution: int = 448,
    patch_size: int = 14,
) -> tuple[int, int]:
    """(cols, rows) of the slices; (1, 1) for an image that is not cut.

    Among the factorings of the ideal number of slices and its two neighbours, the one whose aspect
    is nearest in logarithm; the first found wins a tie. Compared in floating point, as released:
    aspects that tie on paper, such as 4:1 and 9:4 for an image of 3:1, may not tie there.

    Raises:
        ConfigError: a size or a setting is not positive.
    """
    checked(width_px, height_px, max_slice_nums, scale_resolution, patch_size)
    wanted = min(math.ceil(width_px * height_px / scale_resolution**2), max_slice_nums)
    best, least = (1, 1), math.inf
    if wanted <= 1:
        return best
    aspect = math.log(width_px / height_px)
    for count in (wanted - 1, wanted, wanted + 1):
        if count == 1 or count > max_slice_nums:
            continue
        for cols in (cols for cols in range(1, count + 1) if count % cols == 0):
            rows = count // cols
            error = abs(aspect - math.log(cols / rows))
            if error < least:
                best, least = (cols, rows), error
    return best


def visual_tokens(
    width_px: int,
    height_px: int,
    *,
    max_slice_nums: int = 9,
    scale_resolution: int = 448,
    patch_size: int = 14,
    connector: str = "resampler3d",
    query_num: int = 64,
    rate: int = FULL,
) -> int:
    """Visual tokens of an image of this size: those of the thumbnail and of every slice.

    Raises:
        ConfigError: a size or a setting is not allowed.
    """
    sizes = plan(
        width_px,
        height_px,
        max_slice_nums=max_slice_nums,
        scale_resolution=scale_resolution,
        patch_size=patch_size,
    ).tgt_sizes
    return sum(
        package_tokens([size], connector=connector, query_num=query_num, rate=rate)
        for size in sizes
    )


def package_tokens(
    tgt_sizes: list[tuple[int, int]],
    *,
    connector: str = "resampler3d",
    query_num: int = 64,
    rate: int = FULL,
) -> int:
    """Visual tokens of one package: a slice, or the same slice of up to six frames.

    Args:
        tgt_sizes: (height, width) in patches of each frame.
        connector: `resampler3d` gives `query_num` a package at the full rate; `shuffle_mlp` one for
            every 2 by 2 patches of every frame, and at the quarter rate one for every 4 by 4.
        query_num: queries of the resampler.
        rate: FULL or QUARTER.

    Raises:
        ConfigError: an unknown connector or rate, or queries that the rate does not divide.
    """
    if rate not in (FULL, QUARTER):
        raise ConfigError(f"rate is {rate}; it is 1 (full) or 4 (a quarter of the tokens)")
    if query_num < 1 or query_num % rate:
        raise ConfigError(f"query_num is {query_num}; it must be a multiple of 4, at least 4")
    if connector == "resampler3d":
        return query_num // rate
    if connector == "shuffle_mlp":
        side = 2 if rate == FULL else 4
        return sum(-(-height // side) * -(-width // side) for height, width in tgt_sizes)
    raise ConfigError(f"connector is {connector!r}; there are: {', '.join(CONNECTORS)}")


def fitted(width: float, height: float, scale_resolution: int, patch_size: int) -> tuple[int, int]:
    """Width and height of about `scale_resolution`² at this aspect, in whole patches.

    Where the aspect would leave less than a patch across, a strip one patch across of that area:
    the released code gives strips of any length there, or of none.
    """
    ratio = width / height
    high = int(scale_resolution / math.sqrt(ratio))
    wide = int(high * ratio)
    if min(wide, high) < patch_size:
        along = rounded(scale_resolution**2 / patch_size, patch_size)
        return (along, patch_size) if ratio > 1 else (patch_size, along)
    return rounded(wide, patch_size), rounded(high, patch_size)


def rounded(length: float, unit: int) -> int:
    """The nearest multiple of `unit`, at least one; halves go to the even one."""
    return max(round(length / unit) * unit, unit)


def in_patches(size: tuple[int, int], patch_size: int) -> tuple[int, int]:
    """(width, height) in px as (height, width) in patches."""
    return size[1] // patch_size, size[0] // patch_size


def checked(
    width_px: int, height_px: int, max_slice_nums: int, scale_resolution: int, patch_size: int
) -> None:
    """Refuse what has no partition."""
    if not (width_px >= 1 and height_px >= 1):
        raise ConfigError(f"an image of {width_px} x {height_px} px has no pixels to slice")
    for name, value in (
        ("max_slice_nums", max_slice_nums),
        ("scale_resolution", scale_resolution),
        ("patch_size", patch_size),
    ):
        if not value >= 1:
            raise ConfigError(f"{name} is {value}; it must be at least 1")
