"""A backend with batches in memory, and steps of it one by one."""

from __future__ import annotations

from typing import Any

from pagemill.train.backend.protocol import Backend
from pagemill.train.backend.torch import TorchBackend
from pagemill.train.initial import initial_model
from pagemill.train.micro_batch import MicroBatch, micro_batches
from pagemill.train.setup import open_stream, trainable_model
from pagemill.train.step import StepResult, exchange_totals, optimizer_step
from support.trained import Job
from torch import Tensor, device


def backend_with_batches(corpus: str) -> tuple[TorchBackend, list[list[MicroBatch]]]:
    """A backend that has taken no step, and the micro-batches of three steps."""
    recipe = Job(corpus=corpus, out="").recipe()
    model, processor = initial_model(recipe)
    backend = TorchBackend(trainable_model(model, recipe, device("cpu")), recipe)
    batches = open_stream(recipe, processor).batches()
    return backend, [list(micro_batches(next(batches), 1)) for _ in range(3)]


def take_step(
    backend: Backend,
    parts: list[MicroBatch],
    fault: str = "",
    lr: float = 1e-3,
    seen: list[tuple[float, float]] | None = None,
) -> StepResult:
    """One step; with a fault, one that is left out."""
    totals, _ = exchange_totals(parts, 2048, 1)

    def fault_of(loss: float, norm: float) -> str:
        if seen is not None:
            seen.append((loss, norm))
        return fault

    return optimizer_step(backend, parts, totals, lr=lr, fault_of=fault_of)


def copied_pieces(backend: Any) -> dict[tuple[str, str], Tensor]:
    """Copies of all weights and moments."""
    return {(name, kind): tensor.clone() for name, kind, tensor in backend.pieces()}
