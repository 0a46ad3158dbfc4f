"""The tokens that mean something of their own in a prompt; their spellings stand only here.

Qwen's for turns, thoughts, pictures and boxes; MiniCPM-V's for what surrounds the visual tokens of
a picture.
"""

from __future__ import annotations

END_OF_TEXT = "<|endoftext|>"
TURN_START, TURN_END = "<|im_start|>", "<|im_end|>"
THINK, THINK_END = "<think>", "</think>"
IMAGE_TOKEN, VIDEO_TOKEN = "<|image_pad|>", "<|video_pad|>"
"""Stand for one visual token, and for a picture or a video that is not yet expanded."""

BOX, BOX_END = "<box>", "</box>"
REF, REF_END = "<ref>", "</ref>"

IMAGE, IMAGE_END = "<image>", "</image>"
SLICE, SLICE_END = "<slice>", "</slice>"
IMAGE_ID, IMAGE_ID_END = "<image_id>", "</image_id>"
MARKS = (IMAGE, IMAGE_END, SLICE, SLICE_END, IMAGE_ID, IMAGE_ID_END)
"""Around the visual tokens of a picture; written by the processor alone."""

TEXT_TOKENS = (THINK, THINK_END, BOX, BOX_END, REF, REF_END)
"""Tokens of ours that belong to an answer: decoding with `skip_special_tokens` keeps them."""

SPECIAL_TOKENS = (
    END_OF_TEXT,
    TURN_START,
    TURN_END,
    THINK,
    THINK_END,
    *MARKS,
    IMAGE_TOKEN,
    BOX,
    BOX_END,
    REF,
    REF_END,
    VIDEO_TOKEN,
    *(f"<|reserved_{number}|>" for number in range(1, 16)),
)
"""Of the tokenizer in this package, in the order of their ids, from 0. Padding is END_OF_TEXT."""
