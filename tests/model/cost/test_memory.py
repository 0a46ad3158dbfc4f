"""Parameters against known models, memory against what is alive."""

from __future__ import annotations

import weakref

import pytest
import torch
from pagemill.model import preset
from pagemill.model.connector import Resampler3D
from pagemill.model.cost.flops import Flops
from pagemill.model.cost.memory import cache_bytes_per_token, memory
from pagemill.model.cost.size import parameters
from support.cost import (
    EMBEDDED,
    FROZEN,
    PAGE,
    built,
    pictures,
    prompt,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def test_the_resampler_of_the_8b_model_has_88_908_million_parameters():
    with torch.device("meta"):
        module = Resampler3D(64, 4096, 32, 1152)
    assert sum(one.numel() for one in module.parameters()) == 88_907_776
    assert parameters(preset("minicpm-v-4.5"))["connector"] == 88_907_776


def test_presets_have_the_sizes_that_they_say():
    totals = {
        name: parameters(preset(name))["total"]
        for name in ("nano", "small", "base", "minicpm-v-4.5")
    }
    assert totals["nano"] < 3e6
    assert 35e6 <= totals["small"] <= 60e6
    assert round(totals["base"] / 1e9, 1) == 0.7
    assert round(totals["minicpm-v-4.5"] / 1e9, 1) == 8.7


def test_parts_add_up_to_the_real_model(model):
    found = parameters(model.config)
    assert found.pop("total") == sum(found.values())
    assert sum(found.values()) == sum(one.numel() for one in model.parameters())
    assert found["tower"] == sum(one.numel() for one in model.vision.parameters())
    assert found["router"] == sum(one.numel() for one in model.router.parameters())
    assert found["head"] == 0


def test_a_head_of_its_own_is_counted():
    found = parameters(preset("minicpm-v-4.5"))
    assert found["head"] == found["embeddings"] == 4096 * 151_748
    assert found["total"] == 8_695_895_280


def test_counting_leaves_the_configuration_as_it_was():
    config = preset("nano")
    before = config.to_dict()
    parameters(config)
    memory(config, PAGE, None, [300])
    assert config.to_dict() == before


def test_the_cache_is_what_a_cache_takes(model):
    with torch.no_grad():
        cache = model.eval()(torch.full((1, 30), 40), use_cache=True).past_key_values
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert held == 30 * cache_bytes_per_token(model.config, "float32")
    assert memory(model.config, lengths=[30], dtype="float32").inference.cache_bytes == held


def test_training_state_takes_16_bytes_a_parameter_and_less_where_frozen():
    config = preset("small")
    counts = parameters(config)
    for layout in ("bf16", "fp32"):
        assert memory(config, layout=layout).training.state_bytes == 16 * counts["total"]
    aligned = memory(config, frozen=("tower", "language_model")).training
    assert aligned.weights_bytes == 2 * counts["total"]
    assert aligned.state_bytes == 2 * counts["total"] + 14 * counts["connector"]
    assert memory(config).training.activations_bytes == 0


class Live(TorchDispatchMode):
    """The most bytes of tensors that are alive at once, besides those given."""

    def __init__(self, besides) -> None:
        super().__init__()
        self.left_out = {tensor.untyped_storage()._cdata for tensor in besides}
        self.sizes: dict[int, int] = {}
        self.now = self.most = 0

    def see(self, tensor) -> None:
        storage = tensor.untyped_storage()
        name = storage._cdata
        if name in self.sizes or name in self.left_out:
            return
        self.sizes[name] = storage.nbytes()
        self.now += storage.nbytes()
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self.gone, name)

    def gone(self, name) -> None:
        self.now -= self.sizes.pop(name)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for one in tree_leaves(out):
            if isinstance(one, torch.Tensor):
                self.see(one)
        return out


def live_bytes(model, ids, inputs, *, learning: bool) -> int:
    """The most that a step, or a forward pass without gradients, keeps alive."""
    besides = [*model.parameters(), *model.buffers()]
    for one in model.parameters():
        one.grad = torch.zeros_like(one) if learning else None
        besides += [one.grad] if learning else []
    with Live(besides) as live, torch.set_grad_enabled(learning):
        live.see(inputs["pixel_values"])
        if learning:
            model.train()(ids, labels=ids, **inputs).loss.backward()
        else:
            model.eval()(ids, use_cache=False, logits_to_keep=1, **inputs)
    return live.most


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("connector", ["resampler3d", "shuffle_mlp"])
def test_estimates_of_activations_are_near_what_is_alive(connector, kind):
    model = built(connector).to(kind)
    inputs = pictures(PAGE)
    ids = torch.tensor([prompt(model.config, PAGE)])
    settings = {
        "dtype": str(kind).removeprefix("torch."),
        "layout": "fp32" if kind == torch.float32 else "bf16",
    }
    work = (model.config, PAGE, None, [ids.shape[1]])
    found = memory(*work, **settings)
    got = live_bytes(model, ids, inputs, learning=False)
    assert found.inference.activations_bytes == pytest.approx(got, rel=0.1)
    got = live_bytes(model, ids, inputs, learning=True)
    assert found.training.activations_bytes == pytest.approx(got, rel=0.05)
    model.activation_checkpointing_enable()
    found = memory(*work, **settings, checkpointing=True)
    got = live_bytes(model, ids, inputs, learning=True)
    assert found.training.activations_bytes == pytest.approx(got, rel=0.25)


@pytest.mark.parametrize("frozen", FROZEN[1:4], ids="+".join)
def test_estimates_hold_where_parts_are_frozen(frozen):
    model = built()
    for part, name in EMBEDDED.items():
        getattr(model, name).requires_grad_(part not in frozen)
    ids = torch.tensor([prompt(model.config, PAGE)])
    found = memory(model.config, PAGE, None, [ids.shape[1]], layout="fp32", frozen=frozen)
    got = live_bytes(model, ids, pictures(PAGE), learning=True)
    assert found.training.activations_bytes == pytest.approx(got, rel=0.2)


def test_a_frozen_tower_keeps_nothing_and_checkpointing_keeps_less():
    config = preset("small")
    work = (config, [(30, 34)] * 9, None, [1100])
    whole = memory(*work).training.activations_bytes
    assert memory(*work, checkpointing=True).training.activations_bytes < whole / 3
    assert memory(*work, frozen=("tower",)).training.activations_bytes < whole / 2
    assert memory(*work, layout="fp32").training.activations_bytes > 1.5 * whole


def test_parts_of_flops_add_up():
    assert Flops(1, 2, 3, 4, 5).total == 15
