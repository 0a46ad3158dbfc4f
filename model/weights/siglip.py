"""A SigLIP tower and a causal language model put together; the connector between them is new.

The tower is a `SiglipModel`, `SiglipVisionModel`, `Siglip2Model` or `Siglip2VisionModel` of
transformers, whole or without its text half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken
from torch import Tensor
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)

from ...engine.errors import CheckpointError
from ..config import PagemillConfig
from ..modeling import PagemillForConditionalGeneration
from ..prompt.token import IMAGE_TOKEN, MARKS, VIDEO_TOKEN
from .conversion import (
    CONFIG,
    GENERATION,
    NO_PROCESSOR,
    PREPROCESSOR,
    TOKENIZER,
    TOWER_FIELDS,
    Change,
    Conversion,
    Move,
    afresh,
    configured,
    copied,
    pixel_scale,
    save_processor,
    shapes,
    skeleton,
    tied_twins,
)
from .store import Store, read_json

NAME = "siglip+qwen3"
OUR_TOKENS = (*MARKS, IMAGE_TOKEN, VIDEO_TOKEN)
ROUND_ROWS = 64
"""A vocabulary that must grow grows to a multiple of this."""
NEW_ROW_STD = 0.1
"""Deviation of a new embedding from the mean of the old ones, in units of `initializer_range`."""

TOWERS = ("siglip_vision_model", "siglip2_vision_model")
UNUSED = ("text_model.", "logit_scale", "logit_bias", "head.", "embeddings.position_ids")
"""Beginnings of names that only comparing texts with pictures needs."""
FREQUENCIES = "rotary_emb.inv_freq"
"""End of the names of fixed tables in old language models."""
PATCH = "embeddings.patch_embedding.weight"

Settings = Mapping[str, Any]


def importing(source: Sequence[Path], *, seed: int, changes: Settings) -> Conversion:
    """From a tower and a language model to a whole model.

    Args:
        source: the folder of the tower, and that of the language model.
        seed: of connector, router and new embeddings.
        changes: fields of `PagemillConfig` to set otherwise.

    Raises:
        CheckpointError: a folder is of another kind, or incomplete.
    """
    if len(source) != 2:
        raise CheckpointError(
            f"the layout {NAME} is two folders, tower and language model; {len(source)} were given"
        )
    tower, language = (Store(folder) for folder in source)
    path = tower.folder / PREPROCESSOR
    settings = read_json(path) if path.is_file() else {}
    tokenizer, added = tokenizer_of(language.folder)
    text = loaded_config(language.folder)
    if type(text) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise CheckpointError(
            f"{language.folder / CONFIG} is of model_type {text.model_type!r}, "
            "which is no causal language model"
        )
    rows = text.vocab_size
    if tokenizer is not None and len(tokenizer) > rows:
        text.vocab_size = -(-len(tokenizer) // ROUND_ROWS) * ROUND_ROWS
    config = our_config(tower.folder, text, settings, tokenizer, changes)
    model = skeleton(config)
    ignored = tied_twins(model, language, "", "language_model.")
    ignored += [name for name in language.headers if name.endswith(FREQUENCIES)]
    unused = [name for name in tower.headers if tower_name(name) is None]
    grow = grown_tensors(model, rows, seed)
    moves = tower_moves(tower, config)
    moves += [
        Move(language, name, f"language_model.{name}", grow.get(f"language_model.{name}"))
        for name in language.headers
        if name not in ignored
    ]
    return Conversion(
        layout=NAME,
        source=tuple(source),
        expected=shapes(model),
        moves=moves,
        ignored=[*unused, *ignored],
        new=afresh(model, ["connector", "router"], seed, config.dtype or torch.float32),
        notes=notes(tokenizer, added, rows, config),
        write_files=partial(write_ours, language.folder, config, tokenizer, settings),
    )


def loaded_config(folder: Path) -> PreTrainedConfig:
    """The configuration in a folder.

    Raises:
        CheckpointError: it is missing, or of no model that transformers knows.
    """
    read_json(folder / CONFIG)
    config: PreTrainedConfig = configured(
        folder, lambda: AutoConfig.from_pretrained(folder, trust_remote_code=False)
    )
    return config


def tower_config(folder: Path) -> dict[str, Any]:
    """The fields of our tower.

    Raises:
        CheckpointError: the folder holds another kind of model, or one with a table of positions
            that is not square.
    """
    whole = loaded_config(folder)
    theirs = getattr(whole, "vision_config", whole)
    if theirs.model_type not in TOWERS:
        raise CheckpointError(
            f"{folder / CONFIG} is of model_type {whole.model_type!r}; a tower is "
            "siglip, siglip_vision_model, siglip2 or siglip2_vision_model"
        )
    ours = {name: getattr(theirs, name) for name in TOWER_FIELDS}
    patches = getattr(theirs, "num_patches", None)
    side = theirs.image_size // theirs.patch_size if patches is None else round(patches**0.5)
    if patches is not None and side * side != patches:
        raise CheckpointError(f"{folder / CONFIG} has num_patches {patches}, which is no square")
    return {**ours, "position": "interpolate", "position_side": side}


def our_config(
    tower: Path,
    text: PreTrainedConfig,
    settings: Settings,
    tokenizer: PreTrainedTokenizerBase | None,
    changes: Settings,
) -> PagemillConfig:
    """The configuration of the whole model.

    Args:
        tower: folder of the tower.
        text: of the language model.
        settings: of the tower's image processor.
        tokenizer: knows the image token.
        changes: fields to set otherwise.
    """
    if tokenizer is None:
        image_token_id = text.vocab_size - 1
    else:
        image_token_id = int(tokenizer.convert_tokens_to_ids(IMAGE_TOKEN))
    values = {
        "text_config": text.to_dict(),
        "vision_config": {**tower_config(tower), **pixel_scale(settings)},
        "image_token_id": image_token_id,
        "dtype": text.dtype,
        "architectures": ["PagemillForConditionalGeneration"],
    }
    return PagemillConfig(**{**values, **changes})


def tokenizer_of(folder: Path) -> tuple[PreTrainedTokenizerBase | None, list[str]]:
    """The language model's tokenizer with our tokens, and which of them it did not know."""
    if not (folder / TOKENIZER).is_file():
        return None, []
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        folder, trust_remote_code=False
    )
    vocabulary = tokenizer.get_vocab()
    added = [token for token in OUR_TOKENS if token not in vocabulary]
    tokenizer.add_tokens(
        [AddedToken(token, special=True, normalized=False) for token in added],
        special_tokens=True,
    )
    return tokenizer, added


def tower_name(name: str) -> str | None:
    """Name of a tensor within the tower; None where the tower does without it."""
    bare = name.removeprefix("vision_model.")
    return None if bare.startswith(UNUSED) else bare


def tower_moves(tower: Store, config: PagemillConfig) -> list[Move]:
    """The tensors of the tower on their way."""
    moves = []
    for source in tower.headers:
        name = tower_name(source)
        if name is None:
            continue
        change: Change | None = None
        if name == PATCH and len(tower.headers[source].shape) == 2:
            vision = config.vision_config
            change = partial(channels_first, channels=vision.num_channels, patch=vision.patch_size)
        moves.append(Move(tower, source, f"vision.{name}", change))
    return moves


def channels_first(weight: Tensor, *, channels: int, patch: int) -> Tensor:
    """SigLIP 2's patch embedding, [D, row · column · channel], as [D, channel, row, column]."""
    return weight.view(-1, patch, patch, channels).permute(0, 3, 1, 2)


def grown_tensors(
    model: PagemillForConditionalGeneration, rows: int, seed: int
) -> dict[str, Change]:
    """What is done to the tensors with a row for each token, by our names; {} if they have room.

    Args:
        model: a skeleton with the vocabulary that is needed.
        rows: entries of the vocabulary so far.
        seed: of the new rows.
    """
    text = model.config.text_config
    if text.vocab_size == rows:
        return {}
    tables = [model.get_input_embeddings().weight, model.get_output_embeddings().weight]
    change = partial(
        grown, extra=text.vocab_size - rows, std=NEW_ROW_STD * text.initializer_range, seed=seed
    )
    return {
        name: change
        for name, parameter in model.named_parameters()
        if any(parameter is table for table in tables)
    }


def grown(table: Tensor, *, extra: int, std: float, seed: int) -> Tensor:
    """A table with `extra` rows more, each near the mean of the rows that were there."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(extra, table.shape[1], generator=generator) * std
    rows = table.mean(0, dtype=torch.float32) + noise.to(table.device)
    return torch.cat([table, rows.to(table.dtype)])


def notes(
    tokenizer: PreTrainedTokenizerBase | None, added: list[str], rows: int, config: PagemillConfig
) -> list[str]:
    """What the report should say besides."""
    if tokenizer is None:
        return [NO_PROCESSOR.format(config.image_token_id)]
    lines = [f"added to the tokenizer: {' '.join(added)}"] if added else []
    now = config.text_config.vocab_size
    if now != rows:
        lines.append(f"the vocabulary grew from {rows} to {now} rows; the new ones are untrained")
    return lines


def write_ours(
    language: Path,
    config: PagemillConfig,
    tokenizer: PreTrainedTokenizerBase | None,
    settings: Settings,
    folder: Path,
) -> None:
    """Write configuration, tokenizer and processor."""
    copied(language, folder, [GENERATION])
    config.save_pretrained(folder)
    if tokenizer is not None:
        save_processor(folder, config, tokenizer, image_token=IMAGE_TOKEN, settings=settings)
