"""Figures of an evaluation, and the file that keeps them with samples to look at."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from ...engine.failure import Failure
from ...engine.files import write_atomic
from ...engine.score import METRICS
from ...engine.score.interval import Estimate, estimate
from ...model.question import Reader
from .answer import PAGE, REGION, Answer
from .case import CLEAN, CORRUPTED, CORRUPTIONS
from .config import EvalConfig
from .region import LEVEL_NAMES

PAGE_METRICS = ("cer", "wer")
REGION_METRICS = ("cer", "wer", "exact", "jaccard")
BLIND_METRICS = ("exact", "jaccard")
PAGE_NAMES = (CLEAN, CORRUPTED, *map(str, CORRUPTIONS))

Figures = dict[str, dict[str, Estimate]]


@dataclass(frozen=True, slots=True)
class EvalSummary:
    """An evaluation in figures."""

    cases: int
    """Regions and whole pages that were asked for."""
    pages: Figures
    """How the page was drawn, then the metric; what was not asked is missing."""
    levels: Figures
    """Level of regions, then the metric."""
    truncated: int
    """Answers that the limit of tokens cut off."""
    seconds: float
    """That readers took, those of all ranks together."""
    reader: dict[str, str]
    """`name` and `kind`."""
    documents: int = 0
    """That intervals were resampled from."""
    failures: tuple[Failure, ...] = ()
    """Pages that went wrong; no figure knows of them."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "cases": self.cases,
            "pages": figures_to_dict(self.pages),
            "levels": figures_to_dict(self.levels),
            "truncated": self.truncated,
            "failed": len(self.failures),
            "seconds": round(self.seconds, 3),
            "reader": self.reader,
        }


def figures_to_dict(figures: Figures) -> dict[str, Any]:
    """Estimates as JSON carries them."""
    return {
        part: {name: figure.to_dict() for name, figure in by_metric.items()}
        for part, by_metric in figures.items()
    }


def summarize(
    answers: Sequence[Answer],
    config: EvalConfig,
    failures: Sequence[Failure] = (),
    *,
    reader: Reader | None = None,
) -> EvalSummary:
    """The figures of one reader's answers, in whatever order they come.

    Args:
        answers: of all ranks.
        config: whose seed the resampling has.
        failures: pages that could not be opened or answered, of all ranks.
        reader: whose answers they are; that of the first answer when left out.
    """
    answers = sorted(answers, key=lambda row: (row.key, row.task, row.level, row.box, row.target))
    pages: Figures = {}
    levels: Figures = {}
    for name in PAGE_NAMES:
        rows = [row for row in answers if row.task == PAGE and row.level == name]
        if rows:
            pages[name] = estimates(rows, PAGE_METRICS, config.seed)
    for name in LEVEL_NAMES:
        rows = [row for row in answers if row.task == REGION and row.level == name]
        if rows:
            levels[name] = estimates(rows, REGION_METRICS, config.seed)
            guesses = [row for row in rows if row.blind is not None]
            if guesses:
                blind = estimates(guesses, BLIND_METRICS, config.seed, blind=True)
                levels[name] |= {f"blind_{metric}": figure for metric, figure in blind.items()}
    name, kind = (answers[0].reader, answers[0].reader_kind) if answers else ("", "")
    if reader is not None:
        name, kind = reader.name, reader.kind
    return EvalSummary(
        cases=len(answers),
        pages=pages,
        levels=levels,
        truncated=sum(row.truncated for row in answers),
        seconds=sum(row.seconds for row in answers),
        reader={"name": name, "kind": kind},
        documents=len({row.document for row in answers}),
        failures=tuple(failures),
    )


def estimates(
    answers: Sequence[Answer], metrics: Sequence[str], seed: int, *, blind: bool = False
) -> dict[str, Estimate]:
    """Metrics of answers by name."""
    documents = [row.document for row in answers]
    pairs = [((row.blind or "") if blind else row.read, row.target) for row in answers]
    return {
        name: estimate([METRICS[name](*pair) for pair in pairs], documents, seed=seed)
        for name in metrics
    }


def evaluation(summary: EvalSummary, answers: Sequence[Answer], step: int | None) -> dict[str, Any]:
    """An evaluation as JSON carries it: step, summary, failures, and the regions that are kept."""
    return {
        "step": step,
        "summary": summary.to_dict(),
        "failures": [asdict(failure) for failure in summary.failures],
        "samples": [sample(answer) for answer in answers if answer.shown],
    }


def sample(answer: Answer) -> dict[str, Any]:
    """One region, with its own figures and its picture."""
    return {
        "key": answer.key,
        "box": list(answer.box),
        "level": answer.level,
        "kind": answer.kind,
        "target": answer.target,
        "read": answer.read,
        "blind": answer.blind,
        "cer": METRICS["cer"](answer.read, answer.target).value,
        "exact": bool(METRICS["exact"](answer.read, answer.target).value),
        "crop": base64.b64encode(answer.crop).decode("ascii") if answer.crop else None,
    }


def write_evaluation(
    path: Path, summary: EvalSummary, answers: Sequence[Answer], step: int | None = None
) -> None:
    """Write an evaluation as JSON, whole or not at all.

    Args:
        path: of the file.
        summary: of these answers.
        answers: of which those that are `shown` are written.
        step: of the training run; None outside one.
    """
    write_json(path, evaluation(summary, answers, step))


def write_json(path: Path, tree: Any) -> None:
    """Write JSON, whole or not at all."""
    write_atomic(path, orjson.dumps(tree, option=orjson.OPT_INDENT_2) + b"\n")
