"""The tower: packed equals one by one, padding is never read, positions are those of the models."""

from __future__ import annotations

import pytest
import torch
from pagemill.engine.errors import ConfigError, DataError
from pagemill.model.config import PagemillVisionConfig
from pagemill.model.vision import PagemillVisionModel, buckets
from transformers import Siglip2VisionConfig, Siglip2VisionModel

SIZES = torch.tensor([[4, 6], [3, 3], [4, 6], [2, 5], [6, 4]])
SMALL = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2,
         "num_attention_heads": 4, "patch_size": 4, "position_side": 8}  # fmt: skip


def tower(**changes) -> PagemillVisionModel:
    torch.manual_seed(0)
    return PagemillVisionModel(PagemillVisionConfig(**{**SMALL, **changes})).eval()


def pixels(sizes=SIZES, seed=0) -> torch.Tensor:
    longest = int((sizes[:, 0] * sizes[:, 1]).max())
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(sizes), longest, 48, generator=generator)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("position", ["interpolate", "bucket"])
def test_slices_together_equal_slices_alone(attention, position):
    model = tower(position=position)
    model.set_attn_implementation(attention)
    values = pixels()
    together = model(values, SIZES)
    alone = torch.cat([model(values[[n]], SIZES[[n]]).features for n in range(len(SIZES))])
    assert together.lengths == [24, 9, 24, 10, 24]
    assert torch.allclose(together.features, alone, atol=1e-5)


def test_padding_never_leaks():
    model = tower()
    values = pixels()
    clean = model(values, SIZES).features
    for number, (height, width) in enumerate(SIZES.tolist()):
        values[number, height * width :] = float("nan")
    assert torch.equal(model(values, SIZES).features, clean)


def test_no_slice_sees_another():
    model = tower()
    values = pixels().requires_grad_()
    packed = model(values, SIZES)
    first = packed.features[: packed.lengths[0]]
    (gradient,) = torch.autograd.grad(first.square().sum(), values)
    assert (gradient[0, :24].abs().sum(1) > 0).all()
    assert not gradient[1:].any()


def test_interpolated_positions_are_those_of_siglip_2():
    """The same weights in transformers' own tower give the same features."""
    theirs = Siglip2VisionModel(
        Siglip2VisionConfig(
            hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            patch_size=4, num_patches=64, hidden_act="gelu_pytorch_tanh", vision_use_head=False,
        )
    ).eval()  # fmt: skip
    ours = tower()
    state = ours.state_dict()
    weight = state["embeddings.patch_embedding.weight"]
    state["embeddings.patch_embedding.weight"] = weight.permute(0, 2, 3, 1).flatten(1)
    names = theirs.state_dict()
    prefix = "vision_model." if any(name.startswith("vision_model.") for name in names) else ""
    missing, _ = theirs.load_state_dict(
        {f"{prefix}{name}": value for name, value in state.items()}, strict=False
    )
    assert not missing
    values = pixels()
    mask = torch.zeros(values.shape[:2], dtype=torch.int64)
    for row, (height, width) in zip(mask, SIZES.tolist(), strict=True):
        row[: height * width] = 1
    channel_last = values.view(*values.shape[:2], 3, 4, 4).permute(0, 1, 3, 4, 2).flatten(2)
    with torch.no_grad():
        expected = theirs(channel_last, mask, SIZES).last_hidden_state[mask.bool()]
        got = ours(values, SIZES).features
    assert torch.allclose(got, expected, atol=1e-5)


def test_buckets_are_those_of_the_released_tower():
    """By counting: patch i of n stands at i / n, and entry k of a table of s begins at k / s."""
    for side in (32, 70):
        for count in (1, 2, 7, 27, 32, 38, 70, 150):
            got = buckets(count, side).tolist()
            exact = [i * side // count for i in range(count)]
            assert len(got) == count
            assert got == sorted(got)
            assert max(abs(a - b) for a, b in zip(got, exact, strict=True)) <= 1
            assert sum(a != b for a, b in zip(got, exact, strict=True)) <= count // 8 + 1


def test_bytes_are_normalised_on_the_way_in():
    model = tower()
    raw = torch.randint(0, 256, (5, 24, 48), dtype=torch.uint8)
    floats = (raw.float() / 255 - 0.5) / 0.5
    assert torch.allclose(model(raw, SIZES).features, model(floats, SIZES).features, atol=1e-5)


def test_gradient_checkpointing_changes_no_gradient():
    model, values = tower().train(), pixels()
    gradients = []
    for checkpointing in (False, True):
        model.zero_grad()
        if checkpointing:
            model.activation_checkpointing_enable()
        model(values, SIZES).features.square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize(
    ("values", "sizes", "words"),
    [
        (torch.zeros(1, 24, 47), [[4, 6]], r"\[slices, patches, 48\]"),
        (torch.zeros(2, 24, 48), [[4, 6]], "2 slices of pixels, 1 tgt_sizes"),
        (torch.zeros(1, 24, 48), [[5, 6]], "5 x 6 patches does not fit 24"),
        (torch.zeros(1, 24, 48), [[0, 6]], "0 x 6"),
    ],
)
def test_pixels_that_do_not_fit_are_refused(values, sizes, words):
    with pytest.raises(DataError, match=words):
        tower()(values, torch.tensor(sizes))


def test_a_configuration_that_cannot_be_is_refused():
    with pytest.raises(ConfigError, match="interpolate, bucket"):
        PagemillVisionConfig(position="learned")
    with pytest.raises(ConfigError, match="cannot share evenly"):
        PagemillVisionConfig(hidden_size=100, num_attention_heads=3)
