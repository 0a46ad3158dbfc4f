"""What stands for pictures and videos in a prompt: packages of slices, their times and tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..engine.errors import DataError
from . import position, slicing
from .video import Video


@dataclass(frozen=True, slots=True)
class Visual:
    """One picture or one video, cut but not yet turned into patches."""

    pictures: list[Image.Image]
    plans: list[slicing.SlicePlan]
    packages: list[list[tuple[int, int]]]
    """Of each package, which (picture, slice) it holds, in order."""
    times: list[list[int]]
    """Temporal ids of each package."""
    tokens: list[int]
    """Visual tokens of each package."""


def arranged_video(
    video: Video,
    pictures: list[Image.Image],
    plans: list[slicing.SlicePlan],
    tokens_of: Callable[[list[tuple[int, int]]], int],
) -> Visual:
    """The frames of a video in packages: for every group of frames, one package a slice.

    Raises:
        DataError: frames of one group are cut into different grids.
    """
    ids = video.temporal_ids()
    packages, times, tokens = [], [], []
    for group in video.packages():
        grids = {(plans[number].cols, plans[number].rows) for number in group}
        if len(grids) > 1:
            raise DataError(
                f"frames {group.start} to {group.stop - 1} differ in shape and are cut into the "
                f"grids {sorted(grids)}; frames that share tokens must be cut alike"
            )
        for part in range(len(plans[group.start].tgt_sizes)):
            packages.append([(number, part) for number in group])
            times.append([ids[number] for number in group])
            tokens.append(tokens_of([plans[number].tgt_sizes[part] for number in group]))
    return Visual(pictures, plans, packages, times, tokens)


def in_order(
    kinds: list[list[str]], still: list[Visual], moving: list[Visual]
) -> Iterator[tuple[str, int, Visual]]:
    """(kind, number among the images of its prompt, visual) in the order of the texts."""
    queues = {"image": iter(still), "video": iter(moving)}
    for row in kinds:
        number = 0
        for kind in row:
            yield kind, number, next(queues[kind])
            number += kind == "image"


def slice_order(visuals: Sequence[Visual]) -> list[int]:
    """Where each slice of each package lies in the patches, which go picture by picture."""
    order, start = [], 0
    for visual in visuals:
        starts = []
        for plan in visual.plans:
            starts.append(start)
            start += len(plan.tgt_sizes)
        order += [
            starts[picture] + part for package in visual.packages for picture, part in package
        ]
    return order


def times_array(times: list[list[int]]) -> np.ndarray:
    """Temporal ids as int64 [packages, longest], filled up with -2."""
    table = np.full((len(times), max(map(len, times))), position.NO_FRAME, dtype=np.int64)
    for row, ids in zip(table, times, strict=True):
        row[: len(ids)] = ids
    return table
