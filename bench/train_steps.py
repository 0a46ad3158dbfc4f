"""Single steps of the trainer, timed: whole ones, bare ones, and what is inside of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pagemill.train.trainer as trainer_module
import torch
from pagemill.train.micro_batch import micro_batches
from pagemill.train.optimizer import gradient_norm, set_lr
from pagemill.train.ranks import Ranks
from pagemill.train.recipe import Recipe
from pagemill.train.step import exchange_totals, optimizer_step
from pagemill.train.stream.collate import Batch
from pagemill.train.trainer import Trainer


def prepared_trainer(
    recipe: Recipe, folder: Path, device: torch.device, count: int
) -> tuple[Trainer, list[Batch]]:
    """A trainer that is ready to learn, and so many batches in memory."""
    trainer = Trainer(recipe, folder, Ranks(device=device))
    trainer.prepare()
    trainer.log.start(0, trainer.parameters, resumed=False)
    stream = trainer.stream.batches(pin_memory=device.type == "cuda")
    return trainer, [next(stream) for _ in range(count)]


@contextmanager
def optimizer_seconds() -> Iterator[list[float]]:
    """Seconds that a trainer spends in `optimizer_step`: forward, backward, norm and update."""
    seconds: list[float] = []

    def timed(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return optimizer_step(*given, **named)
        finally:
            seconds.append(time.perf_counter() - began)

    trainer_module.optimizer_step = timed
    try:
        yield seconds
    finally:
        trainer_module.optimizer_step = optimizer_step


def whole_step(trainer: Trainer, batch: Batch) -> float:
    """Seconds of a step as a run takes it."""
    began = now(trainer)
    trainer.train_step(batch, began, 0.0)
    return now(trainer) - began


def bare_step(trainer: Trainer, batch: Batch) -> float:
    """Seconds of forward, backward, cutting and the optimizer's step, with nothing around them."""
    backend: Any = trainer.backend
    recipe = trainer.recipe
    parts = list(micro_batches(batch, recipe.parallel.micro_packs, trainer.config.image_token_id))
    totals, _ = exchange_totals(parts, recipe.parallel.chunk_tokens, 1)
    set_lr(backend.optimizer, recipe.optim.lr * 1e-3)
    began = now(trainer)
    for part, chunks in zip(parts, totals.chunks, strict=True):
        backend.packed_loss(part.to(backend.device), totals.weight, chunks).loss.backward()
        backend.collect_gradients()
    norm = gradient_norm([one.grad for one in backend.masters if one.grad is not None])
    torch.nn.utils.clip_grads_with_norm_(backend.masters, recipe.optim.clip, norm)
    backend.optimizer.step()
    backend.copy_masters()
    backend.optimizer.zero_grad(set_to_none=True)
    return now(trainer) - began


def now(trainer: Trainer) -> float:
    """The time, once the device has done what it was given."""
    if trainer.ranks.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
