"""Weights from and to other layouts: every fault named, nothing half-written, features unchanged.

The released layout is written here by hand, from sizes alone, and its tower and resampler are
computed slice by slice in float64 as the released code does.
"""

from __future__ import annotations

import json
import math
import weakref
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.model import PagemillForConditionalGeneration
from pagemill.model.weights import export_checkpoint, import_checkpoint, store
from pagemill.model.weights.report import Report, collapsed
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    Siglip2Config,
    Siglip2Model,
    Siglip2VisionConfig,
    Siglip2VisionModel,
    SiglipConfig,
    SiglipModel,
    SiglipVisionConfig,
    SiglipVisionModel,
)

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


@pytest.fixture(scope="session")
def tensors() -> dict[str, Tensor]:
    return filled(released_shapes())


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


@pytest.fixture(scope="session")
def released(tmp_path_factory, tensors) -> Path:
    return write_released(tmp_path_factory.mktemp("released") / "sharded", tensors, shards=3)


@pytest.fixture(scope="session")
def imported(tmp_path_factory, released) -> Path:
    out = tmp_path_factory.mktemp("imported") / "out"
    import_checkpoint(released, out, layout="minicpm-v-4.5", shard_bytes=1_000_000)
    return out


@pytest.fixture(scope="session")
def model(imported) -> PagemillForConditionalGeneration:
    return AutoModelForImageTextToText.from_pretrained(imported).eval()


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


# The released forward, slice by slice.


def reference_tower(weights: dict[str, Tensor], patches: Tensor, height: int, width: int) -> Tensor:
    """One slice, [height · width, 3 · p · p], to its features."""
    at = "vpm.embeddings."
    kernel = weights[f"{at}patch_embedding.weight"].flatten(1)
    hidden = patches @ kernel.T + weights[f"{at}patch_embedding.bias"]
    rows, cols = released_buckets(height), released_buckets(width)
    table = weights[f"{at}position_embedding.weight"]
    places = [table[row * SIDE + col] for row in rows.tolist() for col in cols.tolist()]
    hidden = hidden + torch.stack(places)
    for number in range(KV_LAYERS):
        at = f"vpm.encoder.layers.{number}."
        normed = layer_norm(weights, f"{at}layer_norm1", hidden)
        query, key, value = (
            dense(weights, f"{at}self_attn.{one}_proj", normed) for one in ("q", "k", "v")
        )
        mixed = attention(query, key, value, KV_HEADS)
        hidden = hidden + dense(weights, f"{at}self_attn.out_proj", mixed)
        normed = layer_norm(weights, f"{at}layer_norm2", hidden)
        inner = F.gelu(dense(weights, f"{at}mlp.fc1", normed), approximate="tanh")
        hidden = hidden + dense(weights, f"{at}mlp.fc2", inner)
    return layer_norm(weights, "vpm.post_layernorm", hidden)


def released_buckets(count: int) -> Tensor:
    """As the released code has it, where the number of patches is an int32 tensor."""
    step = 1 / torch.tensor(count, dtype=torch.int32)
    return torch.bucketize(
        torch.arange(0, 1 - 1e-6, step), torch.arange(1 / SIDE, 1.0, 1 / SIDE), right=True
    )


def reference_resampler(weights, features, sizes, times) -> Tensor:
    """One package: its frames' features, (height, width) and times, to its tokens."""
    inner = layer_norm(
        weights, "resampler.ln_kv", torch.cat(features) @ weights["resampler.kv_proj.weight"].T
    )
    keys = []
    for (height, width), time in zip(sizes, times, strict=True):
        for row in range(height):
            for col in range(width):
                place = torch.cat([wave(col, WIDTH // 2), wave(row, WIDTH // 2)])
                keys.append(place if time < 0 else place + wave(time, WIDTH))
    matrices = weights["resampler.attn.in_proj_weight"].chunk(3)
    offsets = weights["resampler.attn.in_proj_bias"].chunk(3)
    query = layer_norm(weights, "resampler.ln_q", weights["resampler.query"])
    projected = [
        one @ matrix.T + offset
        for one, matrix, offset in zip(
            (query, inner + torch.stack(keys), inner), matrices, offsets, strict=True
        )
    ]
    out = dense(weights, "resampler.attn.out_proj", attention(*projected, WIDTH // 128))
    return layer_norm(weights, "resampler.ln_post", out) @ weights["resampler.proj"]


def wave(place: int, width: int) -> Tensor:
    angles = [place / 10000 ** (2 * k / width) for k in range(width // 2)]
    return torch.tensor([math.sin(a) for a in angles] + [math.cos(a) for a in angles]).double()


def layer_norm(weights, name: str, values: Tensor) -> Tensor:
    centred = values - values.mean(-1, keepdim=True)
    scale = (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt()
    return centred / scale * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def dense(weights, name: str, values: Tensor) -> Tensor:
    return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def attention(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    parts = []
    for q, k, v in zip(*(one.chunk(heads, 1) for one in (query, key, value)), strict=True):
        parts.append((q @ k.T / math.sqrt(q.shape[1])).softmax(1) @ v)
    return torch.cat(parts, 1)


def padded(slices: list[Tensor]) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(slices, batch_first=True)


@pytest.mark.parametrize(
    ("sizes", "times"),
    [
        ([(4, 6), (3, 3), (32, 32)], [[-1], [-1], [-1]]),
        ([(4, 6), (4, 6), (5, 7), (2, 3)], [[3, 8], [-1], [21]]),
        ([(25, 41), (50, 20)], [[-1], [-1]]),
    ],
)
def test_imported_tower_and_resampler_give_the_tokens_of_the_released_ones(
    model, tensors, sizes, times
):
    exact = {name: tensor.double() for name, tensor in tensors.items()}
    generator = torch.Generator().manual_seed(1)
    slices = [torch.randn(h * w, 3 * PATCH * PATCH, generator=generator) for h, w in sizes]
    features = [
        reference_tower(exact, one.double(), *size) for one, size in zip(slices, sizes, strict=True)
    ]
    expected, start = [], 0
    for frames in times:
        stop = start + len(frames)
        expected.append(reference_resampler(exact, features[start:stop], sizes[start:stop], frames))
        start = stop
    with torch.no_grad():
        packed = model.vision(padded(slices), torch.tensor(sizes))
        got = model.encode_images(padded(slices), torch.tensor(sizes), times)
    assert torch.allclose(packed.features, torch.cat(features).float(), atol=1e-5)
    assert torch.allclose(got.tokens, torch.cat(expected).float(), atol=1e-5)


def test_the_imported_language_model_gives_the_logits_of_qwen3(model, tensors):
    theirs = Qwen3ForCausalLM(Qwen3Config(**TEXT)).eval()
    theirs.load_state_dict(
        {name[4:]: tensor for name, tensor in tensors.items() if name.startswith("llm.")}
    )
    ids = torch.tensor([[5, 9, 11, 40]])
    with torch.no_grad():
        assert torch.equal(model(ids).logits, theirs(ids).logits)


def test_the_imported_folder_is_one_that_transformers_reads(imported, tensors):
    loaded, info = AutoModelForImageTextToText.from_pretrained(imported, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    config = loaded.config
    assert config.vision_config.position == "bucket"
    assert config.vision_config.position_side == SIDE
    assert config.text_config.rope_parameters["rope_theta"] == 1000000
    assert (config.query_num, config.image_token_id) == (QUERIES, 265)
    assert loaded.generation_config.eos_token_id == [258, 256]
    index = json.loads((imported / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in tensors.values())
    assert len(set(index["weight_map"].values())) == len(list(imported.glob("model-*.safetensors")))


def test_the_imported_processor_reads_a_picture_and_the_model_answers(imported, model):
    processor = AutoProcessor.from_pretrained(imported)
    assert processor.image_token == "<unk>"
    assert processor.use_image_id
    content = [{"type": "image", "image": Image.new("L", (56, 42), 200)},
               {"type": "text", "text": "Read."}]  # fmt: skip
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
    )  # fmt: skip
    assert int((inputs["input_ids"] == 265).sum()) == QUERIES
    text = processor.tokenizer.decode(inputs["input_ids"][0])
    assert "<image_id>0</image_id><image>" + "<unk>" * QUERIES + "</image>" in text
    with torch.no_grad():
        assert model.generate(**inputs, max_new_tokens=2).shape[0] == 1


@pytest.mark.parametrize("torch_files", [False, True])
@pytest.mark.parametrize("shards", [1, 3])
def test_every_way_of_storing_gives_the_same_tensors(tmp_path, tensors, shards, torch_files):
    source = write_released(
        tmp_path / "in", tensors, shards=shards, torch_files=torch_files, tokenizer=False
    )
    report = import_checkpoint(source, tmp_path / "out", layout="minicpm-v-4.5")
    assert report.ok
    assert report.tensors == len(tensors)
    assert report.bytes == sum(tensor.nbytes for tensor in tensors.values())
    assert (tmp_path / "out" / "model.safetensors").is_file()
    ours = {"llm": "language_model", "vpm": "vision", "resampler": "connector"}
    wanted = {}
    for name, tensor in tensors.items():
        first, _, rest = name.partition(".")
        wanted[f"{ours[first]}.{rest}"] = tensor
    assert same(weights(tmp_path / "out"), wanted)
    assert "no tokenizer.json" in report.text()
    assert not (tmp_path / "out" / "processor_config.json").exists()


def test_there_and_back_is_where_it_began(tmp_path, released, imported, tensors):
    report = export_checkpoint(imported, tmp_path / "back", shard_bytes=2_000_000)
    assert report.ok
    assert same(weights(tmp_path / "back"), tensors)
    theirs = json.loads((tmp_path / "back" / "config.json").read_text())
    for name, value in json.loads((released / "config.json").read_text()).items():
        if name in ("slice_config", "vision_config"):
            assert value.items() <= theirs[name].items()
        elif name != "auto_map":
            assert theirs[name] == value, name
    import_checkpoint(
        tmp_path / "back", tmp_path / "again", layout="minicpm-v-4.5", shard_bytes=1_000_000
    )
    assert contents(tmp_path / "again") == contents(imported)


def test_what_is_exported_has_the_tokenizer_of_the_released_layout(tmp_path, imported):
    export_checkpoint(imported, tmp_path / "back")
    config = json.loads((tmp_path / "back" / "tokenizer_config.json").read_text())
    assert config["tokenizer_class"] == "MiniCPMVTokenizerFast"
    assert not isinstance(config.get("extra_special_tokens"), list)
    assert set(MARKS) <= set(config["additional_special_tokens"])
    assert "<|im_start|>assistant" in config["chat_template"]
    images = json.loads((tmp_path / "back" / "preprocessor_config.json").read_text())
    assert (images["scale_resolution"], images["image_feature_size"]) == (448, QUERIES)
    assert images["unk"] == "<unk>"


def test_a_router_is_made_on_request_and_not_exported(tmp_path, released, tensors):
    report = import_checkpoint(released, tmp_path / "out", layout="minicpm-v-4.5", router=True)
    assert report.new
    assert all(name.startswith("router.") for name in report.new)
    assert "router.blocks.*.gate.weight (2 times: 0-1)" in report.text()
    back = export_checkpoint(tmp_path / "out", tmp_path / "back")
    assert set(back.ignored) == set(report.new)
    assert same(weights(tmp_path / "back"), tensors)


def test_bfloat16_stays_bfloat16(tmp_path, tensors):
    low = {name: tensor.bfloat16() for name, tensor in tensors.items()}
    source = write_released(tmp_path / "in", low, torch_dtype="bfloat16", tokenizer=False)
    import_checkpoint(source, tmp_path / "out", layout="minicpm-v-4.5")
    loaded = AutoModelForImageTextToText.from_pretrained(tmp_path / "out")
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.bfloat16}
    export_checkpoint(tmp_path / "out", tmp_path / "back")
    assert same(weights(tmp_path / "back"), low)
    assert json.loads((tmp_path / "back" / "config.json").read_text())["torch_dtype"] == "bfloat16"


def test_tables_that_old_files_hold_are_ignored_and_named(tmp_path, tensors):
    old = {**tensors, "resampler.pos_embed": torch.zeros(70, 70, WIDTH)}
    source = write_released(tmp_path / "in", old, tokenizer=False)
    report = import_checkpoint(source, tmp_path / "out", layout="minicpm-v-4.5")
    assert report.ignored == ("resampler.pos_embed",)
    assert "ignored, not needed (1):\n  resampler.pos_embed" in report.text()


# Memory, and a run that stops.


def test_no_more_than_a_shard_and_a_tensor_are_in_memory(tmp_path, released, tensors, monkeypatch):
    """Counts the bytes of source tensors that are alive while 3 MB go through shards of 600 kB."""
    held = {"now": 0, "most": 0}
    read = store.Store.read

    def counted(self, name):
        tensor = read(self, name)
        held["now"] += tensor.nbytes
        held["most"] = max(held["most"], held["now"])
        weakref.finalize(tensor, lambda size: held.update(now=held["now"] - size), tensor.nbytes)
        return tensor

    monkeypatch.setattr(store.Store, "read", counted)
    shard_bytes, largest = 600_000, max(tensor.nbytes for tensor in tensors.values())
    import_checkpoint(released, tmp_path / "out", layout="minicpm-v-4.5", shard_bytes=shard_bytes)
    assert sum(tensor.nbytes for tensor in tensors.values()) > 4 * shard_bytes
    assert largest <= held["most"] <= max(shard_bytes, largest)
    for path in (tmp_path / "out").glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            one = len(list(file.keys())) == 1
        assert one or path.stat().st_size <= shard_bytes + 10_000


def test_progress_goes_up_to_the_total(tmp_path, released):
    steps: list[tuple[int, int]] = []
    report = import_checkpoint(
        released, tmp_path / "out", layout="minicpm-v-4.5",
        progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert len(steps) == report.tensors
    assert steps == sorted(steps)
    assert steps[-1] == (report.bytes, report.bytes)


def test_a_run_that_stops_leaves_nothing(tmp_path, released):
    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_checkpoint(
            released, tmp_path / "out", layout="minicpm-v-4.5", shard_bytes=500_000, progress=stop
        )
    assert list(tmp_path.iterdir()) == []


def test_while_it_is_being_written_nothing_has_the_final_name(tmp_path, released):
    seen = set()
    import_checkpoint(
        released, tmp_path / "out", layout="minicpm-v-4.5",
        progress=lambda done, total: seen.update(path.name for path in tmp_path.iterdir()),
    )  # fmt: skip
    assert all(name.startswith(".out.") and name.endswith(".part") for name in seen)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_filled_and_a_full_one_refused(tmp_path, released):
    out = tmp_path / "out"
    out.mkdir()
    import_checkpoint(released, out, layout="minicpm-v-4.5")
    before = contents(out)
    with pytest.raises(CheckpointError, match="exists and is not empty: name another folder"):
        import_checkpoint(released, out, layout="minicpm-v-4.5")
    with pytest.raises(CheckpointError, match="exists and is not empty"):
        export_checkpoint(out, out)
    assert contents(out) == before


# Faults.


def refused(tmp_path: Path, source: Path, **settings) -> str:
    """The message with which an import is refused; it leaves nothing behind."""
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(CheckpointError) as caught:
        import_checkpoint(source, tmp_path / "out", layout="minicpm-v-4.5", **settings)
    assert {path.name for path in tmp_path.iterdir()} == before
    return str(caught.value)


def test_missing_tensors_are_named_once_for_all_layers(tmp_path, tensors):
    some = {name: one for name, one in tensors.items() if "q_norm" not in name}
    del some["resampler.proj"]
    text = refused(tmp_path, write_released(tmp_path / "in", some))
    assert "missing from the source (3):" in text
    assert "language_model.model.layers.*.self_attn.q_norm.weight (2 times: 0-1)" in text
    assert "connector.proj" in text
    assert "nothing was written" in text


def test_unexpected_tensors_are_named(tmp_path, tensors):
    more = {**tensors, "apm.conv1.weight": torch.zeros(2), "llm.model.extra": torch.zeros(2)}
    text = refused(tmp_path, write_released(tmp_path / "in", more))
    assert "without a place (2):\n  apm.conv1.weight\n  llm.model.extra" in text


def test_misshapen_tensors_are_named_with_both_shapes(tmp_path, tensors):
    text = refused(tmp_path, write_released(tmp_path / "in", tensors, query_num=16))
    assert f"connector.query: [{QUERIES}, {WIDTH}] in the source, [16, {WIDTH}] needed" in text
    wide = {
        name: torch.zeros(65, WIDTH) if name.endswith("gate_proj.weight") else one
        for name, one in tensors.items()
    }
    text = refused(tmp_path, write_released(tmp_path / "wide", wide))
    assert "layers.*.mlp.gate_proj.weight (2 times: 0-1): [65, 256] in the source, [64" in text


def test_a_dropped_last_layer_is_not_expected(tmp_path, tensors):
    fewer = {
        name: one for name, one in tensors.items() if not name.startswith("vpm.encoder.layers.1.")
    }
    source = write_released(tmp_path / "in", fewer, tokenizer=False, drop_vision_last_layer=True)
    report = import_checkpoint(source, tmp_path / "out", layout="minicpm-v-4.5")
    assert report.tensors == len(fewer)


def test_faults_are_found_before_anything_is_read(tmp_path, tensors, monkeypatch):
    monkeypatch.setattr(store.Store, "read", lambda self, name: pytest.fail("read too early"))
    refused(tmp_path, write_released(tmp_path / "in", tensors, query_num=16))


def cut_off(source: Path) -> None:
    path = source / "model-00002-of-00003.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def garbage(source: Path) -> None:
    (source / "model-00002-of-00003.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0not json at all!")


def empty(source: Path) -> None:
    (source / "model-00002-of-00003.safetensors").write_bytes(b"")


def pointer(source: Path) -> None:
    (source / "model-00002-of-00003.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"
    )


def swapped(source: Path) -> None:
    first, second = (source / f"model-0000{n}-of-00003.safetensors" for n in (1, 2))
    second.write_bytes(first.read_bytes())


def broken_index(source: Path) -> None:
    (source / "model.safetensors.index.json").write_text('{"weight_map": ')


def remove(name: str):
    def act(source: Path) -> None:
        (source / name).unlink()

    return act


def other_model(source: Path) -> None:
    (source / "config.json").write_text(json.dumps({**RELEASED, "version": 2.6}))


def wrong_type(source: Path) -> None:
    (source / "config.json").write_text(json.dumps({**RELEASED, "num_hidden_layers": "two"}))


def other_tokenizer(source: Path) -> None:
    write_tokenizer(source, [*CHAT, *MARKS])


def no_weights(source: Path) -> None:
    for path in source.glob("model*"):
        path.unlink()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut_off, ["model-00002-of-00003.safetensors", "cut off or damaged", "again"]),
        (garbage, ["model-00002-of-00003.safetensors", "cut off or damaged", "again"]),
        (empty, ["model-00002-of-00003.safetensors (0 bytes)", "again"]),
        (pointer, ["model-00002-of-00003.safetensors", "git lfs pull"]),
        (swapped, ["model-00002-of-00003.safetensors does not hold", "different checkpoints"]),
        (remove("model-00003-of-00003.safetensors"), ["00003-of-00003.safetensors is missing"]),
        (remove("model.safetensors.index.json"), ["holds no weights", "model.safetensors"]),
        (no_weights, ["holds no weights"]),
        (broken_index, ["model.safetensors.index.json is no JSON", "again"]),
        (remove("config.json"), ["config.json is missing"]),
        (other_model, ["version 2.6", "minicpm-v-4.5 is 'minicpmv', version 4.5"]),
        (wrong_type, ["config.json cannot be used", "num_hidden_layers"]),
        (other_tokenizer, ["tokenizer.json has no <unk>"]),
    ],
)
def test_a_damaged_source_is_refused_by_name(tmp_path, tensors, harm, words):
    source = write_released(tmp_path / "in", tensors, shards=3)
    harm(source)
    text = refused(tmp_path, source)
    for word in words:
        assert word in text


def test_a_damaged_torch_file_is_refused_by_name(tmp_path, tensors):
    source = write_released(tmp_path / "in", tensors, torch_files=True)
    path = source / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:-500])
    assert "pytorch_model.bin" in refused(tmp_path, source)


def test_a_torch_file_with_code_in_it_is_not_run(tmp_path, tensors):
    source = write_released(tmp_path / "in", tensors, torch_files=True)
    torch.save({"llm": Report}, source / "pytorch_model.bin")
    assert "pytorch_model.bin" in refused(tmp_path, source)


def test_a_marked_tokenizer_is_needed_before_weights_are_copied(tmp_path, tensors, monkeypatch):
    source = write_released(tmp_path / "in", tensors)
    write_tokenizer(source, [*CHAT, "<unk>"])
    monkeypatch.setattr(store.Store, "read", lambda self, name: pytest.fail("read too early"))
    with pytest.raises(ConfigError, match="no token of its own for <image>"):
        import_checkpoint(source, tmp_path / "out", layout="minicpm-v-4.5")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_noticed_first(tmp_path, released, monkeypatch):
    monkeypatch.setattr(store.shutil, "disk_usage", lambda folder: type("U", (), {"free": 10})())
    assert "bytes free" in refused(tmp_path, released)


def test_settings_that_cannot_be_are_refused(tmp_path, released, imported):
    with pytest.raises(ConfigError, match=r"minicpm-v-4\.5, siglip\+qwen3"):
        import_checkpoint(released, tmp_path / "out", layout="llava")
    with pytest.raises(ConfigError, match=r"to export: minicpm-v-4\.5"):
        export_checkpoint(imported, tmp_path / "out", layout="siglip+qwen3")
    with pytest.raises(ConfigError, match="shard_bytes is 0"):
        import_checkpoint(released, tmp_path / "out", layout="minicpm-v-4.5", shard_bytes=0)
    with pytest.raises(ConfigError, match="routr cannot be set here"):
        import_checkpoint(released, tmp_path / "out", layout="minicpm-v-4.5", routr=True)
    with pytest.raises(CheckpointError, match="is one folder; 2 were given"):
        import_checkpoint([released, released], tmp_path / "out", layout="minicpm-v-4.5")
    with pytest.raises(CheckpointError, match="two folders, tower and language model; 1"):
        import_checkpoint(released, tmp_path / "out", layout="siglip+qwen3")
    with pytest.raises(CheckpointError, match="export takes 'pagemill'"):
        export_checkpoint(released, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_names_are_collapsed_by_layer():
    names = [f"a.layers.{number}.w" for number in (0, 1, 2, 5)] + ["b", "c.1.d.2.e", "c.1.d.3.e"]
    assert collapsed(names) == ["a.layers.*.w (4 times: 0-2, 5)", "b", "c.*.d.*.e (2 times)"]


# A tower and a language model.

TINY = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "patch_size": 4}  # fmt: skip
WORDS = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 1,
         "num_attention_heads": 4, "vocab_size": 50, "bos_token_id": 1,
         "eos_token_id": 2}  # fmt: skip


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """Norms and biases other than ones and zeros."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def siglip(folder: Path, *, whole: bool) -> SiglipVisionModel:
    vision = {**TINY, "image_size": 24}
    if whole:
        model = shaken(SiglipModel(SiglipConfig(vision_config=vision, text_config=WORDS)))
    else:
        model = shaken(SiglipVisionModel(SiglipVisionConfig(**vision)))
    model.save_pretrained(folder)
    return model.vision_model if whole else model


def siglip2(folder: Path, *, whole: bool) -> Siglip2VisionModel:
    vision = {**TINY, "num_patches": 36}
    if whole:
        model = shaken(Siglip2Model(Siglip2Config(vision_config=vision, text_config=WORDS)))
    else:
        model = shaken(Siglip2VisionModel(Siglip2VisionConfig(**vision)))
    model.save_pretrained(folder)
    return model.vision_model if whole else model


def qwen3(folder: Path, *, tied: bool = True, special: list[str] = CHAT, rows: int = 300):
    config = {**TEXT, "tie_word_embeddings": tied, "vocab_size": rows}
    model = shaken(Qwen3ForCausalLM(Qwen3Config(**config)))
    model.save_pretrained(folder)
    write_tokenizer(folder, special, tokenizer_class="PreTrainedTokenizerFast")
    return model


def joined(tmp_path: Path, out: str = "out", **settings) -> tuple[Report, torch.nn.Module]:
    report = import_checkpoint(
        [tmp_path / "tower", tmp_path / "language"], tmp_path / out,
        layout="siglip+qwen3", **settings,
    )  # fmt: skip
    model, info = AutoModelForImageTextToText.from_pretrained(
        tmp_path / out, output_loading_info=True
    )
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    return report, model.eval()


def patches_of(image: Tensor, patch: int = 4) -> Tensor:
    """[3, H, W] to [patches, channel · row · column], patch by patch."""
    rows, cols = image.shape[1] // patch, image.shape[2] // patch
    return torch.stack(
        [
            image[:, r * patch : (r + 1) * patch, c * patch : (c + 1) * patch].flatten()
            for r in range(rows)
            for c in range(cols)
        ]
    )


@pytest.mark.parametrize("whole", [True, False])
def test_siglip_gives_the_features_of_transformers(tmp_path, whole):
    theirs = siglip(tmp_path / "tower", whole=whole)
    qwen3(tmp_path / "language")
    report, model = joined(tmp_path)
    image = torch.randn(3, 24, 24)
    with torch.no_grad():
        expected = theirs(image[None]).last_hidden_state[0]
        got = model.vision(patches_of(image)[None], torch.tensor([[6, 6]])).features
    assert torch.allclose(got, expected, atol=1e-5)
    assert any("head.probe" in name for name in report.ignored)
    assert whole == ("logit_scale" in report.ignored)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("size", [(6, 6), (3, 8), (7, 2)])
def test_siglip_2_gives_the_features_of_transformers(tmp_path, whole, size):
    theirs = siglip2(tmp_path / "tower", whole=whole)
    qwen3(tmp_path / "language")
    _, model = joined(tmp_path)
    height, width = size
    image = torch.randn(3, height * 4, width * 4)
    patches = patches_of(image)
    last = torch.stack([one.view(3, 4, 4).permute(1, 2, 0).flatten() for one in patches])
    sizes = torch.tensor([size])
    with torch.no_grad():
        mask = torch.ones(1, height * width, dtype=torch.int64)
        expected = theirs(last[None], mask, sizes).last_hidden_state[0]
        got = model.vision(patches[None], sizes).features
    assert torch.allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("tied", [True, False])
def test_the_language_model_is_unchanged(tmp_path, tied):
    siglip2(tmp_path / "tower", whole=False)
    theirs = qwen3(tmp_path / "language", tied=tied)
    _, model = joined(tmp_path)
    assert ("language_model.lm_head.weight" in weights(tmp_path / "out")) != tied
    ids = torch.tensor([[5, 9, 11]])
    with torch.no_grad():
        assert torch.equal(model(ids).logits, theirs(ids).logits)


def test_a_head_that_repeats_the_tied_embedding_is_ignored(tmp_path):
    """As in Qwen3-0.6B: tied, and stored twice all the same."""
    siglip2(tmp_path / "tower", whole=False)
    qwen3(tmp_path / "language")
    path = tmp_path / "language" / "model.safetensors"
    state = load_file(path)
    save_file({**state, "lm_head.weight": state["model.embed_tokens.weight"].clone()}, path)
    report, _ = joined(tmp_path)
    assert "lm_head.weight" in report.ignored
    other = state["model.embed_tokens.weight"] + 1
    save_file({**state, "lm_head.weight": other}, path)
    with pytest.raises(CheckpointError, match="but they differ"):
        joined(tmp_path, "other")


def test_the_connector_is_new_and_follows_the_seed(tmp_path):
    siglip2(tmp_path / "tower", whole=False)
    qwen3(tmp_path / "language")
    state = torch.get_rng_state()
    report = import_checkpoint(
        [tmp_path / "tower", tmp_path / "language"], tmp_path / "out", layout="siglip+qwen3"
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert report.new
    assert all(name.startswith("connector.") for name in report.new)
    assert f"initialised afresh ({len(report.new)}):" in report.text()
    joined(tmp_path, "same", seed=0)
    joined(tmp_path, "other", seed=1)
    first, same_seed, other = (weights(tmp_path / one) for one in ("out", "same", "other"))
    assert same(first, same_seed)
    changed = {name for name in first if not torch.equal(first[name], other[name])}
    assert {"connector.query", "connector.proj", "connector.kv_proj.weight"} <= changed
    assert changed <= set(report.new)
    assert 0.01 < first["connector.kv_proj.weight"].std() < 0.03
    assert torch.equal(first["connector.ln_q.weight"], torch.ones(WIDTH))


def test_another_connector_and_a_router_can_be_asked_for(tmp_path):
    siglip2(tmp_path / "tower", whole=False)
    qwen3(tmp_path / "language")
    report, model = joined(tmp_path, connector="shuffle_mlp", router=True)
    assert type(model.connector).__name__ == "ShuffleMLP"
    assert {name.partition(".")[0] for name in report.new} == {"connector", "router"}
    processor = AutoProcessor.from_pretrained(tmp_path / "out")
    assert processor.connector == "shuffle_mlp"
    with pytest.raises(CheckpointError, match=r"connector is 'shuffle_mlp'.*'bucket'"):
        export_checkpoint(tmp_path / "out", tmp_path / "back")


def test_our_tokens_are_added_and_fit_into_spare_rows(tmp_path):
    siglip2(tmp_path / "tower", whole=False)
    qwen3(tmp_path / "language", special=[*CHAT, "<|image_pad|>"])
    report, model = joined(tmp_path)
    assert "added to the tokenizer: <image> </image>" in report.text()
    assert "<|image_pad|>" not in report.text()
    assert model.config.text_config.vocab_size == 300
    processor = AutoProcessor.from_pretrained(tmp_path / "out")
    assert processor.image_token_id == model.config.image_token_id == 259
    assert processor.tokenizer.decode([260]) == "<image>"
    inputs = processor(
        text="<|image_pad|>\nRead.", images=[Image.new("RGB", (60, 40))], return_tensors="pt"
    )
    with torch.no_grad():
        assert model(**inputs).logits.shape[-1] == 300


@pytest.mark.parametrize("tied", [True, False])
def test_a_vocabulary_that_is_too_small_grows(tmp_path, tied):
    siglip2(tmp_path / "tower", whole=False)
    theirs = qwen3(tmp_path / "language", tied=tied, rows=259)
    report, model = joined(tmp_path)
    assert "the vocabulary grew from 259 to 320 rows" in report.text()
    table = model.get_input_embeddings().weight.detach()
    old = theirs.get_input_embeddings().weight.detach()
    assert torch.equal(table[:259], old)
    assert torch.allclose(table[259:].mean(0), old.mean(0), atol=2e-3)
    assert len(table[259:].unique(dim=0)) == 61
    head = model.get_output_embeddings().weight.detach()
    assert head.shape == (320, WIDTH)
    assert torch.equal(head[:259], theirs.get_output_embeddings().weight)
    assert (head is table) or tied == torch.equal(head, table)


def test_without_a_tokenizer_the_report_says_so(tmp_path):
    siglip2(tmp_path / "tower", whole=False)
    qwen3(tmp_path / "language")
    (tmp_path / "language" / "tokenizer.json").unlink()
    report, _ = joined(tmp_path)
    assert "image_token_id is 299" in report.text()


def test_a_tower_or_language_model_of_another_kind_is_refused(tmp_path):
    siglip2(tmp_path / "tower", whole=False)
    qwen3(tmp_path / "language")
    swapped_round = [tmp_path / "language", tmp_path / "tower"]
    with pytest.raises(CheckpointError, match="'siglip2_vision_model', which is no causal"):
        import_checkpoint(swapped_round, tmp_path / "out", layout="siglip+qwen3")
    with pytest.raises(CheckpointError, match="model_type 'qwen3'; a tower is siglip"):
        import_checkpoint([tmp_path / "language"] * 2, tmp_path / "out", layout="siglip+qwen3")
    (tmp_path / "language" / "config.json").write_text('{"model_type": "nobody"}')
    with pytest.raises(CheckpointError, match=r"language.config\.json cannot be used"):
        joined(tmp_path)


def test_a_language_model_with_other_layers_is_refused_by_name(tmp_path):
    siglip2(tmp_path / "tower", whole=False)
    qwen3(tmp_path / "language")
    path = tmp_path / "language" / "config.json"
    config = json.loads(path.read_text())
    del config["layer_types"]
    path.write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(CheckpointError, match=r"language_model\.model\.layers\.2\.self_attn"):
        joined(tmp_path)


def test_the_tokenizer_of_the_imported_folder_is_whole(imported):
    tokenizer = PreTrainedTokenizerFast.from_pretrained(imported)
    assert "auto_map" not in json.loads((imported / "tokenizer_config.json").read_text())
    text = "Été 1990\n<image>x"
    assert tokenizer.decode(tokenizer.encode(text)) == text
