"""Figures of an evaluation, and the file that keeps them with samples to look at."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ...engine.score import METRICS
from ...engine.score.interval import Estimate, estimate
from .answer import PAGE, REGION, Answer
from .case import CLEAN, CORRUPTED, CORRUPTIONS, LEVEL_NAMES
from .config import EvalConfig

PAGE_FIGURES = ("cer", "wer")
REGION_FIGURES = ("cer", "wer", "exact", "jaccard")
BLIND_FIGURES = ("exact", "jaccard")
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

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "cases": self.cases,
            "pages": plain(self.pages),
            "levels": plain(self.levels),
            "truncated": self.truncated,
            "seconds": round(self.seconds, 3),
            "reader": self.reader,
        }


def plain(figures: Figures) -> dict[str, Any]:
    """Estimates as JSON carries them."""
    return {
        part: {name: one.to_dict() for name, one in own.items()} for part, own in figures.items()
    }


def summarize(answers: Sequence[Answer], config: EvalConfig) -> EvalSummary:
    """The figures of one reader's answers, in whatever order they come.

    Args:
        answers: of all ranks.
        config: whose seed the resampling has.
    """
    order = sorted(answers, key=lambda one: (one.key, one.task, one.level, one.box, one.target))
    pages: Figures = {}
    levels: Figures = {}
    for name in PAGE_NAMES:
        own = [one for one in order if one.task == PAGE and one.level == name]
        if own:
            pages[name] = figures(own, PAGE_FIGURES, config.seed)
    for name in LEVEL_NAMES:
        own = [one for one in order if one.task == REGION and one.level == name]
        if own:
            levels[name] = figures(own, REGION_FIGURES, config.seed)
            guessed = [one for one in own if one.blind is not None]
            if guessed:
                blind = figures(guessed, BLIND_FIGURES, config.seed, blind=True)
                levels[name] |= {f"blind_{figure}": one for figure, one in blind.items()}
    first = order[0] if order else None
    return EvalSummary(
        cases=len(order),
        pages=pages,
        levels=levels,
        truncated=sum(one.truncated for one in order),
        seconds=sum(one.seconds for one in order),
        reader={
            "name": first.reader if first else "",
            "kind": first.reader_kind if first else "",
        },
        documents=len({one.document for one in order}),
    )


def figures(
    answers: Sequence[Answer], names: Sequence[str], seed: int, *, blind: bool = False
) -> dict[str, Estimate]:
    """Metrics of answers by name."""
    documents = [one.document for one in answers]
    found = {}
    for name in names:
        scores = [
            METRICS[name]((one.blind or "") if blind else one.read, one.target) for one in answers
        ]
        found[name] = estimate(scores, documents, seed=seed)
    return found


def evaluation(summary: EvalSummary, answers: Sequence[Answer], step: int | None) -> dict[str, Any]:
    """An evaluation as JSON carries it: step, summary, and the regions that are kept."""
    shown = [one for one in answers if one.shown]
    return {"step": step, "summary": summary.to_dict(), "samples": [sample(one) for one in shown]}


def sample(one: Answer) -> dict[str, Any]:
    """One region, with its own figures and its picture."""
    return {
        "key": one.key,
        "box": list(one.box),
        "level": one.level,
        "kind": one.kind,
        "target": one.target,
        "read": one.read,
        "blind": one.blind,
        "cer": METRICS["cer"](one.read, one.target).value,
        "exact": bool(METRICS["exact"](one.read, one.target).value),
        "crop": base64.b64encode(one.crop).decode("ascii") if one.crop else None,
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
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(orjson.dumps(tree, option=orjson.OPT_INDENT_2) + b"\n")
    part.replace(path)
