"""Generation with pictures: cache, features, rates, the router."""

from __future__ import annotations

import pytest
import torch
from pagemill.engine.errors import ConfigError, DataError
from pagemill.model.slicing import FULL, QUARTER
from support.model import IMAGE, ONE, QUERIES, SIZES, batch, built, pixels, prompt


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
