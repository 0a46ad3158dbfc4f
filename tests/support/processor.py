"""A processor with a tokenizer of made-up syllables, and pictures to feed it."""

from __future__ import annotations

import numpy as np
from pagemill.model import (
    PagemillProcessor,
    Video,
)
from PIL import Image

IMAGE, VIDEO = "<|image_pad|>", "<|video_pad|>"

SOUNDS = [f"{start}{end}" for start in "bcdfghklmnprstvw" for end in ("a", "eo", "in", "ul")]

TEXTS = [
    f"The {first}{second} of {second}{first}s wrote {number} pages, what is it?"
    for number, first in enumerate(SOUNDS)
    for second in SOUNDS
]


def grey(value: int, width: int = 56, height: int = 56) -> Image.Image:
    return Image.new("L", (width, height), value)


def celled(cols: int, rows: int, first: int, step: int = 10) -> Image.Image:
    """A picture whose every cell has its own grey; cut into exactly these cells."""
    values = first + step * np.arange(cols * rows).reshape(rows, cols)
    return Image.fromarray(np.kron(values, np.ones((56, 56))).astype(np.uint8))


def greys(out) -> list[int]:
    """The grey in the middle of every slice, in the order of the pixels."""
    return [
        int(np.median(rows[: height * width]))
        for rows, (height, width) in zip(
            np.asarray(out["pixel_values"]), np.asarray(out["tgt_sizes"]), strict=True
        )
    ]


def room(out, processor: PagemillProcessor) -> int:
    """Image tokens in the prompts."""
    return sum(list(ids).count(processor.image_token_id) for ids in out["input_ids"])


def mixed() -> tuple[list, list]:
    """Three pictures and two videos, of grey 10, 20, 30 and 100 …, 200 …."""
    clips = [
        Video([grey(100), grey(101), grey(102)], [0, 0.5, 1], 2),
        Video([grey(200), grey(201)], [3, 4], 1),
    ]
    return [grey(10), grey(20), grey(30)], clips


def question(*parts) -> dict:
    """A turn of the user: text, pictures and `Video`s."""
    content = [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "video", "video": part}
        if isinstance(part, Video)
        else {"type": "image", "image": part}
        for part in parts
    ]
    return {"role": "user", "content": content}


def answer(content: str, **more) -> dict:
    return {"role": "assistant", "content": content, **more}


def talk(processor, *messages, **settings):
    return processor.apply_chat_template(
        list(messages), tokenize=True, return_dict=True, **settings
    )


CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    question(celled(2, 2, 10), "What is it?"),
    answer("A page of 12 words."),
    question("And this?", grey(9), grey(8)),
    answer("An empty one.", reasoning_content="It is grey.\nSo it is empty."),
]
