"""A training run on a terminal: how far it is, and what a stage came to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .meter import Meter

if TYPE_CHECKING:
    from ...train.log.run_log import StepProgress
    from ...train.state import RunResult


class TrainingMeter:
    """Called after every step; a context manager that wipes what it drew."""

    def __init__(self) -> None:
        self.counting = Meter("count", unit="pages")
        """While the corpora are counted, before the first step."""
        self._steps = Meter("train", unit="steps")

    def __call__(self, step: StepProgress) -> None:
        text = step.note or f"loss {step.loss:.3f}  {step.tokens_per_s:,.0f} tokens/s"
        self._steps.note = f"{step.label}: {text}" if step.label else text
        self._steps(step.step, step.steps)

    def __enter__(self) -> TrainingMeter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.counting.close()
        self._steps.close()


def result_lines(result: RunResult) -> Iterator[str]:
    """What a stage came to: why it ended, its loss, error rates by level, its checkpoint."""
    yield f"{result.reason} at step {result.step}: loss {result.loss:.4f}"
    for name, metrics in result.summary.get("levels", {}).items():
        if (cer := metrics.get("cer")) is not None:
            yield (
                f"  {name:9} CER {cer['value']:.1%}  ({cer['low']:.1%} to {cer['high']:.1%}, "
                f"{cer['n']} regions)"
            )
    if result.checkpoint is not None:
        yield f"checkpoint: {result.checkpoint}"
