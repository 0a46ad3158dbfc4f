"""Evaluation between steps: held-out pages with every level on them, read by the live model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..corruption import Mixture, Schedule
from ..engine.failure import Failure, Failures
from .backend.protocol import Backend
from .evaluate import (
    Answer,
    EvalSummary,
    ModelReader,
    answer_cases,
    open_cases,
    summarize,
    write_evaluation,
)
from .evaluate.case import FAILURES_IN_A_ROW
from .ranks import Ranks, gather_lists
from .recipe import Recipe
from .stream.conversation import SUFFIXES

FOLDER = "evaluations"
"""In the folder of a run."""


class Validator:
    """What a run is evaluated on; no cases where it is not, or where there are no pages.

    A page that cannot be opened, or that goes wrong while it is read, is left out and counted.

    Args:
        recipe: of the run.
        processor: of the model.

    Raises:
        ConfigError: a corpus that is named for it is none, or plans do not fit.
        DataError: too many pages in a row cannot be opened.
    """

    def __init__(self, recipe: Recipe, processor: Any) -> None:
        self.config = recipe.eval
        self.processor = processor
        self.unopened = Failures(FAILURES_IN_A_ROW)
        self.cases = []
        if corpora := eval_corpora(recipe):
            every_level = replace(recipe.corruption, mixture=Mixture())
            self.cases = open_cases(
                self.config,
                processor,
                corpora,
                schedule=Schedule(config=every_level),
                failures=self.unopened,
            )

    def evaluate(self, backend: Backend, ranks: Ranks) -> tuple[EvalSummary, list[Answer]]:
        """Figures and answers of all cases; each rank reads its share, and all get them all.

        Raises:
            DataError: too many cases in a row went wrong.
        """
        answers: list[Answer] = []
        failures = Failures(FAILURES_IN_A_ROW)
        with backend.evaluation_model() as (model, reader_index, readers):
            if model is not None:
                reader = ModelReader(model, self.processor)
                cases = self.cases[reader_index::readers]
                answers = answer_cases(reader, cases, self.config, failures=failures)
        backend.model.train()
        answers = gather_lists(answers, ranks)
        failed: list[Failure] = gather_lists(failures.failures, ranks)
        return summarize(answers, self.config, [*self.unopened.failures, *failed]), answers


def eval_corpora(recipe: Recipe) -> tuple[str, ...]:
    """The corpora that a run is evaluated on; those it learns from where the recipe names none."""
    if not recipe.eval.every and not recipe.eval.at_end:
        return ()
    return recipe.eval.data or tuple(
        corpus for corpus in recipe.data.corpora if Path(corpus).suffix not in SUFFIXES
    )


def write_answers(
    folder: Path, summary: EvalSummary, answers: list[Answer], step: int, ranks: Ranks
) -> Path:
    """The file of an evaluation in the folder of a run, written on rank 0."""
    path = folder / FOLDER / f"step-{step:06d}.json"
    if ranks.first:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_evaluation(path, summary, answers, step=step)
    return path


def metric_value(summary: dict[str, Any], name: str) -> float | None:
    """A figure of a summary by its dotted name, a leading + apart; None where it is missing."""
    node: Any = summary
    for part in name.lstrip("+").split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return float(node["value"]) if isinstance(node, dict) else None
