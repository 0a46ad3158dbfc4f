"""Prompts as token ids: what training, evaluation and reading ask is written here, by one class.

    writer = PromptWriter(processor)
    ids = writer.question("read", plan, phrasing=0)

They are what the processor makes of the same conversation by its chat template, but text that
stands on a page or in a box is never mistaken for a special token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from ...engine.errors import ConfigError, DataError
from ..slicing import SlicePlan
from .task import PHRASINGS
from .token import (
    BOX,
    BOX_END,
    IMAGE,
    IMAGE_END,
    IMAGE_ID,
    IMAGE_ID_END,
    MARKS,
    SLICE,
    SLICE_END,
    THINK,
    THINK_END,
    TURN_END,
    TURN_START,
)
from .tokenizer import without_special_tokens

Conversation = Sequence[tuple[str, Sequence[Any]]]
"""(role, parts) of every message; a part is a text, or a picture in a tuple."""

ROLES = ("system", "user", "assistant")
NO_THOUGHTS = f"{THINK}\n\n{THINK_END}\n\n"
"""Before every answer in the short mode."""


class PromptWriter:
    """Writes prompts for a model; needs neither a trainer nor a corruption schedule.

    Args:
        processor: of the model.

    Raises:
        ConfigError: its tokenizer cuts a mark of pictures or boxes into pieces.
    """

    def __init__(self, processor: Any) -> None:
        self.processor = processor
        self.text_tokenizer = without_special_tokens(processor.tokenizer.backend_tokenizer)
        encode = partial(processor.tokenizer.encode, add_special_tokens=False)
        self.openings = {
            role: encode(f"{TURN_START}{role}\n{NO_THOUGHTS * (role == 'assistant')}")
            for role in ROLES
        }
        """Of a message, by its role."""
        self.turn_end: list[int] = encode(TURN_END)
        self.answer_opening = [*self.turn_end, *encode("\n"), *self.openings["assistant"]]
        """Ends the question and begins the answer."""
        self.phrasings = {
            task: [self.text_ids(f"\n{phrase}") for phrase in phrases]
            for task, phrases in PHRASINGS.items()
        }
        self.marks = {mark: self.token_id(mark) for mark in MARKS}
        self.line_break = self.token_id("\n")
        self.box_marks = self.token_id(BOX), self.token_id(BOX_END)

    def token_id(self, token: str) -> int:
        """The id of a text that is one token.

        Raises:
            ConfigError: it is several.
        """
        ids = self.processor.tokenizer.encode(token, add_special_tokens=False)
        if len(ids) != 1:
            raise ConfigError(f"the tokenizer cuts {token!r} into {len(ids)} tokens; one is needed")
        return int(ids[0])

    def text_ids(self, text: str) -> list[int]:
        """Ids of text in which nothing is a special token."""
        ids: list[int] = self.text_tokenizer.encode(text).ids
        return ids

    def question(
        self, task: str, plan: SlicePlan, phrasing: int, boxes: Iterable[int] = ()
    ) -> list[int]:
        """What is asked of one picture, up to where the answer begins.

        Args:
            task: `read` or `restore`.
            plan: how the picture is cut.
            phrasing: number of one of the task's phrasings.
            boxes: ids of the boxes that are asked for, as `box` gives them one after the other.
        """
        return [
            *self.openings["user"],
            *self.picture(plan, 0),
            *self.phrasings[task][phrasing],
            *boxes,
            *self.answer_opening,
        ]

    def question_tokens(self, task: str) -> list[int]:
        """Tokens of a question in each phrasing of the task, without its picture and boxes."""
        fixed = len(self.openings["user"]) + len(self.answer_opening)
        return [fixed + len(ids) for ids in self.phrasings[task]]

    def box(self, text: str) -> list[int]:
        """Ids of a box that is asked for, on a line of its own.

        Args:
            text: in thousandths of the page, as `box_text` writes it.
        """
        start, end = self.box_marks
        return [self.line_break, start, *self.text_ids(text), end]

    def picture(self, plan: SlicePlan, image_id: int) -> list[int]:
        """The room of a picture in its prompt; what the processor writes, in numbers."""
        marks, processor = self.marks, self.processor
        tokens = [processor.tokens_of([size], 1) for size in plan.tgt_sizes]
        visual = processor.image_token_id
        ids: list[int] = []
        if processor.use_image_id:
            number = self.text_ids(str(image_id))
            ids += [marks[IMAGE_ID], *number, marks[IMAGE_ID_END]]
        ids += [marks[IMAGE], *[visual] * tokens[0], marks[IMAGE_END]]
        for place, count in enumerate(tokens[1:]):
            if place and place % plan.cols == 0:
                ids.append(self.line_break)
            ids += [marks[SLICE], *[visual] * count, marks[SLICE_END]]
        return ids

    def conversation(
        self, messages: Conversation, plans: Sequence[SlicePlan]
    ) -> tuple[list[int], list[bool]]:
        """Ids of a conversation as the chat template writes it, and which of them are answers.

        Args:
            messages: role and parts.
            plans: how its pictures are cut, in their order.

        Raises:
            DataError: an unknown role.
        """
        ids: list[int] = []
        answers: list[bool] = []
        numbered = iter(enumerate(plans))
        for role, parts in messages:
            opening = self.openings.get(role)
            if opening is None:
                raise DataError(f"a message is from system, user or assistant, not {role!r}")
            content: list[int] = []
            text = ""
            for place, part in enumerate(parts):
                text += "\n" if place else ""
                if isinstance(part, str):
                    text += part
                else:
                    number, plan = next(numbered)
                    content += [*self.text_ids(text), *self.picture(plan, number)]
                    text = ""
            content += self.text_ids(text)
            is_answer = role == "assistant"
            ids += [*opening, *content, *self.turn_end, self.line_break]
            answers += [False] * len(opening) + [is_answer] * (len(content) + 1) + [False]
        return ids, answers
