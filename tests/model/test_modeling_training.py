"""Saving, precision, gradients, compiling and adapters of the whole model."""

from __future__ import annotations

import pytest
import torch
from pagemill.engine.errors import ConfigError
from pagemill.model import PagemillConfig, PagemillForConditionalGeneration, preset
from support.model import IMAGE, ONE, QUERIES, SIZES, batch, built, pixels, prompt
from transformers import AutoConfig, AutoModelForImageTextToText


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("connector", ["resampler3d", "shuffle_mlp"])
def test_saved_and_loaded_gives_the_same_logits(tmp_path, connector, tied):
    model = built(connector=connector, tied=tied)
    model.save_pretrained(tmp_path, max_shard_size="1MB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert isinstance(AutoConfig.from_pretrained(tmp_path), PagemillConfig)
    loaded, report = AutoModelForImageTextToText.from_pretrained(tmp_path, output_loading_info=True)
    assert isinstance(loaded, PagemillForConditionalGeneration)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    ids = torch.tensor([prompt([40], 6 if connector == "shuffle_mlp" else QUERIES, [41])])
    wanted = model(ids, pixels()[:1], SIZES[:1]).logits
    assert torch.equal(loaded.eval()(ids, pixels()[:1], SIZES[:1]).logits, wanted)


def test_bfloat16_is_close_to_float32():
    model = built()
    inputs = batch()
    exact = model(**inputs).logits.log_softmax(-1)
    low = model.to(torch.bfloat16)(**inputs).logits.float().log_softmax(-1)
    real = inputs["attention_mask"].bool()
    assert (exact - low)[real].abs().mean() < 0.1
    agree = (exact.argmax(-1) == low.argmax(-1))[real].float().mean()
    assert agree >= 0.9


def test_text_alone_touches_tower_and_connector_while_learning(model):
    """Under ZeRO-3 and FSDP a rank without pictures would keep the others waiting."""
    model = built().train()
    ids = torch.tensor([[40, 41, 42]])
    model(ids, labels=ids).loss.backward()
    touched = [
        p.grad is not None for n, p in model.named_parameters() if not n.startswith("router")
    ]
    assert all(touched)
    assert not model.vision.post_layernorm.weight.grad.any()
    plain = model.language_model(input_ids=ids).logits
    assert torch.equal(model(ids).logits, plain)


def test_gradient_checkpointing_changes_no_gradient():
    gradients = []
    for checkpointing in (False, True):
        model = built().train()
        if checkpointing:
            model.activation_checkpointing_enable()
        inputs = batch()
        labels = inputs["input_ids"].masked_fill(inputs["input_ids"] == IMAGE, -100)
        model(**inputs, labels=labels).loss.backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][name], rtol=1e-4, atol=1e-6), name


def test_the_language_part_compiles_without_graph_breaks(model):
    embeds = torch.randn(1, 12, 128)
    compiled = torch.compile(model.language_model, backend="eager", fullgraph=True)
    with torch.no_grad():
        got = compiled(inputs_embeds=embeds, use_cache=False).logits
        wanted = model.language_model(inputs_embeds=embeds, use_cache=False).logits
    assert torch.allclose(got, wanted, atol=1e-5)


def test_the_whole_forward_runs_compiled(model):
    compiled = torch.compile(model, backend="eager")
    with torch.no_grad():
        assert torch.allclose(compiled(**batch()).logits, model(**batch()).logits, atol=1e-4)


def test_lora_by_peft(tmp_path):
    from peft import LoraConfig, PeftModel, get_peft_model

    base = built()
    inputs = batch()
    before = base(**inputs).logits
    adapted = get_peft_model(
        base,
        LoraConfig(r=4, lora_alpha=4, target_modules=r"language_model\..*\.(q_proj|v_proj)"),
    )
    assert torch.allclose(adapted(**inputs).logits, before, atol=1e-5)
    trainable = [name for name, p in adapted.named_parameters() if p.requires_grad]
    assert trainable
    assert all("lora" in name and "language_model" in name for name in trainable)
    labels = inputs["input_ids"].masked_fill(inputs["input_ids"] == IMAGE, -100)
    optimiser = torch.optim.SGD(adapted.parameters(), lr=1.0)
    adapted.train()(**inputs, labels=labels).loss.backward()
    optimiser.step()
    learned = adapted.eval()(**inputs).logits
    assert not torch.allclose(learned, before, atol=1e-4)
    adapted.save_pretrained(tmp_path)
    again = PeftModel.from_pretrained(built(), tmp_path).eval()
    assert torch.allclose(again(**inputs).logits, learned, atol=1e-5)
    generated = adapted.generate(**inputs, max_new_tokens=3, do_sample=False)
    assert generated.shape[1] == inputs["input_ids"].shape[1] + 3


def test_another_language_model_can_be_configured():
    model = PagemillForConditionalGeneration(
        PagemillConfig(
            text_config={
                "model_type": "llama", "hidden_size": 64, "intermediate_size": 128,
                "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
                "vocab_size": 300,
            },
            vision_config={"hidden_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4},
            query_num=QUERIES,
            image_token_id=IMAGE,
        )
    ).eval()  # fmt: skip
    assert type(model.language_model).__name__ == "LlamaForCausalLM"
    assert model(**batch()).logits.shape == (2, len(ONE), 300)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="resampler3d, shuffle_mlp"):
        PagemillConfig(connector="mlp")
    with pytest.raises(ConfigError, match="multiple of 4"):
        PagemillConfig(query_num=63)
    with pytest.raises(ConfigError, match="nano, small, base"):
        preset("huge")
