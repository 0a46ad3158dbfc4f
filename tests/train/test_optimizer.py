"""The optimizer: each parameter once, at its own rate."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from pagemill.engine.errors import ConfigError
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.train.optimizer import adamw, parameter_groups, set_lr
from pagemill.train.recipe.config import PARTS, LoraConfig, OptimConfig
from pagemill.train.trainable import freeze, part_of, trainable_parameters


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
    own = parameter_groups(model, OptimConfig(layer_decay=0.9, tower=0.5))
    counts = Counter(id(one) for group in own for one in group.parameters)
    learns = [one for one in model.parameters() if one.requires_grad]
    assert set(counts) == {id(one) for one in learns}
    assert set(counts.values()) == {1}
    named = [name for group in own for name in group.names]
    assert sorted(named) == sorted(name for name, _ in trainable_parameters(model))
    assert {part_of(name) for name in named} == set(trains)
    if rank:
        assert all(".lora_" in name for name in named if part_of(name) == "language_model")


def test_matrices_decay_and_nothing_else():
    model = freeze(built(), PARTS, LoraConfig())
    decay = {
        name: group.weight_decay
        for group in parameter_groups(model, OptimConfig(weight_decay=0.3))
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
    share = {
        name: group.lr_scale for group in parameter_groups(model, optim) for name in group.names
    }
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
    optimizer = adamw(parameter_groups(model, optim), optim, torch.optim.AdamW)
    set_lr(optimizer, 0.5)
    assert {round(group["lr"], 9) for group in optimizer.param_groups} == {0.05, 0.0, 0.5}
    before = {name: one.detach().clone() for name, one in model.named_parameters()}
    for one in model.parameters():
        one.grad = torch.ones_like(one) if one.requires_grad else None
    optimizer.step()
    moved = {part_of(name) for name, one in model.named_parameters() if not one.equal(before[name])}
    assert moved == {"tower", "language_model"}


def test_nothing_that_learns_is_refused():
    model = built()
    model.requires_grad_(False)
    with pytest.raises(ConfigError, match="nothing learns"):
        parameter_groups(model, OptimConfig())
