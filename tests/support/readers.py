"""Readers that are no model, and what evaluations of the small corpora ask."""

from __future__ import annotations

import dataclasses

from pagemill.model.question import Reply
from pagemill.train.evaluate import EvalConfig
from pagemill.train.evaluate.question import case_questions

LEVELS = {"clean", "light", "moderate", "heavy"}
CONFIG = EvalConfig(pages=8, regions=8, batch=4, most_new_tokens=64, shown=6)
FEW = dataclasses.replace(CONFIG, pages=2, regions=4, most_new_tokens=24)


class KnowingReader:
    """Reads what stands there in the cases it knows, and nothing in any other."""

    kind = "fake"
    answers_blind = True

    def __init__(self, cases=(), config=CONFIG, name="knowing") -> None:
        self.name = name
        self.texts = {}
        self.batches = []
        for case in cases:
            for asked in case_questions(case, config, blind=False):
                targets = tuple(case.regions[number].target for number in asked.region_numbers)
                self.texts[self.identity(asked.prompt)] = targets or (case.text,)

    def identity(self, question):
        """The same for two questions with the same answer."""
        return question.picture.pixels.tobytes(), question.box_texts

    def answer(self, questions):
        self.batches.append(len(questions))
        replies = []
        for question in questions:
            count = len(question.boxes) or 1
            texts = self.texts.get(self.identity(question), ("",) * count)
            replies.append(Reply(texts, (False,) * count))
        return replies


class GuessingReader(KnowingReader):
    """Answers by the place of a box, and never looks at the picture."""

    def answer(self, questions):
        return [
            Reply(
                tuple(f"box {text}" for text in question.box_texts) or ("page",),
                (True,) * (len(question.boxes) or 1),
            )
            for question in questions
        ]
