"""The released configuration of MiniCPM-V 4.5, to ours and back.

Source: the released config.json, preprocessor_config.json and tokenizer_config.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase, Qwen3Config

from ...engine.errors import CheckpointError
from ..config import PagemillConfig
from ..preset import preset
from .conversion import CONFIG, TOKENIZER, TOWER_FIELDS, pixel_scale
from .store import read_json

NAME = "minicpm-v-4.5"
MODEL_TYPE, VERSION = "minicpmv", 4.5
HUB = "openbmb/MiniCPM-V-4_5"
"""Where the code is that reads the released layout."""

IMAGE_TOKEN = "<unk>"

TEXT_FIELDS = (
    "attention_bias",
    "attention_dropout",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "head_dim",
    "hidden_act",
    "hidden_size",
    "initializer_range",
    "intermediate_size",
    "max_position_embeddings",
    "max_window_layers",
    "num_attention_heads",
    "num_hidden_layers",
    "num_key_value_heads",
    "rms_norm_eps",
    "sliding_window",
    "tie_word_embeddings",
    "use_cache",
    "use_sliding_window",
    "vocab_size",
)
"""Of the language model, at the top level of the released configuration."""

VISION_DEFAULTS = {
    "hidden_size": 1152,
    "image_size": 980,
    "intermediate_size": 4304,
    "num_attention_heads": 16,
    "num_hidden_layers": 27,
    "patch_size": 14,
}
"""What the released code takes where its configuration says nothing."""

Settings = Mapping[str, Any]


def check_version(folder: Path, theirs: Settings) -> None:
    """Refuse other models and other versions.

    Raises:
        CheckpointError: the configuration is of another one.
    """
    kind, version = theirs.get("model_type"), theirs.get("version", VERSION)
    if kind != MODEL_TYPE or str(version) != str(VERSION):
        raise CheckpointError(
            f"{folder / CONFIG} is of model_type {kind!r}, version {version}; "
            f"the layout {NAME} is {MODEL_TYPE!r}, version {VERSION}"
        )


def check_exportable(config: PagemillConfig) -> None:
    """Refuse what the released code could not read, or would read otherwise.

    Raises:
        CheckpointError: says which settings it cannot hold.
    """
    text, wide = config.text_config, config.text_config.hidden_size // 128
    faults = [
        f"{name} is {is_!r} and would have to be {must!r}"
        for name, is_, must in (
            ("connector", config.connector, "resampler3d"),
            ("vision_config.position", config.vision_config.position, "bucket"),
            ("text_config.model_type", text.model_type, "qwen3"),
            ("connector_heads", config.heads, wide),
        )
        if is_ != must
    ]
    if faults:
        raise CheckpointError(f"the layout {NAME} cannot hold this model: {'; '.join(faults)}")


def image_token(theirs: Settings, tokenizer: PreTrainedTokenizerBase) -> str:
    """What stands for one visual token: as released, or as our own export says."""
    named = theirs.get("image_token_id")
    return IMAGE_TOKEN if named is None else str(tokenizer.convert_ids_to_tokens(named))


def image_token_id(theirs: Settings, tokenizer: PreTrainedTokenizerBase | None) -> int:
    """Its id; without a tokenizer the released one, or the last that the vocabulary has.

    Raises:
        CheckpointError: the tokenizer has no such token, or one beyond the vocabulary.
    """
    released = preset(NAME)
    rows = theirs.get("vocab_size", released.text_config.vocab_size)
    if tokenizer is None:
        return int(theirs.get("image_token_id", min(released.image_token_id, rows - 1)))
    token = image_token(theirs, tokenizer)
    number = tokenizer.get_vocab().get(token, rows)
    if number >= rows:
        raise CheckpointError(
            f"{TOKENIZER} has no {token} among the {rows} tokens of the model: "
            "it belongs to another checkpoint"
        )
    return int(number)


def our_config(
    theirs: Settings,
    settings: Settings,
    tokenizer: PreTrainedTokenizerBase | None,
    changes: Settings,
) -> PagemillConfig:
    """Our configuration of a released one.

    Args:
        theirs: the released configuration.
        settings: of the released image processor.
        tokenizer: says the id of the image token.
        changes: fields to set otherwise.

    Raises:
        CheckpointError: a field has a value that cannot be.
    """
    vision = {**VISION_DEFAULTS, **theirs.get("vision_config", {})}
    ours = {name: vision[name] for name in TOWER_FIELDS if name in vision}
    ours["position"] = "bucket"
    ours["position_side"] = vision["image_size"] // vision["patch_size"]
    if theirs.get("drop_vision_last_layer", True):
        ours["num_hidden_layers"] -= 1
    text = {name: theirs[name] for name in TEXT_FIELDS if name in theirs}
    rope = {name: theirs[name] for name in ("rope_theta", "rope_scaling") if name in theirs}
    values = {
        "text_config": Qwen3Config(**text, **rope).to_dict(),
        "vision_config": {**ours, **pixel_scale(settings)},
        "query_num": theirs.get("query_num", 64),
        "image_token_id": image_token_id(theirs, tokenizer),
        "dtype": theirs.get("torch_dtype", theirs.get("dtype")),
        "architectures": ["PagemillForConditionalGeneration"],
    }
    return PagemillConfig(**{**values, **changes})


def slicing_of(source: Path, config: PagemillConfig) -> dict[str, Any]:
    """How our processor cuts pictures; as released where there is no processor."""
    path = source / "processor_config.json"
    ours = read_json(path) if path.is_file() else {}
    images = ours.get("image_processor", {})
    return {
        "max_slice_nums": images.get("max_slice_nums", 9),
        "scale_resolution": images.get("scale_resolution", 448),
        "norm_mean": images.get("image_mean", [config.vision_config.image_mean] * 3),
        "norm_std": images.get("image_std", [config.vision_config.image_std] * 3),
        "use_image_id": ours.get("use_image_id", True),
    }


def their_config(config: PagemillConfig, cut: Settings) -> dict[str, Any]:
    """The released configuration of ours; `image_token_id` is an addition for the way back."""
    text, vision = config.text_config.to_dict(), config.vision_config.to_dict()
    rope = dict(text["rope_parameters"])
    theta = rope.pop("rope_theta")
    dtype = str(config.dtype or torch.float32).removeprefix("torch.")
    return {
        "version": VERSION,
        "architectures": ["MiniCPMV"],
        "auto_map": {
            "AutoConfig": f"{HUB}--configuration_minicpm.MiniCPMVConfig",
            "AutoModel": f"{HUB}--modeling_minicpmv.MiniCPMV",
            "AutoModelForCausalLM": f"{HUB}--modeling_minicpmv.MiniCPMV",
        },
        **{name: text[name] for name in TEXT_FIELDS if name in text},
        "rope_scaling": None if rope.get("rope_type", "default") == "default" else rope,
        "rope_theta": theta,
        "torch_dtype": dtype,
        "batch_vision_input": True,
        "batch_3d_resampler": True,
        "drop_vision_last_layer": False,
        "image_size": cut["scale_resolution"],
        "model_type": MODEL_TYPE,
        "patch_size": vision["patch_size"],
        "query_num": config.query_num,
        "slice_config": {
            "max_slice_nums": cut["max_slice_nums"],
            "scale_resolution": cut["scale_resolution"],
            "patch_size": vision["patch_size"],
            "model_type": MODEL_TYPE,
        },
        "slice_mode": True,
        "use_image_id": cut["use_image_id"],
        "vision_config": {
            "model_type": "siglip",
            "image_size": vision["position_side"] * vision["patch_size"],
            **{name: vision[name] for name in TOWER_FIELDS},
        },
        "image_token_id": config.image_token_id,
    }


def their_tokenizer(source: Path) -> dict[str, Any]:
    """The released `tokenizer_config.json`, for the transformers that the released code needs."""
    ours = read_json(source / "tokenizer_config.json")
    extra = ours.pop("extra_special_tokens", None)
    if isinstance(extra, list):
        ours["additional_special_tokens"] = extra
    template = source / "chat_template.jinja"
    if template.is_file():
        ours["chat_template"] = template.read_text(encoding="utf-8")
    code = f"{HUB}--tokenization_minicpmv_fast.MiniCPMVTokenizerFast"
    return {
        **ours,
        "processor_class": "MiniCPMVProcessor",
        "tokenizer_class": "MiniCPMVTokenizerFast",
        "auto_map": {"AutoTokenizer": [code, None]},
    }


def their_preprocessor(config: PagemillConfig, cut: Settings, unit: str) -> dict[str, Any]:
    """The released `preprocessor_config.json`."""
    return {
        "image_processor_type": "MiniCPMVImageProcessor",
        "processor_class": "MiniCPMVProcessor",
        "auto_map": {
            "AutoProcessor": f"{HUB}--processing_minicpmv.MiniCPMVProcessor",
            "AutoImageProcessor": f"{HUB}--image_processing_minicpmv.MiniCPMVImageProcessor",
        },
        **cut,
        "patch_size": config.vision_config.patch_size,
        "image_feature_size": config.query_num,
        "im_start": "<image>",
        "im_end": "</image>",
        "slice_start": "<slice>",
        "slice_end": "</slice>",
        "unk": unit,
        "im_id_start": "<image_id>",
        "im_id_end": "</image_id>",
        "slice_mode": True,
        "version": 2.6,
    }
