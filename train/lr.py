"""The learning rate over the steps, as a factor of its highest: a pure function of the step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .recipe.config import LrScheduleConfig


def lr_factor(step: int, steps: int, schedule: LrScheduleConfig) -> float:
    """The factor at a step.

    Args:
        step: 0 for the first.
        steps: of the run.
        schedule: warm-up, shape and end.
    """
    warmup = schedule.warmup * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if schedule.kind == "constant":
        return 1.0
    if schedule.kind == "cosine":
        progress = (step + 1 - warmup) / max(1.0, steps - warmup)
        cosine = (1 + math.cos(math.pi * min(1.0, progress))) / 2
        return schedule.final + (1 - schedule.final) * cosine
    decay = schedule.decay * steps
    progress = (step + 1 - (steps - decay)) / max(1.0, decay)
    return 1 - (1 - schedule.final) * min(1.0, max(0.0, progress))
