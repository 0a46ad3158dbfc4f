"""Any image-text-to-text model of transformers as a reader.

It does not know our boxes: each region is a prompt of its own, with a red frame drawn around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

from ...engine.errors import ConfigError
from ...engine.geometry import Box
from ...model.question import Question, Reply
from ...model.reader import memory_error

READ = "Read this page. Write out all of its text in reading order, and nothing else."
RESTORE = (
    "A red frame is drawn on this page. Write the text inside the frame, in one line and nothing "
    "else. Where it is damaged or hidden, write what stood there."
)
FRAME, FRAME_GAP = (255, 0, 0), 3
"""Colour, and distance from the box in px."""


class TransformersReader:
    """A model by its folder or its name on the hub; greedy.

    Args:
        name: folder or name.

    Raises:
        ConfigError: there is none, or it is not of that kind.
    """

    kind = "transformers"
    answers_blind = True

    def __init__(self, name: str) -> None:
        self.name = name.rstrip("/").rpartition("/")[2]
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = "auto" if device == "cuda" else torch.float32
        if name.startswith((".", "/", "~")) and not Path(name).is_dir():
            raise ConfigError(f"--model: there is no folder {name}")
        try:
            AutoConfig.from_pretrained(name)  # of all files the one that every model has
            self.processor: Any = AutoProcessor.from_pretrained(name)
            model = AutoModelForImageTextToText.from_pretrained(name, dtype=dtype)
        except (OSError, ValueError, KeyError) as err:
            raise ConfigError(
                f"--model: {name} is no image-text-to-text model that transformers reads: {err}"
            ) from err
        self.model: Any = model.eval().to(device)
        self.processor.tokenizer.padding_side = "left"

    def answer(self, questions: Sequence[Question]) -> list[Reply]:
        """The answers, in the order of the questions."""
        prompts = [(question, box) for question in questions for box in question.boxes or (None,)]
        most_tokens = max(question.most_tokens for question in questions)
        answers: list[tuple[str, bool]] = []
        for start in range(0, len(prompts), len(questions)):
            answers += self.generate(prompts[start : start + len(questions)], most_tokens)
        remaining = iter(answers)
        replies = []
        for question in questions:
            pairs = [next(remaining) for _ in question.boxes or (None,)]
            texts, truncated = zip(*pairs, strict=True)
            replies.append(Reply(texts, truncated))
        return replies

    def generate(
        self, prompts: Sequence[tuple[Question, Box | None]], most_tokens: int
    ) -> list[tuple[str, bool]]:
        """(text, whether it was cut off) of each prompt."""
        inputs = self.processor.apply_chat_template(
            [self.messages(question, box) for question, box in prompts],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True},
        ).to(self.model.device)
        with torch.no_grad(), memory_error(len(prompts)):
            out = self.model.generate(**inputs, max_new_tokens=most_tokens, do_sample=False)
        rows = out[:, inputs["input_ids"].shape[1] :]
        ends = self.end_ids()
        texts = self.processor.tokenizer.batch_decode(rows, skip_special_tokens=True)
        return [
            (text.strip(), ends.isdisjoint(row.tolist()))
            for text, row in zip(texts, rows, strict=True)
        ]

    def end_ids(self) -> set[int]:
        """Tokens that end an answer."""
        configured = self.model.generation_config.eos_token_id
        ids = set(configured if isinstance(configured, (list, tuple)) else [configured])
        return (ids | {self.processor.tokenizer.eos_token_id}) - {None}

    def messages(self, question: Question, box: Box | None) -> list[dict[str, Any]]:
        """A prompt as chat templates take it."""
        pixels = question.picture.pixels if box is None else red_frame(question.picture.pixels, box)
        parts = [
            {"type": "image", "image": Image.fromarray(pixels).convert("RGB")},
            {"type": "text", "text": READ if box is None else RESTORE},
        ]
        return [{"role": "user", "content": parts}]


def red_frame(image: np.ndarray, box: Box) -> np.ndarray:
    """The image in colour with a thin red frame around a box, uint8 [height, width, 3]."""
    grey = image.ndim == 2
    drawn = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)) if grey else image.copy()
    x0, y0, x1, y1 = (int(value) for value in box)
    cv2.rectangle(
        drawn,
        (x0 - FRAME_GAP, y0 - FRAME_GAP),
        (x1 + FRAME_GAP, y1 + FRAME_GAP),
        FRAME,
        1,
    )
    return drawn
