"""A page becomes a sample: what is asked, which picture, what is to be answered.

Two tasks, one objective: `read` asks for the whole text of a page some of whose regions are
corrupted, `restore` for the regions in given boxes. The length of a sample is decided before the
page is read (`LengthPlanner.sample_tokens`), and the sample is built to fit it
(`SampleBuilder.build`).

Boxes are written as numbers from 0 to 999, shares of the page's width and height, so that they
mean the same in every slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ...corruption import CorruptionPlan, Schedule, corrupt, plan_page
from ...engine.errors import ConfigError
from ...engine.key import keyed_hash
from ...engine.page import Page
from ...model.image_processing import sizes_array
from ...model.prompt.box import box_text
from ...model.prompt.task import PHRASINGS, READ, RESTORE
from ...model.prompt.writer import Conversation, PromptWriter
from ...model.slicing import SlicePlan
from .box import UNKNOWN, BoxTarget, box_candidates, draw_frames, line_levels
from .order import random_bits
from .token_count import text_pieces

IGNORED = -100
"""Label of a token that is not learned."""
NO_LEVEL = -1
LEAST_TO_RESTORE = 64
"""Tokens of text below which a page is read as a whole."""
LEAST_BOX = 20
"""Tokens that a box and a short word take at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleConfig:
    """What is asked of pages."""

    read_share: float = 0.5
    """Share of pages that are read as a whole; of the others boxes are asked for."""
    most_answer_tokens: int = 1024
    """A longer text is cut off there, and then no end is learned."""
    weighting: str = "square"
    """Of losses: `token` alike, `sample` alike, or `square`, one over the root of the answer."""
    marker: bool = False
    """Whether boxes that are asked for are also drawn on the page, as thin frames."""
    plan_epochs: int = 0
    """Epochs after which corruption begins again with the same plans and boxes; 0 never does."""

    def __post_init__(self) -> None:
        if not 0 <= self.read_share <= 1:
            raise ConfigError(f"sample.read_share is {self.read_share}; it goes from 0 to 1")
        if self.most_answer_tokens < LEAST_TO_RESTORE:
            raise ConfigError(
                f"sample.most_answer_tokens is {self.most_answer_tokens}; "
                f"at least {LEAST_TO_RESTORE} are needed"
            )
        if self.weighting not in ("token", "sample", "square"):
            raise ConfigError(
                f"sample.weighting is {self.weighting!r}; there are: token, sample, square"
            )
        if self.plan_epochs < 0:
            raise ConfigError(f"sample.plan_epochs is {self.plan_epochs}; it is 0 or more")

    def plan_epoch(self, epoch: int) -> int:
        """The epoch by which a page is corrupted in an epoch."""
        return epoch % self.plan_epochs if self.plan_epochs else epoch


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSample:
    """A sample, ready to be packed."""

    input_ids: np.ndarray
    """int64 [tokens]."""
    labels: np.ndarray
    """int64 [tokens], shifted by the model; -100 where nothing is learned."""
    levels: np.ndarray
    """int8 [tokens]: level of an answer's text, 0 clean to 3 heavy; -1 elsewhere."""
    weights: np.ndarray
    """float32 [tokens]."""
    pixel_values: np.ndarray
    """[slices, patches, 3 · p · p]."""
    tgt_sizes: np.ndarray
    """int64 [slices, 2]."""
    key: str
    task: str
    plan: CorruptionPlan | None


class LengthPlanner:
    """Lengths of samples, from sizes and token counts alone.

    Args:
        processor: of the model.
        config: what is asked.
        seed: of the stream.
    """

    def __init__(self, processor: Any, config: SampleConfig, seed: int) -> None:
        self.processor = processor
        self.config = config
        self.seed = seed
        self.writer = PromptWriter(processor)

    def pictures(self, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(tokens, slices) of pages of these sizes, int64 [samples] each."""
        kinds, which = np.unique(sizes, axis=0, return_inverse=True)
        processor = self.processor
        tokens = [processor.image_tokens(int(wide), int(high)) for wide, high in kinds]
        slices = [
            len(processor.image_processor.plan(int(wide), int(high)).tgt_sizes)
            for wide, high in kinds
        ]
        where = which.reshape(-1)
        return np.array(tokens)[where], np.array(slices)[where]

    def draw_tasks(
        self, source: str, epoch: int, text_tokens: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """(whether a page is read as a whole, number of its phrasing), by name."""
        bits = random_bits(keyed_hash("sample.task", self.seed, source, epoch), len(text_tokens))
        read = (bits >> np.uint64(40)) < np.uint64(int(self.config.read_share * 2**24))
        read |= text_tokens < LEAST_TO_RESTORE
        phrases = np.where(read, len(READ), len(RESTORE)).astype(np.uint64)
        return read, ((bits & np.uint64(0xFFFFFF)) % phrases).astype(np.int64)

    def answer_room(self, text_tokens: np.ndarray, read: np.ndarray) -> np.ndarray:
        """Tokens that boxes and answer may take together, the end of the turn included."""
        most = self.config.most_answer_tokens
        whole = np.where(text_tokens < most, text_tokens + 1, most)
        some = np.minimum(text_tokens // 2 + LEAST_TO_RESTORE // 2, most // 2)
        return np.where(read, whole, some)

    def sample_tokens(
        self, picture_tokens: np.ndarray, read: np.ndarray, phrase: np.ndarray, room: np.ndarray
    ) -> np.ndarray:
        """Tokens of samples in all, int64 [samples]; the arguments are as the others give them."""
        tokens = {task: np.array(self.writer.question_tokens(task)) for task in PHRASINGS}
        question = np.where(
            read,
            tokens["read"][np.minimum(phrase, len(READ) - 1)],
            tokens["restore"][np.minimum(phrase, len(RESTORE) - 1)],
        )
        total: np.ndarray = picture_tokens + question + room
        return total


class SampleBuilder:
    """Makes samples of pages.

    Args:
        planner: decides lengths, and what is asked.
        schedule: of the corruption.
        do_normalize: whether patches are floats; bytes are a quarter of them.
    """

    def __init__(self, planner: LengthPlanner, schedule: Schedule, *, do_normalize: bool) -> None:
        self.planner = planner
        self.schedule = schedule
        self.do_normalize = do_normalize
        self.processor = planner.processor
        self.writer = planner.writer

    def build(
        self,
        page: Page,
        image: np.ndarray,
        *,
        read: bool,
        phrase: int,
        room: int,
        epoch: int,
        position: int,
    ) -> TrainingSample:
        """The sample of a page.

        Args:
            page: with its words.
            image: its clean pixels.
            read: whether the whole text is asked for.
            phrase: which phrasing.
            room: tokens that boxes and answer may take together.
            epoch: of the corruption, and of which boxes are asked for.
            position: of the corruption schedule.
        """
        seed = self.planner.seed
        plan = plan_page(page, seed=seed, epoch=epoch, schedule=self.schedule, position=position)
        pixels = corrupt(image, plan, key=page.key)
        task = "read" if read else "restore"
        boxes: list[int] = []
        if read:
            answer, levels = self.page_answer(page, plan, room)
        else:
            chosen = self.choose_boxes(page, plan, room)
            boxes, answer, levels = self.box_answer(chosen)
            if self.planner.config.marker:
                pixels = draw_frames(pixels, [target.box for target in chosen])
        picture = Image.fromarray(pixels)
        cut = self.processor.image_processor.plan(*picture.size)
        question = self.writer.question(task, cut, phrase, boxes)
        learned = [False] * len(question) + [level != NO_LEVEL for level in levels]
        return self.assemble(
            page.key, task, plan, [*question, *answer], learned,
            [*([NO_LEVEL] * len(question)), *levels], [picture], [cut],
        )  # fmt: skip

    def build_conversation(self, key: str, messages: Conversation) -> TrainingSample:
        """The sample of a conversation: what the assistant says is learned.

        Args:
            key: of the record.
            messages: role and parts; a part is a text, or a picture in a tuple.

        Raises:
            DataError: a picture cannot be used.
        """
        images = self.processor.image_processor
        pictures = [
            images.picture(part[0])
            for _, parts in messages
            for part in parts
            if not isinstance(part, str)
        ]
        cuts = [images.plan(*picture.size) for picture in pictures]
        ids, learned = self.writer.conversation(messages, cuts)
        return self.assemble(
            key, "record", None, ids, learned, [NO_LEVEL] * len(ids), pictures, cuts
        )

    def measure(self, messages: Conversation) -> tuple[int, int]:
        """(tokens, slices) of a conversation, from the sizes of its pictures."""
        images = self.processor.image_processor
        cuts = [
            images.plan(*images.size_of(part[0]))
            for _, parts in messages
            for part in parts
            if not isinstance(part, str)
        ]
        ids, _ = self.writer.conversation(messages, cuts)
        return len(ids), sum(len(cut.tgt_sizes) for cut in cuts)

    def assemble(
        self,
        key: str,
        task: str,
        plan: CorruptionPlan | None,
        ids: list[int],
        learned: list[bool],
        levels: list[int],
        pictures: list[Image.Image],
        cuts: list[SlicePlan],
    ) -> TrainingSample:
        """Everything as arrays."""
        input_ids = np.array(ids, dtype=np.int64)
        mask = np.array(learned, dtype=bool)
        count = max(1, int(mask.sum()))
        weight = {"token": 1.0, "sample": 1 / count, "square": count**-0.5}
        value = np.float32(weight[self.planner.config.weighting])
        return TrainingSample(
            input_ids=input_ids,
            labels=np.where(mask, input_ids, IGNORED),
            levels=np.array(levels, dtype=np.int8),
            weights=np.where(mask, value, np.float32(0)),
            pixel_values=self.processor.image_processor.patches(
                pictures, cuts, do_normalize=self.do_normalize
            ),
            tgt_sizes=sizes_array([size for cut in cuts for size in cut.tgt_sizes]),
            key=key,
            task=task,
            plan=plan,
        )

    def page_answer(
        self, page: Page, plan: CorruptionPlan, room: int
    ) -> tuple[list[int], list[int]]:
        """The text of the page, and the level of each token; none where it cannot be known."""
        ids: list[int] = []
        levels: list[int] = []
        levels_of_lines, pieces = line_levels(page, plan), text_pieces(page)
        for number, encoded in enumerate(self.writer.text_tokenizer.encode_batch(pieces)):
            ids += encoded.ids
            of_line = levels_of_lines.get(number // 2) if number % 2 == 0 else None
            if UNKNOWN in pieces[number]:
                levels += [NO_LEVEL] * len(encoded.ids)
            elif of_line is None:
                levels += [0] * len(encoded.ids)
            else:
                levels += [
                    int(of_line[start:stop].max()) if stop > start else 0
                    for start, stop in encoded.offsets
                ]
        if len(ids) < room:
            return ids + self.writer.turn_end, [*levels, 0]
        return ids[:room], levels[:room]

    def choose_boxes(self, page: Page, plan: CorruptionPlan, room: int) -> list[BoxTarget]:
        """Boxes that fit, in reading order: corrupted regions first, then clean lines.

        Where none does, the first with its text cut off.
        """
        left = room - len(self.writer.turn_end)
        targets: list[BoxTarget] = []
        spare: BoxTarget | None = None
        for first_word, box, text, level in box_candidates(page, plan, self.planner.seed):
            box_ids = self.writer.box(box_text(box, page.width, page.height))
            text_ids = self.writer.text_ids(text)
            if text_ids and spare is None:
                cut = text_ids[: max(1, left - len(box_ids))]
                spare = BoxTarget(first_word, box, box_ids, cut, level, True)
            need = len(box_ids) + len(text_ids) + bool(targets)
            if text_ids and need <= left:
                targets.append(BoxTarget(first_word, box, box_ids, text_ids, level))
                left -= need
            if left < LEAST_BOX:
                break
        if not targets and spare is not None:
            return [spare]
        return sorted(targets, key=lambda target: target.first_word)

    def box_answer(self, chosen: Sequence[BoxTarget]) -> tuple[list[int], list[int], list[int]]:
        """Boxes for the prompt, the answer with a line for each, and its levels."""
        boxes: list[int] = []
        answer: list[int] = []
        levels: list[int] = []
        for target in chosen:
            boxes += target.box_ids
            if answer:
                answer.append(self.writer.line_break)
                levels.append(0)
            answer += target.text_ids
            levels += [target.level] * len(target.text_ids)
        if any(target.cut for target in chosen):
            return boxes, answer, levels
        return boxes, answer + self.writer.turn_end, [*levels, 0]
