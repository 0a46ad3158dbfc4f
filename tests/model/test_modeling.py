"""The whole model: a Hugging Face model like any other, packed, cached, saved, adapted.

B sequences, T tokens; image token 11, pad 0.
"""

from __future__ import annotations

import pytest
import torch
from pagemill.engine.errors import ConfigError, DataError
from pagemill.model import PagemillConfig, PagemillForConditionalGeneration, preset
from pagemill.model.slicing import FULL, QUARTER
from transformers import AutoConfig, AutoModelForImageTextToText

IMAGE = 11
QUERIES = 8
SIZES = torch.tensor([[4, 6], [3, 3], [2, 5]])


def built(*, tied: bool = False, **changes) -> PagemillForConditionalGeneration:
    """Random weights that do not repeat one token for ever."""
    config = preset("nano", **{"query_num": QUERIES, "router": True, **changes})
    config.text_config.vocab_size = 300
    config.text_config.tie_word_embeddings = config.tie_word_embeddings = tied
    torch.manual_seed(0)
    model = PagemillForConditionalGeneration(config).eval()
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(20)
    return model


@pytest.fixture(scope="module")
def model() -> PagemillForConditionalGeneration:
    return built()


def pixels(seed: int = 0) -> torch.Tensor:
    return torch.randn(3, 24, 588, generator=torch.Generator().manual_seed(seed))


def prompt(*parts: int | list[int]) -> list[int]:
    """Token ids; a number n stands for n image tokens."""
    ids: list[int] = []
    for part in parts:
        ids += [IMAGE] * part if isinstance(part, int) else part
    return ids


ONE = prompt([40, 41], QUERIES, [42], QUERIES, [43, 44, 0, 45])
"""Two packages and a token 0 that is text."""
TWO = prompt([50], QUERIES, [51, 52])


def batch() -> dict[str, torch.Tensor]:
    """Two prompts of unequal length, filled up on the left, and the pictures of both."""
    rows = [ONE, [0] * (len(ONE) - len(TWO)) + TWO]
    mask = [[1] * len(ONE), [0] * (len(ONE) - len(TWO)) + [1] * len(TWO)]
    return {
        "input_ids": torch.tensor(rows),
        "attention_mask": torch.tensor(mask),
        "pixel_values": pixels(),
        "tgt_sizes": SIZES,
    }


def test_pictures_stand_where_the_image_tokens_were(model):
    inputs = batch()
    features = model.encode_images(inputs["pixel_values"], SIZES)
    embeds = model.embed(inputs["input_ids"], features)
    places = inputs["input_ids"] == IMAGE
    assert torch.equal(embeds[places], features.tokens)
    words = model.get_input_embeddings()(inputs["input_ids"])
    assert torch.equal(embeds[~places], words[~places])


def test_places_that_are_given_are_those_that_are_found(model):
    inputs = batch()
    ids, features = inputs["input_ids"], model.encode_images(inputs["pixel_values"], SIZES)
    places = torch.nonzero(ids.flatten() == IMAGE)[:, 0]
    found, given = model.embed(ids, features), model.embed(ids, features, places)
    assert torch.equal(found, given)
    weights = torch.randn_like(found)
    table, query = model.get_input_embeddings().weight, model.connector.query
    expected = torch.autograd.grad((found * weights).sum(), (table, query), retain_graph=True)
    assert_all_close(torch.autograd.grad((given * weights).sum(), (table, query)), expected)
    with pytest.raises(DataError, match="room for"):
        model.embed(ids, features, places[1:])


def assert_all_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_rows_of_a_batch_equal_each_prompt_alone(model):
    together = model(**batch()).logits
    first = model(torch.tensor([ONE]), pixels()[:2], SIZES[:2]).logits
    second = model(torch.tensor([TWO]), pixels()[2:], SIZES[2:]).logits
    assert torch.allclose(together[0], first[0], atol=1e-4)
    assert torch.allclose(together[1, -len(TWO) :], second[0], atol=1e-4)


def test_a_real_token_with_id_zero_is_seen(model):
    """Trap: an attention mask made as `input_ids != 0`."""
    kept = model(torch.tensor([ONE]), pixels()[:2], SIZES[:2]).logits[0, -1]
    changed = [7 if token == 0 else token for token in ONE]
    other = model(torch.tensor([changed]), pixels()[:2], SIZES[:2]).logits[0, -1]
    mask = torch.tensor([[int(token != 0) for token in ONE]])
    masked = model(torch.tensor([ONE]), pixels()[:2], SIZES[:2], attention_mask=mask).logits[0, -1]
    assert (kept - other).abs().max() > 1e-3
    assert (kept - masked).abs().max() > 1e-3


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_equals_unpacked(attention):
    model = built()
    model.set_attn_implementation(attention)
    packed_ids = torch.tensor([ONE + TWO])
    positions = torch.tensor([[*range(len(ONE)), *range(len(TWO))]])
    packed = model(packed_ids, pixels(), SIZES, position_ids=positions, use_cache=False).logits[0]
    first = model(torch.tensor([ONE]), pixels()[:2], SIZES[:2]).logits[0]
    second = model(torch.tensor([TWO]), pixels()[2:], SIZES[2:]).logits[0]
    assert torch.allclose(packed, torch.cat([first, second]), atol=1e-5)
    wrong = model(packed_ids, pixels(), SIZES, use_cache=False).logits[0]
    assert not torch.allclose(packed, wrong, atol=1e-3)


def test_packed_learns_what_unpacked_learns():
    model = built().train()
    labels = [token if token != IMAGE else -100 for token in ONE + TWO]
    labels[0] = labels[len(ONE)] = -100
    positions = torch.tensor([[*range(len(ONE)), *range(len(TWO))]])
    model(
        torch.tensor([ONE + TWO]), pixels(), SIZES,
        position_ids=positions, labels=torch.tensor([labels]), num_items_in_batch=10,
    ).loss.backward()  # fmt: skip
    packed = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    for ids, part, own in (
        (ONE, slice(0, 2), labels[: len(ONE)]),
        (TWO, slice(2, 3), labels[len(ONE) :]),
    ):
        model(
            torch.tensor([ids]), pixels()[part], SIZES[part],
            labels=torch.tensor([own]), num_items_in_batch=10,
        ).loss.backward()  # fmt: skip
    for name, parameter in model.named_parameters():
        if name in packed:
            assert torch.allclose(parameter.grad, packed[name], rtol=1e-4, atol=1e-5), name


def test_cached_equals_uncached(model):
    ids = torch.tensor([ONE])
    features = model.encode_images(pixels()[:2], SIZES[:2])
    whole = model(ids, image_features=features).logits[0]
    embeds = model.embed(ids, features)
    first = model(inputs_embeds=embeds[:, :-3], use_cache=True)
    rest = model(inputs_embeds=embeds[:, -3:], past_key_values=first.past_key_values)
    assert torch.allclose(torch.cat([first.logits[0], rest.logits[0]]), whole, atol=1e-4)


@pytest.mark.parametrize(
    "how",
    [
        {"do_sample": False},
        {"num_beams": 3, "do_sample": False},
        {"num_beams": 2, "num_return_sequences": 2, "do_sample": False},
    ],
)
def test_generation_is_the_same_with_and_without_cache(model, how):
    inputs = batch()
    cached = model.generate(**inputs, max_new_tokens=8, **how)
    uncached = model.generate(**inputs, max_new_tokens=8, use_cache=False, **how)
    assert torch.equal(cached, uncached)
    assert torch.equal(cached[0, : len(ONE)], inputs["input_ids"][0])
    assert len(set(cached[0, len(ONE) :].tolist())) > 1


def test_image_tokens_are_never_answered():
    model = built()
    ids = torch.tensor([ONE])
    features = model.encode_images(pixels()[:2], SIZES[:2])
    out = model(ids, image_features=features, output_hidden_states=True)
    with torch.no_grad():
        model.get_output_embeddings().weight[IMAGE] = 9 * out.hidden_states[-1][0, -1]
    assert model(ids, image_features=features).logits[0, -1].argmax() == IMAGE
    for how in ({}, {"use_cache": False}, {"num_beams": 2}, {"suppress_tokens": [40]}):
        said = model.generate(ids, image_features=features, max_new_tokens=6, **how)
        assert IMAGE not in said[0, len(ONE) :].tolist()


def test_generation_follows_greedy_steps_of_forward(model):
    ids = torch.tensor([ONE])
    features = model.encode_images(pixels()[:2], SIZES[:2])
    got = model.generate(ids, image_features=features, max_new_tokens=6, do_sample=False)
    for _ in range(6):
        step = model(ids, image_features=features).logits[:, -1].argmax(-1, keepdim=True)
        ids = torch.cat([ids, step], dim=1)
    assert torch.equal(got, ids)


def test_sampling_gives_several_sequences_that_can_be_repeated(model):
    inputs = batch()
    runs = []
    for _ in range(2):
        torch.manual_seed(5)
        runs.append(
            model.generate(**inputs, max_new_tokens=6, do_sample=True, num_return_sequences=3)
        )
    assert runs[0].shape == (6, len(ONE) + 6)
    assert torch.equal(*runs)


def test_features_are_reusable_and_the_tower_runs_once(model, monkeypatch):
    calls = []
    forward = model.vision.forward
    monkeypatch.setattr(
        model.vision, "forward", lambda *a, **k: calls.append(1) or forward(*a, **k)
    )
    inputs = batch()
    with_pixels = model.generate(**inputs, max_new_tokens=5, num_beams=2)
    assert len(calls) == 1
    features = model.encode_images(inputs.pop("pixel_values"), inputs.pop("tgt_sizes"))
    again = model.generate(**inputs, image_features=features, max_new_tokens=5, num_beams=2)
    embeds = model.embed(inputs["input_ids"], features)
    by_embeds = model.generate(
        inputs_embeds=embeds, attention_mask=inputs["attention_mask"], max_new_tokens=5, num_beams=2
    )
    assert len(calls) == 2
    assert torch.equal(with_pixels, again)
    assert torch.equal(by_embeds, again[:, len(ONE) :])


def test_features_can_be_cut_by_package(model):
    features = model.encode_images(pixels(), SIZES, rate=[1, 4, 1])
    assert features.lengths == (QUERIES, QUERIES // 4, QUERIES)
    assert features.full_lengths == (QUERIES,) * 3
    parts = [features.packages(0, 1), features.packages(1, 3)]
    assert torch.equal(torch.cat([part.tokens for part in parts]), features.tokens)
    assert features.to(torch.bfloat16).tokens.dtype == torch.bfloat16


@pytest.mark.parametrize("connector", ["resampler3d", "shuffle_mlp"])
def test_rates_shorten_the_prompt_of_generation(connector):
    """A prompt with room for the full tokens gives what a prompt with exact room gives."""
    model = built(connector=connector)
    features = model.encode_images(pixels()[:2], SIZES[:2], rate=[QUARTER, FULL])
    lengths = features.lengths
    exact = prompt([40, 41], lengths[0], [42], lengths[1], [43])
    loose = prompt([40, 41], features.full_lengths[0], [42], lengths[1], [43])
    assert len(loose) > len(exact)
    wanted = model.generate(
        torch.tensor([exact]), image_features=features, max_new_tokens=5, do_sample=False
    )
    got = model.generate(
        torch.tensor([loose]), pixel_values=pixels()[:2], tgt_sizes=SIZES[:2],
        rate=[QUARTER, FULL], max_new_tokens=5, do_sample=False,
    )  # fmt: skip
    assert torch.equal(got[0, : len(loose)], torch.tensor(loose))
    assert torch.equal(got[0, len(loose) :], wanted[0, len(exact) :])


def test_the_router_decides_by_an_absolute_threshold(model):
    everything = model.encode_images(pixels(), SIZES, rate="router", threshold=0.0)
    assert everything.lengths == (QUERIES // 4,) * 3
    nothing = model.encode_images(pixels(), SIZES, rate="router", threshold=1.1)
    assert nothing.lengths == (QUERIES,) * 3
    packed = model.vision(pixels(), SIZES)
    share = model.router(packed.features, packed.sizes).softmax(-1)[:, 1]
    middle = float(share.detach().sort().values[1])
    some = model.encode_images(pixels(), SIZES, rate="router", threshold=middle - 1e-4)
    alone = [
        model.encode_images(pixels()[[n]], SIZES[[n]], rate="router", threshold=middle - 1e-4)
        for n in range(3)
    ]
    assert some.lengths == tuple(one.lengths[0] for one in alone)
    assert 0 < sum(some.lengths) < 3 * QUERIES


def test_a_model_without_router_says_so():
    with pytest.raises(ConfigError, match="no router"):
        built(router=False).encode_images(pixels(), SIZES, rate="router")


def test_a_video_goes_through_generation(model):
    ids = torch.tensor([prompt([40], QUERIES, [41], QUERIES, [42])])
    times = torch.tensor([[0, 3], [-1, -2]])
    out = model.generate(
        ids, pixel_values=pixels(), tgt_sizes=torch.tensor([[4, 6], [4, 6], [2, 5]]),
        temporal_ids=times, max_new_tokens=4, do_sample=False,
    )  # fmt: skip
    assert out.shape == (1, ids.shape[1] + 4)


def test_a_prompt_without_the_right_room_is_refused(model):
    ids = torch.tensor([prompt([40], QUERIES - 1, [41])])
    with pytest.raises(DataError, match="room for 7 image tokens, the pictures have 8"):
        model(ids, pixels()[:1], SIZES[:1])
    with pytest.raises(DataError, match="room for 7 image tokens, the pictures have 8"):
        model.generate(ids, pixel_values=pixels()[:1], tgt_sizes=SIZES[:1])
    with pytest.raises(DataError, match="room for 7 image tokens, the pictures have 0"):
        model(ids)


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
