"""Evaluation: corpora in, what a reader makes of their pages out, in figures with intervals.

    cases = open_cases(config, processor, ["corpus"])
    answers = answer_cases(ModelReader(model, processor), cases, config)
    summarize(answers, config).to_dict()

In reading order: `config`; `plan` (which pages, and the plans of what is done to them), `region`
(what is asked for of a page), `case` (a page with all that is asked of it), `question` (the prompts
about it); `answer` (what a reader makes of them), `summary` (figures, and the file that keeps
them). Readers: our model is `model.reader.ModelReader`; `transformers` (any other model), `ocr`.
"""

from __future__ import annotations

from ...model.question import Question, Reader, Reply
from ...model.reader import ModelReader
from .answer import Answer, answer_cases
from .case import Case, open_cases
from .config import EvalConfig
from .region import AskedRegion
from .summary import EvalSummary, summarize, write_evaluation

__all__ = [
    "Answer",
    "AskedRegion",
    "Case",
    "EvalConfig",
    "EvalSummary",
    "ModelReader",
    "Question",
    "Reader",
    "Reply",
    "answer_cases",
    "open_cases",
    "summarize",
    "write_evaluation",
]
