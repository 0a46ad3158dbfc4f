"""What one picture or video costs, alone in its prompt: slices, tokens, FLOPs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .. import slicing
from ..config import PagemillConfig
from ..prompt import image_token as prompt
from .configuration import SlicingSettings
from .flops import Flops, forward_flops, generation_flops

FRAMES_A_PACKAGE = 6


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Something to look at."""

    name: str
    width_px: int
    height_px: int
    frames: int = 1
    """More than one for a video."""


PAGE = PictureSize("A4 144 dpi", 1190, 1684)
"""The page that activations are given for."""
PICTURES = (
    PictureSize("A4 72 dpi", 595, 842),
    PictureSize("A4 100 dpi", 826, 1169),
    PAGE,
    PictureSize("A4 200 dpi", 1653, 2339),
    PictureSize("A4 300 dpi", 2479, 3508),
    PictureSize("Letter 144 dpi", 1224, 1584),
    PictureSize("receipt 144 dpi", 454, 1684),
    PictureSize("square", 448, 448),
    PictureSize("video 60 frames", 1280, 720, 60),
)
"""A4 as PDFs have it, 595 by 842 points: an aspect a hair wider, 1191 by 1684 px, is cut 3 by 3."""


@dataclass(frozen=True, slots=True)
class PictureLoad:
    """How a picture is cut, and the tokens it takes."""

    cols: int
    rows: int
    tgt_sizes: list[tuple[int, int]]
    """(height, width) in patches of all slices."""
    packages: list[int] | None
    """Slices of each package of a video."""
    visual_tokens: int
    visual_tokens_quarter: int
    prompt_tokens: int
    """Visual tokens at the full rate, with the marks around slices and packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureCost:
    """Tokens and FLOPs of one picture or video."""

    name: str
    frames: int
    width_px: int
    height_px: int
    cols: int
    rows: int
    slices: int
    patches: int
    visual_tokens: int
    visual_tokens_quarter: int
    prompt_tokens: int
    patches_per_token: float
    prefill_flops: Flops
    flops_per_answer_token: int
    flops_with_answer: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it, the FLOPs by part and in `total`."""
        tree = asdict(self)
        tree["prefill_flops"]["total"] = self.prefill_flops.total
        return tree


def picture_cost(
    config: PagemillConfig, settings: SlicingSettings, picture: PictureSize, answer_tokens: int
) -> PictureCost:
    """Tokens and FLOPs of one picture or video, with an answer of so many tokens."""
    load = picture_load(config, settings, picture)
    prefill = forward_flops(
        config, load.tgt_sizes, load.packages, [load.prompt_tokens], logit_tokens=1
    )
    answer = generation_flops(config, load.prompt_tokens, answer_tokens)
    patches = sum(height * width for height, width in load.tgt_sizes)
    return PictureCost(
        name=picture.name,
        frames=picture.frames,
        width_px=picture.width_px,
        height_px=picture.height_px,
        cols=load.cols,
        rows=load.rows,
        slices=len(load.tgt_sizes),
        patches=patches,
        visual_tokens=load.visual_tokens,
        visual_tokens_quarter=load.visual_tokens_quarter,
        prompt_tokens=load.prompt_tokens,
        patches_per_token=round(patches / load.visual_tokens, 1),
        prefill_flops=prefill,
        flops_per_answer_token=round(answer.total / answer_tokens),
        flops_with_answer=prefill.total + answer.total,
    )


def picture_load(
    config: PagemillConfig, settings: SlicingSettings, picture: PictureSize
) -> PictureLoad:
    """How a picture is cut, and the tokens it takes; frames of a video are not cut."""
    plan = slicing.plan(
        picture.width_px,
        picture.height_px,
        max_slice_nums=settings.max_slice_nums if picture.frames == 1 else 1,
        scale_resolution=settings.scale_resolution,
        patch_size=config.vision_config.patch_size,
    )
    sizes, packages = plan.tgt_sizes, None
    if picture.frames > 1:
        full_packages, rest = divmod(picture.frames, FRAMES_A_PACKAGE)
        packages = [FRAMES_A_PACKAGE] * full_packages + [rest] * (rest > 0)
        sizes = plan.tgt_sizes * picture.frames
    full, quarter = (
        visual_tokens(config, sizes, packages, rate) for rate in (slicing.FULL, slicing.QUARTER)
    )
    return PictureLoad(
        plan.cols,
        plan.rows,
        sizes,
        packages,
        full,
        quarter,
        prompt_tokens(plan, settings, packages, full),
    )


def visual_tokens(
    config: PagemillConfig, sizes: list[tuple[int, int]], packages: list[int] | None, rate: int
) -> int:
    """Visual tokens of all packages."""
    remaining = iter(sizes)
    return sum(
        slicing.package_tokens(
            [next(remaining) for _ in range(count)],
            connector=config.connector,
            query_num=config.query_num,
            rate=rate,
        )
        for count in packages or [1] * len(sizes)
    )


def prompt_tokens(
    plan: slicing.SlicePlan, settings: SlicingSettings, packages: list[int] | None, visual: int
) -> int:
    """Tokens in the prompt, with the marks around slices and packages."""
    if packages is None:
        image_id = 0 if settings.use_image_id else None
        return prompt.text_tokens(plan.cols, plan.rows, visual, image_id=image_id)
    marks = prompt.text_tokens(1, 1, 0)
    return visual + marks * len(packages) + len(packages) - 1
