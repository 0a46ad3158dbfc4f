"""Evaluation: corpora in, what a reader makes of their pages out, in figures with intervals.

    cases = open_cases(config, processor, ["corpus"])
    answers = answer_cases(ModelReader(model, processor), cases, config)
    summarize(answers, config).to_dict()

In reading order: `config`; `plan` (which pages, and the plans of what is done to them), `case` (a
page with what is asked of it), `question` (prompts, and what a reader is); readers: `own` (our
model), `foreign` (any other of transformers), `engine` (OCR); `answer`, `summary`. Around them:
`folder` (checkpoints on disk), `table` (figures on a terminal), `read` (pages of files as text).
"""

from __future__ import annotations

from .answer import Answer, answer_cases
from .case import AskedRegion, Case, open_cases
from .config import EvalConfig
from .question import Question, Reader, Reply
from .reader import ModelReader
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
