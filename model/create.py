"""A new model on disk: random weights of a preset, and a processor that fits them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from ..engine.errors import ConfigError
from .config import PagemillConfig
from .image_processing import PagemillImageProcessor
from .modeling import PagemillForConditionalGeneration
from .preset import SHIPPED_VOCABULARY, preset
from .processing import PagemillProcessor
from .prompt.token import IMAGE_TOKEN, MARKS, VIDEO_TOKEN
from .vocabulary import shipped


def create(
    name: str,
    out: Path,
    *,
    tokenizer: Path | None = None,
    seed: int = 0,
    dtype: str = "float32",
    **changes: Any,
) -> PagemillForConditionalGeneration:
    """Write a model with random weights and its processor to a folder; the model.

    Args:
        name: a preset.
        out: an empty or new folder.
        tokenizer: folder of a tokenizer; None for the one in this package, which only the presets
            of its size can use.
        seed: of the weights; no other random number is touched.
        dtype: of the weights.
        **changes: fields of `PagemillConfig` to set otherwise.

    Raises:
        ConfigError: an unknown preset or type, a folder with files in it, or a tokenizer that does
            not fit.
    """
    config = preset(name, **changes)
    if out.exists() and any(out.iterdir()):
        raise ConfigError(f"{out} has files in it: name an empty or a new folder")
    kind = getattr(torch, dtype, None)
    if not isinstance(kind, torch.dtype) or not kind.is_floating_point:
        raise ConfigError(f"dtype is {dtype!r}; bfloat16, float16 and float32 are possible")
    words = load_tokenizer(name, config, tokenizer)
    processor = processor_for(config, words)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PagemillForConditionalGeneration._from_config(config, dtype=kind)
    model.save_pretrained(out)
    processor.save_pretrained(out)
    return model


def load_tokenizer(
    name: str, config: PagemillConfig, folder: Path | None
) -> PreTrainedTokenizerBase:
    """The tokenizer with all marks, and the configuration adapted to it.

    Raises:
        ConfigError: there is none, or it has more entries than the model.
    """
    vocabulary = config.text_config.vocab_size
    if folder is None and vocabulary != SHIPPED_VOCABULARY:
        raise ConfigError(
            f"the preset {name} has a vocabulary of {vocabulary:,}; the tokenizer in this package "
            f"has {SHIPPED_VOCABULARY:,}. Name the folder of its own one: --tokenizer FOLDER"
        )
    words = AutoTokenizer.from_pretrained(folder or shipped())
    marks = [*MARKS, IMAGE_TOKEN, VIDEO_TOKEN]
    entries = words.get_vocab()
    words.add_special_tokens(
        {"additional_special_tokens": [mark for mark in marks if mark not in entries]},
        replace_extra_special_tokens=False,
    )
    if len(words) > vocabulary:
        raise ConfigError(
            f"the tokenizer in {folder} has {len(words):,} entries with the marks of pictures, "
            f"the preset {name} has room for {vocabulary:,}"
        )
    config.image_token_id = words.convert_tokens_to_ids(IMAGE_TOKEN)
    config.text_config.eos_token_id = words.eos_token_id
    config.text_config.pad_token_id = words.pad_token_id
    return words


def processor_for(
    config: PagemillConfig, tokenizer: PreTrainedTokenizerBase, **settings: Any
) -> PagemillProcessor:
    """A processor whose prompts leave the room that this model fills.

    Args:
        config: of the model.
        tokenizer: with every mark of pictures.
        **settings: of the image processor, such as `max_slice_nums`.
    """
    vision = config.vision_config
    images = PagemillImageProcessor(
        patch_size=vision.patch_size,
        image_mean=[vision.image_mean] * 3,
        image_std=[vision.image_std] * 3,
        **settings,
    )
    return PagemillProcessor(
        images,
        tokenizer,
        image_token=IMAGE_TOKEN,
        video_token=VIDEO_TOKEN,
        connector=config.connector,
        query_num=config.query_num,
    )
