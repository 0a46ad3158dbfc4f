"""Our model as a reader: batches with left padding, each picture encoded once.

Prompts are written by the code that writes those of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from PIL import Image
from torch import Tensor

from ...corruption.schedule import DEFAULT
from ...model.image_processing import sizes_array
from ...model.modeling import ImageFeatures
from ..stream.sample import LengthPlanner, SampleBuilder, SampleConfig
from .question import Picture, Question, Reply


class ModelReader:
    """A Pagemill model; greedy, so that the same model gives the same answers.

    Args:
        model: on the device that it computes on; its mode is left as it was.
        processor: that it learns or learned with.
        name: under which it is listed.
    """

    kind = "model"
    guesses = True

    def __init__(self, model: Any, processor: Any, name: str = "pagemill") -> None:
        self.name = name
        self.model = model
        self.processor = processor
        self.profile = LengthPlanner(processor, SampleConfig(), 0)
        self.maker = SampleBuilder(self.profile, DEFAULT, do_normalize=False)
        pad = processor.tokenizer.pad_token_id
        self.end = self.profile.end[0]
        self.pad = self.end if pad is None else pad
        self.encoded: WeakKeyDictionary[Picture, ImageFeatures] = WeakKeyDictionary()

    def answer(self, questions: Sequence[Question]) -> list[Reply]:
        """The answers, in the order of the questions; each is the same in any batch."""
        was = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                rows = self.generated(questions)
        finally:
            self.model.train(was)
        return [self.reply(row, one) for row, one in zip(rows, questions, strict=True)]

    def generated(self, questions: Sequence[Question]) -> list[list[int]]:
        """Token ids of the answers, without the prompt."""
        prompts = [self.prompt(one) for one in questions]
        length = max(map(len, prompts))
        ids = [[self.pad] * (length - len(one)) + one for one in prompts]
        mask = [[0] * (length - len(one)) + [1] * len(one) for one in prompts]
        device = self.model.device
        features = [self.features(one.picture) for one in questions]
        out: Tensor = self.model.generate(
            input_ids=torch.tensor(ids, device=device),
            attention_mask=torch.tensor(mask, device=device),
            image_features=ImageFeatures(
                torch.cat([one.tokens for one in features]),
                tuple(n for one in features for n in one.lengths),
                tuple(n for one in features for n in one.full_lengths),
            ),
            max_new_tokens=max(one.limit for one in questions),
            do_sample=False,
            num_beams=1,
            eos_token_id=self.end,
            pad_token_id=self.pad,
        )
        rows: list[list[int]] = out[:, length:].tolist()
        return rows

    def prompt(self, question: Question) -> list[int]:
        """Token ids of a question, as `Maker.make` writes them."""
        height, width = question.picture.pixels.shape[:2]
        cut = self.processor.image_processor.plan(width, height)
        task = "restore" if question.boxes else "read"
        return [
            *self.profile.opening,
            *self.maker.picture_ids(cut, 0),
            *self.profile.asked[task][question.phrase],
            *(token for where in question.where for token in self.box(where)),
            *self.profile.turn,
        ]

    def box(self, where: str) -> list[int]:
        """Token ids of a box in thousandths of the page."""
        inside = self.maker.text.encode(where).ids
        return [self.maker.marks["line"], self.maker.box[0], *inside, self.maker.box[1]]

    def features(self, picture: Picture) -> ImageFeatures:
        """What the language model reads of a picture; kept as long as the picture is."""
        if picture not in self.encoded:
            images = self.processor.image_processor
            shown = Image.fromarray(picture.pixels)
            cut = images.plan(*shown.size)
            patches = images.patches([shown], [cut], do_normalize=False)
            self.encoded[picture] = self.model.encode_images(
                torch.from_numpy(patches).to(self.model.device),
                torch.from_numpy(sizes_array(cut.tgt_sizes)),
            )
        return self.encoded[picture]

    def reply(self, row: list[int], question: Question) -> Reply:
        """The answer in token ids as texts, a line for each box."""
        said = row[: question.limit]
        ended = self.end in said
        text = self.decoded(said[: said.index(self.end)] if ended else said)
        if not question.boxes:
            return Reply((text,), (not ended,))
        count = len(question.boxes)
        lines = text.split("\n", count - 1)
        texts = tuple(" ".join(one.split()) for one in lines) + ("",) * (count - len(lines))
        return Reply(texts, tuple(not ended and n >= len(lines) - 1 for n in range(count)))

    def decoded(self, ids: list[int]) -> str:
        """Text of token ids."""
        text: str = self.processor.tokenizer.decode(ids, skip_special_tokens=True)
        return text
