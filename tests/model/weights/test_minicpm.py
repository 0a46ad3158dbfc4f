"""Released MiniCPM-V 4.5 weights in and out: the same features, logits and tensors."""

from __future__ import annotations

import json
import math

import pytest
import torch
import torch.nn.functional as F
from pagemill.model.weights import export_checkpoint, import_checkpoint
from PIL import Image
from support.released import (
    KV_HEADS,
    KV_LAYERS,
    MARKS,
    PATCH,
    QUERIES,
    SIDE,
    TEXT,
    WIDTH,
    contents,
    same,
    weights,
    write_released,
)
from torch import Tensor
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    Qwen3Config,
    Qwen3ForCausalLM,
)


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
