"""Where pictures stand in a prompt: runs of image tokens, one run a package.

`image_text` and `video_text` write them, `text_tokens` counts them from numbers alone, and
`compressed` takes out what a package at the quarter rate does not need.

Source: text layout of MiniCPM-V 4.5 as released.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...engine.errors import ConfigError, DataError
from .token import IMAGE, IMAGE_END, IMAGE_ID, IMAGE_ID_END, MARKS, SLICE, SLICE_END

SANITIZE = "pass sanitize_control_tokens=True to apply_chat_template"
"""What lets a text name marks without meaning them."""


def image_text(
    cols: int, tokens: Sequence[int], *, image_token: str, image_id: int | None = None
) -> str:
    """The text of one picture: its number, its thumbnail, then its slices row by row.

    Args:
        cols: columns of the grid.
        tokens: visual tokens of the thumbnail and of each slice.
        image_token: what stands for one visual token.
        image_id: number of the picture in the prompt; None leaves it out.
    """
    head = "" if image_id is None else f"{IMAGE_ID}{image_id}{IMAGE_ID_END}"
    thumbnail = f"{IMAGE}{image_token * tokens[0]}{IMAGE_END}"
    slices = [f"{SLICE}{image_token * count}{SLICE_END}" for count in tokens[1:]]
    rows = ["".join(slices[start : start + cols]) for start in range(0, len(slices), cols)]
    return head + thumbnail + "\n".join(rows)


def video_text(groups: Sequence[tuple[int, Sequence[int]]], *, image_token: str) -> str:
    """The text of a video: its packages one a line, without numbers.

    Args:
        groups: for every group of frames, the columns of its grid and its tokens as `image_text`
            takes them.
        image_token: what stands for one visual token.
    """
    return "\n".join(image_text(cols, tokens, image_token=image_token) for cols, tokens in groups)


def text_tokens(cols: int, rows: int, visual_tokens: int, *, image_id: int | None = None) -> int:
    """Tokens that one picture takes in a prompt, marks included.

    Exact where every mark, digit and line break is one token of its own, as in the tokenizers of
    Qwen and in ours.

    Args:
        cols: columns of the grid.
        rows: rows of the grid; 1 by 1 is a picture without slices.
        visual_tokens: of the picture in all.
        image_id: its number in the prompt; None where it has none.
    """
    slices = cols * rows if cols * rows > 1 else 0
    marks = 2 + 2 * slices + rows - 1
    number = 0 if image_id is None else 2 + len(str(image_id))
    return number + marks + visual_tokens


def refuse_marks(texts: list[str]) -> None:
    """Refuse texts that hold marks which only the processor writes.

    Raises:
        ConfigError: one does.
    """
    for number, text in enumerate(texts):
        for mark in MARKS:
            if mark in text:
                raise ConfigError(
                    f"text {number} contains {mark}, which marks a picture. To have it read as "
                    f"plain text, {SANITIZE}"
                )


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids and mask, [B, T]."""

    input_ids: Tensor
    attention_mask: Tensor | None


def compressed(
    prompt: Prompt, lengths: Sequence[int], full_lengths: Sequence[int], *, image_token_id: int
) -> Prompt:
    """The prompt with room for exactly `lengths`; rows that get shorter are filled on the left.

    A prompt that has that room already is returned as it is.

    Args:
        prompt: ids and mask.
        lengths: tokens of each package.
        full_lengths: tokens of each package at the full rate.
        image_token_id: what stands for one visual token.

    Raises:
        DataError: the prompt has room for neither.
    """
    places = prompt.input_ids == image_token_id
    room = int(places.sum())
    if room == sum(lengths):
        return prompt
    if room != sum(full_lengths):
        raise DataError(
            f"the prompt has room for {room} image tokens, the pictures have {sum(lengths)} "
            f"({sum(full_lengths)} at the full rate): prepare both with the same processor"
        )
    kept = torch.cat(
        [torch.arange(full) < used for used, full in zip(lengths, full_lengths, strict=True)]
    )
    keep = torch.ones_like(places)
    keep[places] = kept.to(keep.device)
    mask = prompt.attention_mask
    if mask is None:
        mask = torch.ones_like(prompt.input_ids)
    keep &= mask.bool()
    return left_padded(prompt.input_ids, keep)


def left_padded(input_ids: Tensor, keep: Tensor) -> Prompt:
    """The kept tokens of each row at its right end, and the mask."""
    counts = keep.sum(1)
    longest = int(counts.max())
    columns = torch.arange(longest, device=keep.device)
    mask = columns >= longest - counts[:, None]
    ids = input_ids.new_zeros(len(input_ids), longest)
    ids[mask] = input_ids[keep]
    return Prompt(ids, mask.to(torch.int64))
