"""The whole model: a Hugging Face model like any other, packed as well as not."""

from __future__ import annotations

import pytest
import torch
from pagemill.engine.errors import DataError
from support.model import IMAGE, ONE, SIZES, TWO, batch, built, pixels


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
