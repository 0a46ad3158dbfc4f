"""How far a run is, and how it ended."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .log.throughput import Throughput
from .micro_batch import LEVELS
from .step import StepResult


@dataclass(slots=True)
class RunState:
    """How far a run is: what its checkpoints keep beside tensors, stream and guard."""

    step: int = 0
    applied: int = 0
    """Steps that were taken; the others were skipped."""
    loss: float = math.nan
    """Of the last step that was taken."""
    tokens: float = 0.0
    pages: float = 0.0
    level_sums: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0] for _ in LEVELS])
    """(sum of losses, tokens) of each level since the last adaptation."""
    summary: dict[str, Any] = field(default_factory=dict)
    """Of the last evaluation."""

    def add_step(self, result: StepResult, throughput: Throughput) -> None:
        """Count a step, taken or skipped."""
        self.step += 1
        self.tokens += throughput.tokens
        self.pages += throughput.pages
        if result.fault:
            return
        self.applied += 1
        self.loss = result.loss
        level_sums = result.group_sums[: len(LEVELS)].tolist()
        for sums, (loss, _, tokens) in zip(self.level_sums, level_sums, strict=True):
            sums[0] += loss
            sums[1] += tokens

    def take_level_losses(self) -> dict[str, float]:
        """Mean loss of each level that had tokens since this was last called."""
        losses = {
            level: loss / tokens
            for level, (loss, tokens) in zip(LEVELS, self.level_sums, strict=True)
            if tokens
        }
        self.level_sums = [[0.0, 0.0] for _ in LEVELS]
        return losses

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it; copies, since it is written while the next steps count on."""
        state = {name: copy.deepcopy(getattr(self, name)) for name in self.__slots__}
        return {**state, "loss": self.loss if math.isfinite(self.loss) else None}

    @staticmethod
    def from_dict(state: dict[str, Any]) -> RunState:
        """What `to_dict` gave."""
        loss = math.nan if state["loss"] is None else state["loss"]
        return RunState(**{**state, "loss": loss})


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended."""

    step: int
    reason: str
    """`done`, or `stopped` by a signal or by the time."""
    loss: float
    tokens: float
    """Learned from since the first step, without what packs are filled up with."""
    checkpoint: Path | None
    summary: dict[str, Any]
    """Of the last evaluation."""
