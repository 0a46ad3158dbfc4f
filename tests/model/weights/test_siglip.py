"""A SigLIP tower and a causal language model put together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from pagemill.engine.errors import CheckpointError
from pagemill.model.weights import export_checkpoint, import_checkpoint
from pagemill.model.weights.report import Report
from PIL import Image
from safetensors.torch import load_file, save_file
from support.released import (
    CHAT,
    TEXT,
    WIDTH,
    same,
    weights,
    write_tokenizer,
)
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
