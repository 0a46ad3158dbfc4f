"""Whether a step is taken: losses and gradients that are not finite, or explode, are left out.

The decision follows from numbers that are the same on every rank, so that all skip alike.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..engine.errors import TrainingError

if TYPE_CHECKING:
    from .recipe.config import GuardConfig


@dataclass(slots=True)
class Guard:
    """The last norms and losses, and how many steps in a row were skipped."""

    config: GuardConfig
    clip: float = 0.0
    """Norm to which gradients are cut: what is not far above it does no harm."""
    norms: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    skipped: int = 0

    def fault(self, loss: float, norm: float) -> str:
        """What is wrong with a step, in words; empty where nothing is.

        Args:
            loss: of the step, over all ranks.
            norm: of its gradients, before they are cut.
        """
        if not math.isfinite(loss):
            return f"the loss is {loss}"
        if not math.isfinite(norm):
            return f"the norm of the gradients is {norm}"
        if len(self.norms) < self.config.least:
            return ""
        median_norm = statistics.median(self.norms)
        if self.config.spike and norm > self.config.spike * max(median_norm, self.clip):
            return f"the norm of the gradients is {norm:.4g}, usual is {median_norm:.4g}"
        median_loss = statistics.median(self.losses)
        if self.config.jump and loss > median_loss + self.config.jump:
            return f"the loss is {loss:.4g}, usual is {median_loss:.4g}"
        return ""

    def record(
        self, fault: str, loss: float, norm: float, step: int, samples: Sequence[str]
    ) -> None:
        """Count a step.

        Raises:
            TrainingError: too many were skipped in a row.
        """
        if not fault:
            self.skipped = 0
            self.norms = [*self.norms, norm][-self.config.window :]
            self.losses = [*self.losses, loss][-self.config.window :]
            return
        self.skipped += 1
        if self.skipped >= self.config.most_skips:
            sample_text = f" Its samples: {', '.join(samples)}." if samples else ""
            raise TrainingError(
                f"{self.skipped} steps in a row were skipped, the last at step {step}: {fault}."
                f"{sample_text} Lower optim.lr, look at these samples, or raise guard.most_skips"
            )

    def state_dict(self) -> dict[str, Any]:
        """As a checkpoint keeps it."""
        return {"norms": self.norms, "losses": self.losses, "skipped": self.skipped}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.norms = [float(norm) for norm in state["norms"]]
        self.losses = [float(loss) for loss in state["losses"]]
        self.skipped = int(state["skipped"])
