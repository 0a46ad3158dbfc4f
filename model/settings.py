"""What a call of the processors may set otherwise; everything else is refused.

transformers reads these annotations at run time, as types and not as text, which is why this file
does without `from __future__ import annotations`.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from transformers.processing_utils import ImagesKwargs, ProcessingKwargs

from ..engine.errors import ConfigError

ALWAYS = ("do_resize", "do_rescale", "do_convert_rgb")
"""Steps that are always part of this one: they may be asked for, not left out."""


class PagemillImagesKwargs(ImagesKwargs, total=False):  # type: ignore[call-arg]
    """Settings of pictures."""

    max_slice_nums: int | None
    scale_resolution: int
    patch_size: int
    max_pixels: int


class PagemillProcessorKwargs(ProcessingKwargs, total=False):  # type: ignore[call-arg]
    """Settings of pictures, videos and text together."""

    images_kwargs: PagemillImagesKwargs
    rate: int | None
    video_fps: float | int | None
    video_packing: int | None
    video_max_slice_nums: int | None


def refuse_unknown(
    settings: Mapping[str, Any], besides: Sequence[str] = (), *, what: str = "the image processor"
) -> None:
    """Refuse settings that mean nothing here, other than None and the names in `besides`.

    Raises:
        ConfigError: there is one.
    """
    unknown = [
        f"{name}={value!r}"
        for name, value in settings.items()
        if value is not None
        and name not in (*besides, "return_tensors")
        and not (name in ALWAYS and value is True)
    ]
    if unknown:
        raise ConfigError(f"{what} cannot be set to {', '.join(sorted(unknown))}")


def refuse_unnamed(given: Mapping[str, Any], kinds: Any) -> None:
    """Refuse settings that `kinds`, the typed dict of a processor, does not name.

    Raises:
        ConfigError: there is one; the message names the nearest that exists.
    """
    groups = kinds.__annotations__
    allowed = {*groups, "common_kwargs"}
    for group in groups.values():
        allowed |= set(getattr(group, "__annotations__", ()))
    for name, value in given.items():
        if name not in allowed and value is not None:
            near = difflib.get_close_matches(name, allowed, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigError(f"the processor has no setting {name}{hint}")
