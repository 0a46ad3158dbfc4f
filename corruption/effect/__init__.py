"""Effects on whole pages, for realism: which a page gets, where they move its boxes, drawing.

A page goes in with the number that names it, `Effect`s come out, and drawn on the image or moved
along with boxes. In reading order:

- `kind`   what an effect is; what it may know of a page
- `ink`, `light`, `bend`, `codec`   the effects: for each, `<name>_amount` turns numbers `u` in
           (0, 1) into parameters and `<name>` draws them; `bend` holds those that move points
- `plan`   which effects a page gets
- `apply`  drawing them, and where boxes lie afterwards

A new effect is two functions in one of these files, or in one of its own, and a line in `EFFECTS`
with a slot that no other ever had: no draw of another effect shifts.
"""

from __future__ import annotations

from . import bend, codec, ink, light
from .kind import EffectKind

__all__ = ["EFFECTS", "EffectKind"]

EFFECTS: dict[str, EffectKind] = {
    "bleed_through": EffectKind(0, ink.bleed_through_amount, ink.bleed_through),
    "stain": EffectKind(1, ink.stain_amount, ink.stain),
    "fold_line": EffectKind(2, ink.fold_line_amount, ink.fold_line),
    "shadow": EffectKind(3, light.shadow_amount, light.shadow),
    "uneven_light": EffectKind(4, light.uneven_light_amount, light.uneven_light),
    "skew": EffectKind(5, bend.skew_amount, forward=bend.skew_forward, inverse=bend.skew_inverse),
    "warp": EffectKind(6, bend.warp_amount, forward=bend.warp_forward, inverse=bend.warp_inverse),
    "jpeg": EffectKind(7, codec.jpeg_amount, codec.jpeg),
}
"""In the order in which they are drawn: ink and light, then the shape of the paper, then JPEG."""
