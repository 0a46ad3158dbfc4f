"""Connectors: against a slow reference, one by one against all at once, and the traps of old code.

N patches, W width of the language model, D width of the tower.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pagemill.engine.errors import ConfigError, DataError
from pagemill.model import position
from pagemill.model.connector import BUILDERS, Resampler3D, ShuffleMLP
from pagemill.model.slicing import CONNECTORS, FULL, QUARTER, package_tokens
from torch import nn

WIDTH, KV_WIDTH, QUERIES, HEADS = 32, 24, 16, 4
SIZES = [(4, 6), (3, 3), (4, 6), (2, 5), (4, 6), (3, 3), (1, 9), (7, 2), (4, 6)]
PACKAGES = [[-1], [-1], [0, 3, 7], [-1], [10, 11], [40]]
"""One thumbnail, one slice, three frames, another slice, two frames of other shapes, one frame."""


@pytest.fixture(scope="module")
def resampler() -> Resampler3D:
    torch.manual_seed(0)
    made = Resampler3D(QUERIES, WIDTH, HEADS, KV_WIDTH)
    for name, parameter in made.named_parameters():
        if "bias" in name or name.startswith("ln"):
            nn.init.normal_(parameter, mean=0.5, std=0.3)
    return made.eval()


@pytest.fixture(scope="module")
def shuffle() -> ShuffleMLP:
    torch.manual_seed(1)
    return ShuffleMLP(WIDTH, KV_WIDTH).eval()


def features_of(sizes: list[tuple[int, int]], seed: int = 0) -> torch.Tensor:
    count = sum(height * width for height, width in sizes)
    return torch.randn(count, KV_WIDTH, generator=torch.Generator().manual_seed(seed))


def packages_of(sizes, packages):
    """(sizes, patches) of every package."""
    numbers, start = iter(sizes), 0
    for frames in packages:
        own = [next(numbers) for _ in frames]
        count = sum(height * width for height, width in own)
        yield own, slice(start, start + count)
        start += count


def slow_resampler(module: Resampler3D, features, sizes, times) -> torch.Tensor:
    """One package, by the formulas of the paper, with torch's own multi-head attention."""
    attention = nn.MultiheadAttention(module.width, module.attn.heads, batch_first=True)
    attention.load_state_dict(module.attn.state_dict())
    keys = []
    for (height, width), time in zip(sizes, times, strict=True):
        for row in range(height):
            for col in range(width):
                place = np.concatenate([wave(col, module.width // 2), wave(row, module.width // 2)])
                if time >= 0:
                    place = place + wave(time, module.width)
                keys.append(place)
    inner = module.ln_kv(features @ module.kv_proj.weight.T)
    key = inner + torch.tensor(np.array(keys), dtype=torch.float32)
    query = module.ln_q(module.query)
    out, _ = attention(query[None], key[None], inner[None], need_weights=False)
    return module.ln_post(out[0]) @ module.proj


def wave(place: float, width: int) -> np.ndarray:
    """One position of the fixed sine-cosine table, entry by entry."""
    angles = [place / 10000 ** (2 * k / width) for k in range(width // 2)]
    return np.array([math.sin(a) for a in angles] + [math.cos(a) for a in angles])


def test_the_resampler_of_the_8b_model_has_88_908_million_parameters():
    with torch.device("meta"):
        module = Resampler3D(64, 4096, 32, 1152)
    assert sum(parameter.numel() for parameter in module.parameters()) == 88_907_776


def test_parameter_names_are_those_of_the_released_checkpoint(resampler):
    assert set(resampler.state_dict()) == {
        "query", "proj", "kv_proj.weight",
        "attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.weight", "attn.out_proj.bias",
        "ln_q.weight", "ln_q.bias", "ln_kv.weight", "ln_kv.bias", "ln_post.weight", "ln_post.bias",
    }  # fmt: skip


def test_a_mixed_batch_equals_the_slow_reference(resampler):
    features = features_of(SIZES)
    tokens, lengths = resampler(features, SIZES, PACKAGES)
    assert lengths == [QUERIES] * len(PACKAGES)
    for number, (own, patches) in enumerate(packages_of(SIZES, PACKAGES)):
        expected = slow_resampler(resampler, features[patches], own, PACKAGES[number])
        got = tokens[number * QUERIES : (number + 1) * QUERIES]
        assert torch.allclose(got, expected, atol=1e-5), number


@pytest.mark.parametrize("kind", ["resampler", "shuffle"])
@pytest.mark.parametrize("rate", [FULL, QUARTER, [1, 4, 4, 1, 4, 1]])
def test_a_mixed_batch_equals_its_packages_one_by_one(request, kind, rate):
    module = request.getfixturevalue(kind)
    features = features_of(SIZES)
    tokens, lengths = module(features, torch.tensor(SIZES), PACKAGES, rate)
    rates = [rate] * len(PACKAGES) if isinstance(rate, int) else rate
    alone = [
        module(features[patches], own, [times], one)
        for (own, patches), times, one in zip(
            packages_of(SIZES, PACKAGES), PACKAGES, rates, strict=True
        )
    ]
    assert lengths == [count for _, counts in alone for count in counts]
    assert torch.allclose(tokens, torch.cat([one for one, _ in alone]), atol=1e-5)
    assert tokens.shape == (sum(lengths), WIDTH)


@pytest.mark.parametrize("kind", ["resampler", "shuffle"])
def test_no_package_sees_another(request, kind):
    """The gradient of one package's tokens is zero in every other package's patches."""
    module = request.getfixturevalue(kind)
    features = features_of(SIZES).requires_grad_()
    tokens, lengths = module(features, SIZES, PACKAGES)
    for number, (_, patches) in enumerate(packages_of(SIZES, PACKAGES)):
        start = sum(lengths[:number])
        own = tokens[start : start + lengths[number]]
        (gradient,) = torch.autograd.grad(own.square().sum(), features, retain_graph=True)
        touched = gradient.abs().sum(1) > 0
        assert touched[patches].all()
        touched[patches] = False
        assert not touched.any()


def test_one_frame_without_time_is_the_2d_resampler(resampler):
    features = features_of([(4, 6)])
    plain, _ = resampler(features, [(4, 6)])
    as_video, _ = resampler(features, [(4, 6)], [[position.NO_TIME]])
    assert torch.equal(plain, as_video)


def test_the_order_of_frames_in_time_shows(resampler):
    sizes = [(4, 6), (4, 6)]
    features = features_of(sizes)
    forward, _ = resampler(features, sizes, [[0, 9]])
    backward, _ = resampler(features, sizes, [[9, 0]])
    untimed, _ = resampler(features, sizes, [[-1, -1]])
    assert not torch.allclose(forward, backward, atol=1e-3)
    assert not torch.allclose(forward, untimed, atol=1e-3)


def test_six_frames_of_448_px_share_64_tokens():
    module = Resampler3D(64, WIDTH, HEADS, KV_WIDTH)
    sizes = [(32, 32)] * 6
    tokens, lengths = module(features_of(sizes), sizes, [[0, 1, 2, 3, 4, 5]])
    assert lengths == [64]
    assert tokens.shape == (64, WIDTH)


def test_time_moves_keys_and_never_values(resampler):
    """With equal scores everywhere the mix is the mean of the values: time must not show in it."""
    flat = Resampler3D(QUERIES, WIDTH, HEADS, KV_WIDTH)
    flat.load_state_dict(resampler.state_dict())
    with torch.no_grad():
        flat.attn.in_proj_weight[WIDTH : 2 * WIDTH] = 0
    sizes = [(3, 3), (3, 3)]
    features = features_of(sizes)
    early, _ = flat(features, sizes, [[0, 1]])
    late, _ = flat(features, sizes, [[500, 900]])
    assert torch.allclose(early, late, atol=1e-6)


def test_columns_stand_in_the_first_half_of_the_channels():
    table = position.patches([(2, 3)], WIDTH, torch.device("cpu")).view(2, 3, WIDTH)
    half = WIDTH // 2
    assert torch.equal(table[0, :, :half], table[1, :, :half])
    assert torch.equal(table[:, 0, half:], table[:, 2, half:])
    assert not torch.equal(table[0, 0, :half], table[0, 1, :half])


def test_positions_grow_beyond_the_table():
    table = position.patches([(1, 200)], WIDTH, torch.device("cpu"))
    assert torch.allclose(table[199, : WIDTH // 2], torch.tensor(wave(199, 16)).float(), atol=1e-6)


def test_frames_of_different_sizes_keep_each_key_with_its_own_position(resampler):
    """Trap: keys flattened patch by patch, but filled up frame by frame.

    With frames of unequal size such code pairs patches with the positions of others. The slow
    reference pairs them one by one.
    """
    sizes, times = [(2, 5), (4, 6), (1, 9)], [3, 8, 21]
    features = features_of(sizes, seed=7)
    tokens, _ = resampler(features, sizes, [times])
    assert torch.allclose(tokens, slow_resampler(resampler, features, sizes, times), atol=1e-5)


def test_a_batch_of_videos_gives_tokens_by_package_and_not_by_frame(resampler):
    """Trap: packed video outputs cut apart by the number of frames instead of packages."""
    packages = [[0, 1, 2], [3, 4], [-1]]
    sizes = [(3, 3)] * 6
    features = features_of(sizes)
    tokens, lengths = resampler(features, sizes, packages)
    assert len(lengths) == 3
    last, _ = resampler(features[-9:], sizes[-1:])
    assert torch.allclose(tokens[-QUERIES:], last, atol=1e-5)


def test_a_quarter_of_the_tokens_is_a_prefix_of_all(resampler):
    features = features_of(SIZES)
    full, _ = resampler(features, SIZES)
    quarter, lengths = resampler(features, SIZES, None, QUARTER)
    assert lengths == [QUERIES // 4] * len(SIZES)
    wanted = full.view(len(SIZES), QUERIES, WIDTH)[:, : QUERIES // 4].flatten(0, 1)
    assert torch.equal(quarter, wanted)


def test_shuffle_gives_256_and_64_tokens_for_1024_patches(shuffle):
    features = features_of([(32, 32)])
    assert shuffle(features, [(32, 32)])[1] == [256]
    assert shuffle(features, [(32, 32)], None, QUARTER)[1] == [64]


def test_shuffle_reads_blocks_of_neighbours_and_zeros_beyond_the_edge(shuffle):
    features = features_of([(3, 5)])
    tokens, lengths = shuffle(features, [(3, 5)])
    assert lengths == [6] == [package_tokens([(3, 5)], connector="shuffle_mlp")]
    square = torch.zeros(4, 6, KV_WIDTH)
    square[:3, :5] = features.view(3, 5, KV_WIDTH)
    corner = torch.cat([square[2, 4], square[2, 5], square[3, 4], square[3, 5]])
    assert torch.allclose(tokens[5], shuffle.full(corner), atol=1e-5)


def test_both_branches_get_gradients_whatever_the_rate():
    """Under ZeRO-3 every rank must touch every layer."""
    module = ShuffleMLP(WIDTH, KV_WIDTH)
    tokens, _ = module(features_of([(4, 4)]), [(4, 4)], None, FULL)
    tokens.sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([(4, 6)], [[0] * 7]), "1 to 6"),
        (([(4, 6)], [[0, 1]]), "2 frames"),
        (([(4, 5)], None), "do not fit"),
        (([(4, 6)], None, 2), "1 (full) or 4"),
        (([(4, 6)], None, [1, 1]), "2 rates"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(resampler, arguments, words):
    with pytest.raises(DataError, match=words.replace("(", r"\(").replace(")", r"\)")):
        resampler(features_of([(4, 6)]), *arguments)


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(ConfigError, match="multiple of 4"):
        Resampler3D(64, 30, 4, 24)


def test_every_connector_that_a_configuration_may_name_can_be_built():
    assert tuple(BUILDERS) == CONNECTORS
