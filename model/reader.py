"""Our model as a reader: batches with left padding, each picture encoded once.

Prompts are written by the code that writes those of training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from PIL import Image
from torch import Tensor

from .features import ImageFeatures
from .image_processing import sizes_array
from .prompt.writer import PromptWriter
from .question import Picture, Question, Reply


class ModelReader:
    """A Pagemill model; greedy, so that the same model gives the same answers.

    Args:
        model: on the device that it computes on; its mode is left as it was.
        processor: that it learns or learned with.
        name: under which it is listed.
    """

    kind = "model"
    answers_blind = True

    def __init__(self, model: Any, processor: Any, name: str = "pagemill") -> None:
        self.name = name
        self.model = model
        self.processor = processor
        self.writer = PromptWriter(processor)
        self.end_id = self.writer.turn_end[0]
        pad_id = processor.tokenizer.pad_token_id
        self.pad_id = self.end_id if pad_id is None else pad_id
        self._features: WeakKeyDictionary[Picture, ImageFeatures] = WeakKeyDictionary()

    def answer(self, questions: Sequence[Question]) -> list[Reply]:
        """The answers, in the order of the questions; each is the same in any batch."""
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad(), memory_error(len(questions)):
                rows = self.generate(questions)
        finally:
            self.model.train(was_training)
        return [self.parse(row, question) for row, question in zip(rows, questions, strict=True)]

    def generate(self, questions: Sequence[Question]) -> list[list[int]]:
        """Token ids of the answers, without the prompt."""
        prompts = [self.prompt(question) for question in questions]
        length = max(map(len, prompts))
        ids = [[self.pad_id] * (length - len(prompt)) + prompt for prompt in prompts]
        mask = [[0] * (length - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        device = self.model.device
        features = [self.features(question.picture) for question in questions]
        out: Tensor = self.model.generate(
            input_ids=torch.tensor(ids, device=device),
            attention_mask=torch.tensor(mask, device=device),
            image_features=ImageFeatures(
                torch.cat([picture.tokens for picture in features]),
                tuple(length for picture in features for length in picture.lengths),
                tuple(length for picture in features for length in picture.full_lengths),
            ),
            max_new_tokens=max(question.limit_tokens for question in questions),
            do_sample=False,
            num_beams=1,
            eos_token_id=self.end_id,
            pad_token_id=self.pad_id,
        )
        rows: list[list[int]] = out[:, length:].tolist()
        return rows

    def prompt(self, question: Question) -> list[int]:
        """Token ids of a question, as those of training."""
        height, width = question.picture.pixels.shape[:2]
        return self.writer.question(
            "restore" if question.boxes else "read",
            self.processor.image_processor.plan(width, height),
            question.phrasing,
            (token for text in question.box_texts for token in self.writer.box(text)),
        )

    def features(self, picture: Picture) -> ImageFeatures:
        """What the language model reads of a picture; kept as long as the picture is."""
        if picture not in self._features:
            images = self.processor.image_processor
            image = Image.fromarray(picture.pixels)
            plan = images.plan(*image.size)
            patches = images.patches([image], [plan], do_normalize=False)
            self._features[picture] = self.model.encode_images(
                torch.from_numpy(patches).to(self.model.device),
                torch.from_numpy(sizes_array(plan.tgt_sizes)),
            )
        return self._features[picture]

    def parse(self, ids: list[int], question: Question) -> Reply:
        """The answer in token ids as texts, a line for each box."""
        ids = ids[: question.limit_tokens]
        ended = self.end_id in ids
        text = self.decode(ids[: ids.index(self.end_id)] if ended else ids)
        if not question.boxes:
            return Reply((text,), (not ended,))
        count = len(question.boxes)
        lines = text.split("\n", count - 1)
        texts = tuple(" ".join(line.split()) for line in lines) + ("",) * (count - len(lines))
        return Reply(texts, tuple(not ended and n >= len(lines) - 1 for n in range(count)))

    def decode(self, ids: list[int]) -> str:
        """Text of token ids."""
        text: str = self.processor.tokenizer.decode(ids, skip_special_tokens=True)
        return text


@contextmanager
def memory_error(prompts: int) -> Iterator[None]:
    """A GPU without room as what it is: no fault of the prompts.

    Raises:
        MemoryError: torch ran out of memory.
    """
    try:
        yield
    except torch.OutOfMemoryError as err:
        raise MemoryError(
            f"there is no room for {prompts} prompts at once; read fewer in a batch. {err}"
        ) from err
