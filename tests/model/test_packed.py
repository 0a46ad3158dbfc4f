"""Packed attention: samples laid end to end are computed as if each were alone."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.model.packed import PACKED, packed_attention, packed_inputs
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM

LENGTHS = (7, 1, 12, 3, 12)
CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=[(4, 4), (4, 2), (4, 1)], ids=["mha", "gqa", "mqa"])
def decoder(request) -> nn.Module:
    heads, key_heads = request.param
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "qwen3", hidden_size=32, intermediate_size=48, num_hidden_layers=2, head_dim=8,
        num_attention_heads=heads, num_key_value_heads=key_heads, vocab_size=50,
    )  # fmt: skip
    return AutoModelForCausalLM.from_config(config).double().get_decoder().train()


def run(decoder: nn.Module, embeds: Tensor, implementation: str, **given_) -> Tensor:
    decoder.set_attn_implementation(implementation)
    return decoder(inputs_embeds=embeds, use_cache=False, **given_).last_hidden_state


def learned(decoder: nn.Module, parts: list[tuple[Tensor, dict]], implementation: str):
    """Outputs end to end, and the gradients of a random sum of them, the inputs' first."""
    decoder.zero_grad(set_to_none=True)
    given_ = [part.clone().requires_grad_() for part, _ in parts]
    outs = [
        run(decoder, own, implementation, **more)
        for own, (_, more) in zip(given_, parts, strict=True)
    ]
    out = torch.cat(outs, 1)
    torch.manual_seed(7)
    (out * torch.randn_like(out)).sum().backward()
    inputs = torch.cat([one.grad for one in given_], 1)
    weights = [one.grad for one in decoder.parameters() if one.grad is not None]
    return out.detach(), [inputs, *weights]


def test_outputs_and_gradients_are_those_of_each_sample_alone(decoder):
    torch.manual_seed(1)
    embeds = torch.randn(1, sum(LENGTHS), 32, dtype=torch.float64)
    positions = torch.cat([torch.arange(length) for length in LENGTHS])[None]
    packed = learned(
        decoder, [(embeds, {"position_ids": positions, **packed_inputs(LENGTHS, CPU)})], PACKED
    )
    masked = learned(decoder, [(embeds, {"position_ids": positions})], "sdpa")
    alone = learned(decoder, [(one, {}) for one in embeds.split(LENGTHS, 1)], "sdpa")
    for other in (masked, alone):
        assert torch.allclose(packed[0], other[0], atol=1e-12)
        assert len(packed[1]) == len(other[1])
        for mine, theirs in zip(packed[1], other[1], strict=True):
            assert torch.allclose(mine, theirs, atol=1e-11)


def test_no_sample_sees_another(decoder):
    """A change in one sample moves nothing in those before and behind it."""
    torch.manual_seed(2)
    embeds = torch.randn(1, sum(LENGTHS), 32, dtype=torch.float64)
    changed = embeds.clone()
    changed[:, 8:20] += 1
    given_ = packed_inputs(LENGTHS, CPU)
    one, other = (run(decoder, part, PACKED, **given_) for part in (embeds, changed))
    moved = (one != other).any(-1)[0]
    assert moved[8:20].all()
    assert not moved[:8].any()
    assert not moved[20:].any()


def test_a_call_without_lengths_is_an_ordinary_one(decoder):
    """Batches with padding, such as those of evaluation, keep their mask."""
    torch.manual_seed(3)
    embeds = torch.randn(2, 9, 32, dtype=torch.float64)
    mask = torch.ones(2, 9, dtype=torch.int64)
    mask[1, :4] = 0
    got, wanted = (run(decoder, embeds, one, attention_mask=mask) for one in (PACKED, "sdpa"))
    assert torch.allclose(got[mask.bool()], wanted[mask.bool()], atol=1e-12)
    assert not torch.allclose(got[1, 4:], run(decoder, embeds, PACKED)[1, 4:])


def test_generation_writes_the_same():
    torch.manual_seed(0)
    model = PagemillForConditionalGeneration(preset("nano", query_num=4)).eval()
    ids = torch.tensor([[0, 0, 40, 41, 42], [50, 51, 52, 53, 54]])
    mask = (ids != 0).long()
    said = []
    for name in ("sdpa", PACKED):
        model.language_model.set_attn_implementation(name)
        said.append(
            model.generate(ids, attention_mask=mask, max_new_tokens=12, do_sample=False,
                           eos_token_id=None)
        )  # fmt: skip
    assert torch.equal(*said)
    assert said[0].shape[1] == 17


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.sampled_from([(2, 2), (4, 2), (3, 1)]),
    st.integers(0, 999),
)
@settings(max_examples=40)
def test_it_is_the_formula_with_a_mask_of_blocks(lengths, heads, seed):
    query_heads, key_heads = heads
    total = sum(lengths)
    torch.manual_seed(seed)
    query = torch.randn(1, query_heads, total, 4, dtype=torch.float64)
    key, value = torch.randn(2, 1, key_heads, total, 4, dtype=torch.float64)
    module = nn.Module()
    module.num_key_value_groups = query_heads // key_heads
    got, weights = packed_attention(
        module, query, key, value, None, scaling=0.3, **lengths_of(lengths)
    )
    assert weights is None
    sample = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))
    seen = (sample[:, None] == sample[None]).tril()
    key, value = (one.repeat_interleave(query_heads // key_heads, 1) for one in (key, value))
    scores = (query @ key.transpose(2, 3) * 0.3).masked_fill(~seen, float("-inf"))
    wanted = F.softmax(scores, -1) @ value
    assert torch.allclose(got, wanted.transpose(1, 2), atol=1e-12)


def lengths_of(lengths: list[int]) -> dict:
    """What the kernel takes of `packed_inputs`; the rest is for the decoder."""
    given_ = packed_inputs(lengths, CPU)
    return {name: given_[name] for name in ("packed_lengths", "packed_ends")}
