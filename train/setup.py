"""What a stage needs before its first step: model, backend, stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ..corruption import Schedule
from ..engine.errors import ConfigError
from ..engine.progress import Progress
from .backend.protocol import Backend
from .backend.torch import TorchBackend
from .ranks import Ranks
from .recipe import Recipe
from .stream.shard_cache import ShardCache
from .stream.stream import PageStream
from .trainable import freeze


def check_fits(recipe: Recipe, ranks: int) -> None:
    """Refuse what cannot be shared out.

    Raises:
        ConfigError: the packs of a step cannot be shared by ranks and micro-batches.
    """
    packs, micro = recipe.stream.pack.global_packs, recipe.parallel.micro_packs
    if packs % (ranks * micro):
        raise ConfigError(
            f"stream.pack.global_packs is {packs}; it must be a multiple of {ranks} ranks times "
            f"parallel.micro_packs, which is {micro}"
        )
    if recipe.parallel.attention.startswith("flash") and micro > 1:
        raise ConfigError("with flash attention parallel.micro_packs is 1")


def set_precision(recipe: Recipe, device: torch.device) -> None:
    """Threads of a CPU, and how float32 is multiplied on a GPU, for this process."""
    if recipe.parallel.threads and device.type == "cpu":
        torch.set_num_threads(recipe.parallel.threads)
    if device.type == "cuda" and recipe.parallel.dtype == "bfloat16":
        torch.set_float32_matmul_precision("high")  # what is left of float32 is rounded anyway


def trainable_model(model: Any, recipe: Recipe, device: torch.device) -> Any:
    """The model on its device, frozen where it does not learn, ready for packs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)  # new adapters are the same on all ranks
        model = freeze(model, recipe.trains, recipe.lora).to(device).train()
    model.language_model.set_attn_implementation(recipe.parallel.attention)
    if recipe.parallel.checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    if recipe.parallel.compile:
        for layer in model.get_decoder().layers:
            layer.compile()
    return model


def open_backend(model: Any, recipe: Recipe, ranks: Ranks) -> Backend:
    """What holds weights and gradients, as the recipe says."""
    if recipe.parallel.backend == "deepspeed":
        from .backend.deepspeed import DeepSpeedBackend

        return DeepSpeedBackend(model, recipe, rank=ranks.rank, ranks=ranks.ranks)
    return TorchBackend(model, recipe, rank=ranks.rank, ranks=ranks.ranks)


def open_stream(recipe: Recipe, processor: Any, on_count: Progress | None = None) -> PageStream:
    """The stream that a recipe learns from.

    Args:
        recipe: names corpora, and what is done to their pages.
        processor: of the model.
        on_count: called while pages' tokens are counted, the first time a corpus is used.

    Raises:
        ConfigError: it names no corpora.
    """
    data = recipe.data
    if not data.corpora:
        raise ConfigError("the recipe names no corpora: pass --data CORPUS, or set data.corpora")
    weights = data.weights or (1.0,) * len(data.corpora)
    return PageStream(
        dict(zip(data.corpora, weights, strict=True)),
        processor,
        seed=recipe.seed,
        schedule=Schedule(config=recipe.corruption),
        config=recipe.stream,
        split=data.split,
        names=data.names,
        pages=data.pages,
        cache=ShardCache(Path(data.cache), int(data.cache_gb * 1e9)) if data.cache else None,
        progress=on_count,
    )
