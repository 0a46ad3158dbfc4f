"""The learning rate over the steps, as a share of its highest: a pure function of the step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .recipe.recipe import LrScheduleConfig


def lr_factor(step: int, steps: int, pace: LrScheduleConfig) -> float:
    """The share at a step.

    Args:
        step: 0 for the first.
        steps: of the run.
        pace: warm-up, shape and end.
    """
    warmup = pace.warmup * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if pace.kind == "constant":
        return 1.0
    if pace.kind == "cosine":
        part = (step + 1 - warmup) / max(1.0, steps - warmup)
        return pace.final + (1 - pace.final) * (1 + math.cos(math.pi * min(1.0, part))) / 2
    falling = pace.decay * steps
    part = (step + 1 - (steps - falling)) / max(1.0, falling)
    return 1 - (1 - pace.final) * min(1.0, max(0.0, part))
