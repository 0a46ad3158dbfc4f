"""Fixed sine-cosine positions: of a patch in its slice, and of a frame in its video.

Source: unified 3D-Resampler, MiniCPM-V 4.5 §2.1.1, as released: computed by NumPy in float32,
grown on demand, never part of a checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .segment import onto

NO_TIME = -1
"""Temporal id of a picture that is not part of a video: adds nothing."""
NO_FRAME = -2
"""Fills up the rows of a table of temporal ids; there is no frame."""
STEP_S = 0.1
"""Seconds that one temporal id stands for."""
THETA = 10000.0
FIRST_SIDE = 70


def sincos(positions: Tensor, width: int) -> Tensor:
    """Sines, then cosines, of positions at `width / 2` frequencies; [positions, width]."""
    omega = np.arange(width // 2, dtype=np.float32) / np.float32(width / 2)
    omega = (1 / np.float32(THETA) ** omega).astype(np.float32)
    angle = np.outer(positions.numpy().astype(np.float32), omega)
    return torch.from_numpy(np.concatenate([np.sin(angle), np.cos(angle)], axis=1))


def patches(sizes: Sequence[tuple[int, int]], width: int, device: torch.device) -> Tensor:
    """Positions of the patches of all slices, row by row; [patches, width].

    The first half of the channels tells the column, the second the row.

    Args:
        sizes: (height, width) in patches of each slice.
        width: channels, a multiple of 4.
        device: of the answer.
    """
    line = axis(table_side(max(map(max, sizes))), width // 2, device)
    rows, cols = (onto(torch.cat(part), device) for part in zip(*map(places, sizes), strict=True))
    return torch.cat([line[cols], line[rows]], dim=1)


@lru_cache(maxsize=4096)
def places(size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Row and column of every patch of a slice, row by row; int64 each."""
    height, across = size
    return torch.arange(height).repeat_interleave(across), torch.arange(across).repeat(height)


def table_side(longest: int) -> int:
    """Entries of the table that is kept: 70, doubled until it is long enough."""
    side = FIRST_SIDE
    while side < longest:
        side *= 2
    return side


@lru_cache(maxsize=32)
def axis(count: int, width: int, device: torch.device) -> Tensor:
    """Positions 0 to count - 1 along one side, kept on the device."""
    return sincos(torch.arange(count), width).to(device)


def times(ids: Sequence[int], width: int) -> Tensor:
    """Positions of frames in steps of 0.1 s, zero where there is no time; [frames, width]."""
    wanted = torch.tensor(ids)
    table = sincos(wanted.clamp(min=0), width)
    return table * (wanted >= 0)[:, None]
