"""Ways to make text harder to read, in units of its x-height.

A crop of the page and an amount in px go in, a crop of the same shape comes out. In reading order:

- `kind`  what an operator is: its amount by strength and x-height, and its drawing
- `blur`, `noise`, `ink`, `codec`, `stroke`, `warp`  operators that leave a cue
- `mask`  those that leave none
- `tone`  tells paper from ink
- `bank`  all noise, drawn once
- `albumentations`  the boundary to that library

Drawing is albumentations' functional layer where it has it, OpenCV or ours where it has not; none
draws a random number.

A new operator is one file with two functions - or two functions in the file of its idea - and one
line in `_OPERATORS`, with a slot that no other ever had: every region that it does not win keeps
its operator. `pagemill calibrate` then measures its curve.
"""

from __future__ import annotations

from . import blur, codec, ink, mask, noise, stroke, warp
from .kind import Amount, CropContext, Operator
from .mask import Mask

__all__ = ["MASKS", "OPERATORS", "Amount", "CropContext", "Mask", "Operator"]

_OPERATORS = (
    Operator("gaussian_blur", 0, blur.gaussian_amount, blur.gaussian, gentle=0.15),
    Operator("defocus", 1, blur.defocus_amount, blur.defocus, gentle=0.12),
    Operator("motion_blur", 2, blur.motion_amount, blur.motion, gentle=0.06),
    Operator("downsample", 3, blur.downsample_amount, blur.downsample, gentle=0.15),
    Operator("noise", 4, noise.noise_amount, noise.noise, gentle=0.12),
    Operator("speckle", 5, noise.speckle_amount, noise.speckle, gentle=0.11),
    Operator("dropout", 6, noise.dropout_amount, noise.dropout, gentle=0.12),
    Operator("edge_spots", 7, noise.edge_spots_amount, noise.edge_spots, gentle=0.08),
    Operator("fade", 8, noise.fade_amount, noise.fade, gentle=0.66),
    Operator("ink_thin", 9, ink.thin_amount, ink.thin, gentle=0.27),
    Operator("ink_spread", 10, ink.spread_amount, ink.spread, gentle=0.16),
    Operator("jpeg", 11, codec.jpeg_amount, codec.jpeg, gentle=0.15),
    Operator("strokes", 12, stroke.strokes_amount, stroke.strokes, gentle=0.10),
    Operator("bar", 13, stroke.bar_amount, stroke.bar, gentle=0.05),
    Operator("strips", 14, warp.strips_amount, warp.strips, gentle=0.09),
    Operator("wave", 15, warp.wave_amount, warp.wave, gentle=0.10),
)
_MASKS = (
    Mask("mask_paper", 0, mask.paper),
    Mask("mask_black", 1, mask.black),
    Mask("mask_noise", 2, mask.noise),
    Mask("mask_inpaint", 3, mask.inpaint),
)

OPERATORS: dict[str, Operator] = {operator.name: operator for operator in _OPERATORS}
"""Those that leave a cue, for `light` and `moderate`."""
MASKS: dict[str, Mask] = {mask.name: mask for mask in _MASKS}
"""Those that leave none, for `heavy`."""
