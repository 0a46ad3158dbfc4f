"""Evaluation: corpora in, what a reader makes of their pages out, in figures with intervals.

    cases = open_cases(config, processor, ["corpus"])
    answers = answered(ModelReader(model, processor), cases, config)
    summarised(answers, config).to_dict()

In reading order: `config`; `plan` (which pages, and the plans of what is done to them), `case` (a
page with what is asked of it), `question` (prompts, and what a reader is); readers: `own` (our
model), `foreign` (any other of transformers), `engine` (OCR); `answer`, `summary`. Around them:
`folder` (checkpoints on disk), `table` (figures on a terminal), `read` (pages of files as text).
"""

from __future__ import annotations

from .answer import Answered, answered
from .case import Case, Region, open_cases
from .config import EvalConfig
from .own import ModelReader
from .question import Question, Reader, Reply
from .summary import Summary, summarised, write_evaluation

__all__ = [
    "Answered",
    "Case",
    "EvalConfig",
    "ModelReader",
    "Question",
    "Reader",
    "Region",
    "Reply",
    "Summary",
    "answered",
    "open_cases",
    "summarised",
    "write_evaluation",
]
