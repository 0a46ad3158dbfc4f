"""What a training step and a checkpoint need of whatever holds weights, gradients and moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import Tensor

from ...engine.errors import CheckpointError
from ..loss import MicroResult
from ..micro_batch import MicroBatch, StepTotals

MOMENTS = ("exp_avg", "exp_avg_sq")
KINDS = ("weight", *MOMENTS)
"""What is kept of every parameter that learns, float32 each."""
AllowUpdate = Callable[[float], bool]
"""Says, from the norm of the gradients, whether a step is taken."""


class Backend(Protocol):
    """Weights, gradients and moments, wherever they lie."""

    model: Any
    device: torch.device
    rank: int
    ranks: int

    def backward(
        self, micro_batch: MicroBatch, totals: StepTotals, index: int, is_last: bool
    ) -> MicroResult:
        """Forward and backward of one micro-batch."""
        ...

    def update(self, lr: float, allow: AllowUpdate) -> float:
        """Take the step if it is allowed, forget the gradients; the norm before cutting."""
        ...

    def pieces(self) -> Iterator[tuple[str, str, Tensor]]:
        """(name, kind, float32 tensor) of all that a checkpoint needs; every rank must iterate."""
        ...

    def restore(self, pieces: Mapping[tuple[str, str], Tensor], updates: int) -> None:
        """Put pieces back, and the number of updates that they have seen.

        Raises:
            CheckpointError: they are of another model.
        """
        ...

    def weights(self) -> dict[str, Tensor]:
        """The model's whole state as it computes; every rank must ask, rank 0 gets it."""
        ...

    def evaluation_model(self) -> AbstractContextManager[tuple[Any, int, int]]:
        """(model or None, number of this reader, readers in all); every rank must enter."""
        ...


def copy_piece(
    target: Tensor, pieces: Mapping[tuple[str, str], Tensor], name: str, kind: str
) -> None:
    """Copy a piece of a checkpoint into its place.

    Raises:
        CheckpointError: there is none, or it has another shape.
    """
    piece = pieces.get((name, kind))
    if piece is None:
        raise CheckpointError(f"the checkpoint has no {kind} of {name}: it is of another model")
    if piece.shape != target.shape:
        raise CheckpointError(
            f"{name} is {list(piece.shape)} in the checkpoint and {list(target.shape)} in the model"
        )
    target.copy_(piece)
