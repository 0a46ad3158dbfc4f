"""The optimiser: each parameter once, at its own pace; and the learning rate over the steps."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.train.lr import lr_factor
from pagemill.train.optimizer import adamw, freeze, groups, learning, part_of, set_lr
from pagemill.train.recipe.recipe import PARTS, LoraConfig, LrScheduleConfig, OptimConfig


def built(tied: bool = True) -> PagemillForConditionalGeneration:
    config = preset("nano", query_num=4, router=True)
    config.text_config.tie_word_embeddings = tied
    config.text_config.vocab_size = 300
    torch.manual_seed(0)
    return PagemillForConditionalGeneration(config)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    ("trains", "rank"),
    [(PARTS, 0), (("connector",), 0), (("tower", "connector"), 0), (PARTS, 4)],
)
def test_each_parameter_that_learns_is_in_one_group(tied, trains, rank):
    model = freeze(built(tied), trains, LoraConfig(rank=rank))
    own = groups(model, OptimConfig(layer_decay=0.9, tower=0.5))
    counts = Counter(id(one) for group in own for one in group.parameters)
    learns = [one for one in model.parameters() if one.requires_grad]
    assert set(counts) == {id(one) for one in learns}
    assert set(counts.values()) == {1}
    named = [name for group in own for name in group.names]
    assert sorted(named) == sorted(name for name, _ in learning(model))
    assert {part_of(name) for name in named} == set(trains)
    if rank:
        assert all(".lora_" in name for name in named if part_of(name) == "language_model")


def test_matrices_decay_and_nothing_else():
    model = freeze(built(), PARTS, LoraConfig())
    decay = {
        name: group.weight_decay
        for group in groups(model, OptimConfig(weight_decay=0.3))
        for name in group.names
    }
    for name, value in decay.items():
        plain = "embed" in name or "norm" in name or name.endswith("bias") or ".ln_" in name
        assert value == (0.0 if plain else 0.3), name
    assert set(decay.values()) == {0.0, 0.3}
    assert decay["language_model.model.embed_tokens.weight"] == 0
    assert decay["vision.embeddings.patch_embedding.weight"] == 0
    assert decay["language_model.model.layers.0.mlp.up_proj.weight"] == 0.3


def test_lower_layers_learn_slower():
    model = freeze(built(tied=False), PARTS, LoraConfig())
    optim = OptimConfig(layer_decay=0.5, tower=0.1, connector=2.0)
    share = {name: group.share for group in groups(model, optim) for name in group.names}
    text, layers = "language_model.model", range(3)
    assert [share[f"{text}.layers.{n}.mlp.up_proj.weight"] for n in layers] == [0.25, 0.5, 1]
    assert share[f"{text}.embed_tokens.weight"] == 0.125
    assert share["language_model.lm_head.weight"] == share[f"{text}.norm.weight"] == 1
    tower = sorted({value for name, value in share.items() if name.startswith("vision")})
    assert tower == pytest.approx([0.0125, 0.025, 0.05, 0.1])
    assert {value for name, value in share.items() if name.startswith("connector")} == {2.0}


def test_groups_get_their_share_of_the_learning_rate():
    model = freeze(built(), PARTS, LoraConfig())
    optim = OptimConfig(lr=1e-3, tower=0.1, connector=0.0)
    optimiser = adamw(groups(model, optim), optim, torch.optim.AdamW)
    set_lr(optimiser, 0.5)
    assert {round(group["lr"], 9) for group in optimiser.param_groups} == {0.05, 0.0, 0.5}
    before = {name: one.detach().clone() for name, one in model.named_parameters()}
    for one in model.parameters():
        one.grad = torch.ones_like(one) if one.requires_grad else None
    optimiser.step()
    moved = {part_of(name) for name, one in model.named_parameters() if not one.equal(before[name])}
    assert moved == {"tower", "language_model"}


def test_nothing_that_learns_is_refused():
    model = built()
    model.requires_grad_(False)
    with pytest.raises(ConfigError, match="nothing learns"):
        groups(model, OptimConfig())


PACES = st.builds(
    lambda kind, warmup, decay, final: LrScheduleConfig(
        kind=kind, warmup=warmup, decay=(1 - warmup) * decay, final=final
    ),
    st.sampled_from(["wsd", "cosine", "constant"]),
    *[st.floats(0, 1)] * 3,
)


@given(PACES, st.integers(1, 3000))
def test_the_learning_rate_is_a_share_that_rises_then_falls(pace, steps):
    shares = [lr_factor(step, steps, pace) for step in range(steps)]
    assert all(0 <= share <= 1 for share in shares)
    top = shares.index(max(shares))
    assert all(a <= b + 1e-9 for a, b in pairwise(shares[: top + 1]))
    assert all(a >= b - 1e-9 for a, b in pairwise(shares[top:]))


@given(PACES, st.integers(10, 3000))
def test_it_ends_at_the_final_share(pace, steps):
    last = lr_factor(steps - 1, steps, pace)
    if pace.warmup * steps > steps - 1:
        return  # it never gets that far
    if pace.kind == "cosine" or (pace.kind == "wsd" and pace.decay * steps >= 1):
        assert last == pytest.approx(pace.final, abs=1e-9)
    elif pace.kind == "constant":
        assert last == 1


def test_shapes():
    wsd = LrScheduleConfig(kind="wsd", warmup=0.1, decay=0.5, final=0.2)
    shares = [lr_factor(step, 100, wsd) for step in range(100)]
    assert shares[:10] == pytest.approx([(step + 1) / 11 for step in range(10)])
    assert shares[10:50] == [1.0] * 40
    assert shares[50:] == pytest.approx([1 - 0.8 * (step + 1) / 50 for step in range(50)])
    cosine = LrScheduleConfig(kind="cosine", warmup=0.0, final=0.0)
    assert lr_factor(49, 100, cosine) == pytest.approx(0.5)
    assert lr_factor(24, 100, cosine) == pytest.approx((1 + 0.5**0.5) / 2)
    constant = LrScheduleConfig(kind="constant", warmup=0.02)
    assert [lr_factor(step, 100, constant) for step in (0, 1, 2, 99)] == pytest.approx(
        [1 / 3, 2 / 3, 1, 1]
    )
