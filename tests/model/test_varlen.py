"""What runs on GPUs alone, with a kernel of plain torch in place of theirs."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from pagemill.model import PagemillForConditionalGeneration, attention, packed, preset, varlen
from pagemill.model import vision as tower
from torch import Tensor

SIZES = [(4, 6), (3, 8), (8, 3), (5, 5), (4, 6), (1, 7)]


def plain(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    query_ends: Tensor,
    key_ends: Tensor,
    longest_query: int,
    longest_key: int,
    *,
    window_size: tuple[int, int] = (-1, -1),
    enable_gqa: bool = False,
) -> Tensor:
    """Segment by segment, with the newest kernel's arguments."""
    assert query_ends.dtype == key_ends.dtype == torch.int32
    assert int(query_ends.diff().max()) == longest_query
    assert int(key_ends.diff().max()) == longest_key
    parts = []
    for number in range(len(query_ends) - 1):
        q, k, v = (
            one[ends[number] : ends[number + 1]].transpose(0, 1)
            for one, ends in ((query, query_ends), (key, key_ends), (value, key_ends))
        )
        mixed = F.scaled_dot_product_attention(
            q[None], k[None], v[None], is_causal=window_size == (-1, 0), enable_gqa=enable_gqa
        )
        parts.append(mixed[0].transpose(0, 1))
    return torch.cat(parts)


def older(query: Tensor, key: Tensor, *rest: Tensor | int, is_causal: bool = False) -> Tensor:
    """The same with the options of its first version: as many key heads as query heads."""
    assert query.shape[1] == key.shape[1]
    return plain(query, key, *rest, window_size=(-1, 0) if is_causal else (-1, -1))


@pytest.fixture(params=[plain, older])
def as_on_gpus(request, monkeypatch):
    """Call it, and the model takes the way of GPUs from then on."""

    def change() -> None:
        monkeypatch.setattr(varlen, "kernel", lambda: request.param)
        for module in (attention, packed, tower):
            monkeypatch.setattr(module, "usable", lambda tensor: True)

    return change


@pytest.fixture
def model() -> PagemillForConditionalGeneration:
    torch.manual_seed(0)
    return PagemillForConditionalGeneration(preset("nano"))


def encoded(model: PagemillForConditionalGeneration) -> Tensor:
    longest = max(height * width for height, width in SIZES)
    pixels = torch.randn(len(SIZES), longest, 588, generator=torch.Generator().manual_seed(1))
    return model.encode_images(pixels, torch.tensor(SIZES)).tokens


def gradients(model: PagemillForConditionalGeneration) -> dict[str, Tensor]:
    model.zero_grad()
    tokens = encoded(model)
    (tokens * torch.linspace(-1, 1, tokens.numel()).view_as(tokens)).sum().backward()
    return {name: one.grad for name, one in model.named_parameters() if one.grad is not None} | {
        "tokens": tokens.detach()
    }


def test_tower_and_connector_are_the_same_by_the_kernel(model, as_on_gpus):
    expected = gradients(model)
    as_on_gpus()
    found = gradients(model)
    assert found.keys() == expected.keys()
    assert len(found) > 50
    for name, one in found.items():
        assert torch.allclose(one, expected[name], atol=1e-5), name


def test_in_bfloat16_nothing_is_float32_on_the_way(model, as_on_gpus):
    as_on_gpus()
    low = model.bfloat16()
    table = low.vision.embeddings.position_embedding
    table.forward = table.at_once
    found = gradients(low)
    assert {one.dtype for one in found.values()} == {torch.bfloat16}
    exact = gradients(low.float())
    scale = exact["tokens"].abs().mean()
    assert (found["tokens"].float() - exact["tokens"]).abs().mean() < 0.05 * scale


def test_packed_samples_are_the_same_by_the_kernel(model, as_on_gpus):
    lengths = [5, 1, 9]
    embeds = torch.randn(1, sum(lengths), 128, generator=torch.Generator().manual_seed(2))
    positions = torch.cat([torch.arange(length) for length in lengths])[None]
    model.language_model.set_attn_implementation("packed")
    decoder, given = model.get_decoder(), packed.packed_inputs(lengths, embeds.device)
    call = {"inputs_embeds": embeds, "position_ids": positions, "use_cache": False, **given}
    expected = decoder(**call).last_hidden_state
    as_on_gpus()
    assert torch.allclose(decoder(**call).last_hidden_state, expected, atol=1e-5)


def test_positions_at_once_are_those_one_by_one(model):
    table = model.vision.embeddings.position_embedding
    sizes = [*SIZES, (32, 32), (70, 15), (37, 26)]
    gradient: list[Tensor] = []
    for positions in (table(sizes), table.at_once(sizes)):
        table.weight.grad = None
        (positions * torch.linspace(-1, 1, positions.numel()).view_as(positions)).sum().backward()
        gradient += [positions.detach(), table.weight.grad]
    assert torch.allclose(gradient[0], gradient[2], atol=1e-6)
    assert torch.allclose(gradient[1], gradient[3], atol=1e-4)


def test_another_scale_goes_into_the_queries(monkeypatch):
    monkeypatch.setattr(varlen, "kernel", lambda: plain)
    q, k, v = torch.randn(3, 6, 2, 8)
    ends = torch.tensor([0, 2, 6], dtype=torch.int32)
    found = varlen.varlen(q, k, v, (ends, ends), (4, 4), scaling=0.5)
    expected = varlen.varlen(q * 0.5 * 8**0.5, k, v, (ends, ends), (4, 4))
    assert torch.allclose(found, expected)


def test_the_kernel_is_for_half_precision_on_gpus():
    assert not varlen.usable(torch.zeros(1, dtype=torch.bfloat16))
