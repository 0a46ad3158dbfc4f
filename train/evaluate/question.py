"""What a reader is asked and what it answers; whatever the reader, the questions are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from ...engine.geometry import Box
from ..stream.box import draw_frames
from .case import CORRUPTED, Case
from .config import EvalConfig

SLACK, SLACK_TOKENS = 2, 32
"""An answer may have so many times the tokens of its target, and so many more."""
WHITE_SIZES = 8
"""White pages that are kept, by size."""
SEEN, BLIND = "seen", "blind"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Picture:
    """A page as it is shown; the same object wherever the same picture is meant."""

    pixels: np.ndarray
    """uint8 [height, width] or [height, width, 3]."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One prompt."""

    picture: Picture
    phrase: int
    """Which phrasing of `model/prompt/task.py`."""
    limit: int
    """Tokens that the answer may have."""
    most: int
    """Tokens that any answer may have, for readers with other tokens."""
    boxes: tuple[Box, ...] = ()
    """px; empty where the whole page is asked for."""
    where: tuple[str, ...] = ()
    """The boxes in thousandths of the page, as prompts write them."""
    lines: tuple[tuple[Box, ...], ...] = ()
    """Of each box, boxes around its lines."""


class Reply(NamedTuple):
    """The answer to a question."""

    texts: tuple[str, ...]
    """One for each box, or that of the page."""
    cut: tuple[bool, ...]
    """Which of them ran into the limit, or were not come to before it."""


class Reader(Protocol):
    """Whatever reads pages."""

    name: str
    kind: str
    """`model`, `transformers` or `ocr`."""
    guesses: bool
    """Whether it answers without seeing anything: only then is it asked blind."""

    def answer(self, questions: Sequence[Question]) -> list[Reply]:
        """The answers to a batch of questions, in their order."""
        ...


class Posed(NamedTuple):
    """A question, and what of its case it is about."""

    question: Question
    case: Case
    way: str
    """`seen` or `blind` for regions; how the page is drawn for whole pages."""
    members: tuple[int, ...] = ()
    """Numbers of the regions."""


def count(case: Case, config: EvalConfig, *, guesses: bool) -> int:
    """How many questions there are about a case."""
    ways = 2 if guesses and config.blind else 1
    return len(case.groups) * ways + len(ways_of(case))


def ways_of(case: Case) -> list[str]:
    """How the page is drawn where it is read as a whole."""
    return list(case.plans) if case.text else []


def posed(case: Case, config: EvalConfig, *, guesses: bool) -> Iterator[Posed]:
    """All questions about a case.

    Raises:
        DataError: its page cannot be read.
    """
    image = case.pixels()
    pictures = {name: Picture(case.drawn(image, name)) for name in case.plans}
    ways = [(SEEN, pictures[CORRUPTED])]
    if guesses and config.blind:
        ways.append((BLIND, white(case.width, case.height)))
    for group in case.groups:
        regions = [case.regions[number] for number in group]
        boxes = tuple(one.box for one in regions)
        limit = limit_of(sum(one.tokens + 1 for one in regions), config)
        for way, picture in ways:
            shown = Picture(draw_frames(picture.pixels, boxes)) if config.marker else picture
            question = Question(
                picture=shown,
                phrase=case.phrases[1],
                limit=limit,
                most=config.most_new_tokens,
                boxes=boxes,
                where=tuple(one.where for one in regions),
                lines=tuple(one.lines for one in regions),
            )
            yield Posed(question, case, way, group)
    limit = limit_of(case.text_tokens, config)
    for name in ways_of(case):
        question = Question(pictures[name], case.phrases[0], limit, config.most_new_tokens)
        yield Posed(question, case, name)


def limit_of(tokens: int, config: EvalConfig) -> int:
    """Tokens that an answer to a target of so many tokens may have."""
    return min(config.most_new_tokens, SLACK * tokens + SLACK_TOKENS)


@lru_cache(maxsize=WHITE_SIZES)
def white(width: int, height: int) -> Picture:
    """A page without anything on it."""
    return Picture(np.full((height, width), 255, np.uint8))
