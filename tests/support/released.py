"""Tiny checkpoints in the layout of MiniCPM-V 4.5 as released, and what is compared of folders."""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor

WIDTH, LAYERS, VOCABULARY, QUERIES = 256, 2, 300, 8

KV_WIDTH, KV_LAYERS, KV_HEADS, PATCH, SIDE = 24, 2, 4, 14, 70

MARKS = ["<image>", "</image>", "<slice>", "</slice>", "<image_id>", "</image_id>"]

CHAT = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

TEXT = {
    "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 256, "eos_token_id": 258,
    "head_dim": 128, "hidden_act": "silu", "hidden_size": WIDTH, "initializer_range": 0.02,
    "intermediate_size": 64, "max_position_embeddings": 4096, "max_window_layers": 2,
    "num_attention_heads": 2, "num_hidden_layers": LAYERS, "num_key_value_heads": 1,
    "rms_norm_eps": 1e-6, "rope_scaling": None, "rope_theta": 1000000, "sliding_window": None,
    "tie_word_embeddings": False, "torch_dtype": "float32", "use_cache": True,
    "use_sliding_window": False, "vocab_size": VOCABULARY,
}  # fmt: skip

RELEASED = {
    "version": 4.5,
    "architectures": ["MiniCPMV"],
    "auto_map": {"AutoModel": "modeling_minicpmv.MiniCPMV"},
    **TEXT,
    "batch_vision_input": True,
    "batch_3d_resampler": True,
    "drop_vision_last_layer": False,
    "image_size": 448,
    "model_type": "minicpmv",
    "patch_size": PATCH,
    "query_num": QUERIES,
    "slice_config": {"max_slice_nums": 9, "patch_size": PATCH, "model_type": "minicpmv"},
    "slice_mode": True,
    "vision_config": {
        "hidden_size": KV_WIDTH, "image_size": 980, "intermediate_size": 48, "model_type": "siglip",
        "num_attention_heads": KV_HEADS, "num_hidden_layers": KV_LAYERS, "patch_size": PATCH,
    },
}  # fmt: skip
"""The fields of the released config.json, at the sizes of this test."""


def linear(name: str, out: int, into: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
    shapes = {f"{name}.weight": (out, into)}
    return {**shapes, f"{name}.bias": (out,)} if bias else shapes


def norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def released_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes in the released layout, in the order of its index."""
    shapes = {"llm.model.embed_tokens.weight": (VOCABULARY, WIDTH)}
    for number in range(LAYERS):
        at = f"llm.model.layers.{number}"
        for name, out, into in (
            ("self_attn.q_proj", 256, WIDTH), ("self_attn.k_proj", 128, WIDTH),
            ("self_attn.v_proj", 128, WIDTH), ("self_attn.o_proj", WIDTH, 256),
            ("mlp.gate_proj", 64, WIDTH), ("mlp.up_proj", 64, WIDTH), ("mlp.down_proj", WIDTH, 64),
        ):  # fmt: skip
            shapes |= linear(f"{at}.{name}", out, into, bias=False)
        shapes |= {f"{at}.self_attn.{one}_norm.weight": (128,) for one in "qk"}
        shapes |= {f"{at}.{one}_layernorm.weight": (WIDTH,) for one in ("input", "post_attention")}
    shapes["llm.model.norm.weight"] = (WIDTH,)
    shapes["llm.lm_head.weight"] = (VOCABULARY, WIDTH)
    return {**shapes, **tower_shapes("vpm."), **resampler_shapes()}


def tower_shapes(prefix: str) -> dict[str, tuple[int, ...]]:
    at = f"{prefix}embeddings."
    shapes = {f"{at}patch_embedding.weight": (KV_WIDTH, 3, PATCH, PATCH)}
    shapes[f"{at}patch_embedding.bias"] = (KV_WIDTH,)
    shapes[f"{at}position_embedding.weight"] = (SIDE * SIDE, KV_WIDTH)
    for number in range(KV_LAYERS):
        at = f"{prefix}encoder.layers.{number}."
        for one in ("k_proj", "v_proj", "q_proj", "out_proj"):
            shapes |= linear(f"{at}self_attn.{one}", KV_WIDTH, KV_WIDTH)
        shapes |= norm(f"{at}layer_norm1", KV_WIDTH) | norm(f"{at}layer_norm2", KV_WIDTH)
        shapes |= linear(f"{at}mlp.fc1", 48, KV_WIDTH) | linear(f"{at}mlp.fc2", KV_WIDTH, 48)
    return shapes | norm(f"{prefix}post_layernorm", KV_WIDTH)


def resampler_shapes() -> dict[str, tuple[int, ...]]:
    shapes = {"resampler.query": (QUERIES, WIDTH), "resampler.proj": (WIDTH, WIDTH)}
    shapes |= linear("resampler.kv_proj", WIDTH, KV_WIDTH, bias=False)
    shapes["resampler.attn.in_proj_weight"] = (3 * WIDTH, WIDTH)
    shapes["resampler.attn.in_proj_bias"] = (3 * WIDTH,)
    shapes |= linear("resampler.attn.out_proj", WIDTH, WIDTH)
    for one in ("ln_q", "ln_kv", "ln_post"):
        shapes |= norm(f"resampler.{one}", WIDTH)
    return shapes


def filled(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=generator)
        tensors[name] = values / math.sqrt(shape[-1]) if len(shape) > 1 else 0.7 + 0.3 * values
    return tensors


def write_tokenizer(folder: Path, special: list[str], **config) -> None:
    """Bytes and special tokens: 256, then those in order."""
    alphabet = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_tokens([AddedToken(one, special=True, normalized=False) for one in special])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "padding_side": "left"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, **config}))


def write_released(
    folder: Path,
    tensors: dict[str, Tensor],
    *,
    shards: int = 1,
    tokenizer: bool = True,
    torch_files: bool = False,
    **changes,
) -> Path:
    """A checkpoint in the released layout."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**RELEASED, **changes}))
    (folder / "generation_config.json").write_text(
        json.dumps({"do_sample": True, "eos_token_id": [258, 256], "pad_token_id": 256,
                    "chat_template_kwargs": {"enable_thinking": False}})
    )  # fmt: skip
    if tokenizer:
        write_tokenizer(
            folder, [*CHAT, *MARKS, "<unk>", "<|video_pad|>"],
            unk_token="<unk>", additional_special_tokens=["<unk>", *MARKS],
            chat_template="{{ messages }}", tokenizer_class="MiniCPMVTokenizerFast",
            auto_map={"AutoTokenizer": ["tokenization_minicpmv_fast.MiniCPMVTokenizerFast", None]},
        )  # fmt: skip
        (folder / "merges.txt").write_text("#version: 0.2\n")
        (folder / "preprocessor_config.json").write_text(
            json.dumps({"image_processor_type": "MiniCPMVImageProcessor", "max_slice_nums": 9,
                        "scale_resolution": 448, "patch_size": 14, "use_image_id": True,
                        "norm_mean": [0.5] * 3, "norm_std": [0.5] * 3, "version": 2.6})
        )  # fmt: skip
    stem, suffix = ("pytorch_model", "bin") if torch_files else ("model", "safetensors")
    save = torch.save if torch_files else save_file
    if shards == 1:
        save(tensors, folder / f"{stem}.{suffix}")
        return folder
    names = list(tensors)
    weight_map = {}
    for shard in range(shards):
        file = f"{stem}-{shard + 1:05d}-of-{shards:05d}.{suffix}"
        own = names[shard::shards]
        save({name: tensors[name] for name in own}, folder / file)
        weight_map |= dict.fromkeys(own, file)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps(index))
    return folder


def weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder."""
    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        found |= load_file(path)
    return found


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(
        ours[name].dtype == theirs[name].dtype and torch.equal(ours[name], theirs[name])
        for name in ours
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
