"""What a reader is asked and what it answers; whatever the reader, the questions are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from .prompt.box import Box


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Picture:
    """A page as a reader sees it; the same object wherever the same picture is meant."""

    pixels: np.ndarray
    """uint8 [height, width] or [height, width, 3]."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Question:
    """One prompt."""

    picture: Picture
    phrasing: int = 0
    """Which phrasing of `prompt/task.py`."""
    limit_tokens: int
    """Tokens that the answer may have."""
    most_tokens: int
    """Tokens that any answer may have, for readers with other tokens."""
    boxes: tuple[Box, ...] = ()
    """px; empty where the whole page is asked for."""
    box_texts: tuple[str, ...] = ()
    """The boxes in thousandths of the page, as prompts write them."""
    line_boxes: tuple[tuple[Box, ...], ...] = ()
    """Of each box, boxes around its lines, for readers of single lines."""


class Reply(NamedTuple):
    """The answer to a question."""

    texts: tuple[str, ...]
    """One for each box, or that of the page."""
    truncated: tuple[bool, ...]
    """Which of them ran into the limit, or were not come to before it."""


class Reader(Protocol):
    """Whatever reads pages."""

    name: str
    kind: str
    """`model`, `transformers` or `ocr`."""
    answers_blind: bool
    """Whether it answers without seeing anything: only then is it asked with a white page."""

    def answer(self, questions: Sequence[Question]) -> list[Reply]:
        """The answers to a batch of questions, in their order."""
        ...
