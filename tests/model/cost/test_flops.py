"""FLOPs against torch's own counter, parameters against known sizes, memory against live tensors.

Attention runs as written-out products: on the CPU torch's counter does not know the fused kernel.
"""

from __future__ import annotations

import weakref

import pytest
import torch
from pagemill.engine.errors import ConfigError
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.model.connector import Resampler3D
from pagemill.model.cost.flops import (
    PARTS,
    Flops,
    forward_flops,
    generation_flops,
    language,
    parameters,
    training_flops,
)
from pagemill.model.cost.memory import cache_bytes_per_token, memory
from pagemill.model.slicing import FULL, QUARTER, package_tokens
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM

IMAGE, QUERIES, WORDS = 11, 16, 40
PAGE = [(12, 16)] + [(14, 18)] * 3
"""A thumbnail and three slices."""
VIDEO = [(10, 14)] * 7
FRAMES = [3, 3, 1]
EMBEDDED = {"tower": "vision", "connector": "connector", "language_model": "language_model"}


def built(connector: str = "resampler3d", **changes) -> PagemillForConditionalGeneration:
    config = preset("nano", connector=connector, query_num=QUERIES, router=True, **changes)
    config.text_config.vocab_size = 300
    torch.manual_seed(0)
    return PagemillForConditionalGeneration(config)


@pytest.fixture(scope="module", params=["resampler3d", "shuffle_mlp"])
def model(request) -> PagemillForConditionalGeneration:
    return built(request.param)


def visual(config, sizes, frames=None, rate=FULL) -> int:
    """Visual tokens of all packages."""
    rest = iter(sizes)
    packages = [[next(rest) for _ in range(count)] for count in frames or [1] * len(sizes)]
    rates = [rate] * len(packages) if isinstance(rate, int) else rate
    return sum(
        package_tokens(own, connector=config.connector, query_num=config.query_num, rate=one)
        for own, one in zip(packages, rates, strict=True)
    )


def pictures(sizes, frames=None) -> dict:
    """Random pixels of slices; with `frames`, times of a video."""
    longest = max(height * width for height, width in sizes)
    inputs = {
        "pixel_values": torch.randn(len(sizes), longest, 588),
        "tgt_sizes": torch.tensor(sizes),
    }
    if frames:
        times = iter(range(len(sizes)))
        inputs["temporal_ids"] = [[next(times) for _ in range(count)] for count in frames]
    return inputs


def prompt(config, sizes, frames=None, rate=FULL) -> list[int]:
    return [IMAGE] * visual(config, sizes, frames, rate) + [40] * WORDS


def counted(run, *, part: str = "Global") -> int:
    """What torch's counter sees of a call."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        run()
    return sum(counter.get_flop_counts()[part].values())


def test_the_tower_alone(model):
    inputs = pictures(PAGE)
    got = counted(lambda: model.vision(inputs["pixel_values"], inputs["tgt_sizes"]))
    assert got == forward_flops(model.config, PAGE, None, []).tower


def test_the_tower_looks_only_within_slices():
    config = preset("nano")
    apart = forward_flops(config, PAGE, None, []).tower
    one = forward_flops(config, [(1, sum(high * wide for high, wide in PAGE))], None, []).tower
    assert one > 1.1 * apart


@pytest.mark.parametrize("rate", [FULL, QUARTER, [1, 4, 4]])
def test_a_connector_alone(model, rate):
    features = torch.randn(sum(high * wide for high, wide in VIDEO), 96)
    times = pictures(VIDEO, FRAMES)["temporal_ids"]
    got = counted(lambda: model.connector(features, VIDEO, times, rate))
    assert got == forward_flops(model.config, VIDEO, FRAMES, [], rate=rate).connector


def test_the_router_alone(model):
    features = torch.randn(sum(high * wide for high, wide in VIDEO), 96)
    got = counted(lambda: model.router(features, VIDEO, pictures(VIDEO, FRAMES)["temporal_ids"]))
    expected = forward_flops(model.config, VIDEO, FRAMES, [], routed=True)
    assert got == expected.router
    assert forward_flops(model.config, VIDEO, FRAMES, []).router == 0


@pytest.mark.parametrize("logit_tokens", [None, 1])
def test_the_language_model_alone(model, logit_tokens):
    ids = torch.full((1, 90), 40)
    got = counted(lambda: model.language_model(ids, logits_to_keep=logit_tokens or 0))
    expected = forward_flops(
        model.config, [], None, [90], full_square=True, logit_tokens=logit_tokens
    )
    assert got == expected.total
    assert expected.tower == expected.connector == 0


def test_causal_attention_counts_half_unless_the_square_is_asked_for(model):
    whole = forward_flops(model.config, [], None, [90], full_square=True)
    half = forward_flops(model.config, [], None, [90])
    layers, heads, head_width = 3, 4, 32
    assert whole.language_model - half.language_model == 2 * layers * heads * head_width * 90**2


@pytest.mark.parametrize("rate", [FULL, QUARTER])
def test_a_page_of_several_slices_and_text(model, rate):
    ids = prompt(model.config, PAGE, rate=rate)
    got = counted(lambda: model.eval()(torch.tensor([ids]), rate=rate, **pictures(PAGE)))
    expected = forward_flops(model.config, PAGE, None, [len(ids)], rate=rate, full_square=True)
    assert got == expected.total


def test_parts_are_where_the_counter_sees_them(model):
    ids = torch.tensor([prompt(model.config, PAGE)])
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model.eval()(ids, **pictures(PAGE))
    seen = {name: sum(one.values()) for name, one in counter.get_flop_counts().items()}
    top = "PagemillForConditionalGeneration"
    expected = forward_flops(model.config, PAGE, None, [ids.shape[1]], full_square=True)
    assert seen[f"{top}.vision"] == expected.tower
    assert seen[f"{top}.connector"] == expected.connector
    assert seen[f"{top}.language_model.model"] == expected.language_model
    assert seen[f"{top}.language_model.lm_head"] == expected.head


def test_a_video_whose_frames_share_packages(model):
    ids = prompt(model.config, VIDEO, FRAMES)
    got = counted(lambda: model.eval()(torch.tensor([ids]), **pictures(VIDEO, FRAMES)))
    expected = forward_flops(model.config, VIDEO, FRAMES, [len(ids)], full_square=True)
    assert got == expected.total


def test_two_packed_samples(model):
    """SDPA computes packed samples as one square with a mask, so that is what the counter sees.

    The cost of the samples themselves is that of each alone.
    """
    first, second = prompt(model.config, PAGE), prompt(model.config, VIDEO[:1])
    sizes, lengths = [*PAGE, VIDEO[0]], [len(first), len(second)]
    inputs = {
        "input_ids": torch.tensor([first + second]),
        "position_ids": torch.tensor([[*range(lengths[0]), *range(lengths[1])]]),
        "use_cache": False,
        **pictures(sizes),
    }
    got = counted(lambda: model.eval()(**inputs))
    one_square = forward_flops(model.config, sizes, None, [sum(lengths)], full_square=True)
    packed = forward_flops(model.config, sizes, None, lengths, full_square=True)
    assert got == one_square.total
    assert packed.language_model < one_square.language_model
    alone = [
        forward_flops(model.config, PAGE, None, lengths[:1], full_square=True),
        forward_flops(model.config, VIDEO[:1], None, lengths[1:], full_square=True),
    ]
    assert packed.language_model == sum(one.language_model for one in alone)
    assert packed.tower == sum(one.tower for one in alone)


FROZEN = [
    (),
    ("tower",),
    ("language_model",),
    ("tower", "language_model"),
    ("connector", "language_model"),
    ("tower", "connector"),
    ("connector",),
]


@pytest.mark.parametrize("frozen", FROZEN, ids="+".join)
def test_training_with_parts_frozen(model, frozen):
    model = built(model.config.connector)
    for part, name in EMBEDDED.items():
        getattr(model, name).requires_grad_(part not in frozen)
    ids = torch.tensor([prompt(model.config, PAGE)])
    inputs = pictures(PAGE)
    model.train()
    got = counted(lambda: model(ids, labels=ids, **inputs).loss.backward())
    expected = training_flops(
        model.config, PAGE, None, [ids.shape[1]], frozen=frozen, full_square=True
    )
    assert got == expected.total


def test_training_counts_6_4_and_2_per_parameter_and_token(model):
    size = {"lengths": [300], "packages": None, "tgt_sizes": PAGE}
    forward = forward_flops(model.config, **size)
    trained = training_flops(model.config, **size)
    passed = training_flops(model.config, **size, frozen=("connector", "language_model"))
    still = training_flops(model.config, **size, frozen=PARTS)
    assert trained.language_model == 3 * forward.language_model
    assert trained.head == 3 * forward.head
    assert passed.head == 2 * forward.head
    assert still == forward
    assert 2.8 * forward.tower < trained.tower < 3 * forward.tower


def test_text_alone_costs_nothing_in_tower_and_connector(model):
    got = training_flops(model.config, [], None, [50], frozen=("language_model",))
    assert got.tower == got.connector == 0
    assert got == forward_flops(model.config, [], None, [50])


def test_steps_with_a_cache(model):
    model.eval()
    ids = torch.full((1, 30), 40)
    with torch.no_grad():
        cache = model(ids, use_cache=True).past_key_values

    def steps():
        with torch.no_grad():
            for _ in range(7):
                model(ids[:, :1], past_key_values=cache)

    assert counted(steps) == generation_flops(model.config, 30, 7).total


def test_one_step_is_what_a_longer_prompt_adds(model):
    """With half the square the steps from 0 to n are the prompt of n tokens, and its diagonal."""
    steps = generation_flops(model.config, 0, 64)
    prompt_of_all = forward_flops(model.config, [], None, [64])
    diagonal = 2 * 3 * 4 * 32 * 64
    assert steps.language_model == prompt_of_all.language_model + diagonal
    assert steps.head == prompt_of_all.head


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2", "qwen3", "gpt_neox", "gpt2"])
def test_any_dense_language_model_is_counted(kind):
    config = preset("nano")
    config.text_config = AutoConfig.for_model(
        kind, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        vocab_size=300, n_inner=96, pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    if kind not in ("gpt_neox", "gpt2"):
        config.text_config.num_key_value_heads = 2
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config.text_config).eval()
    got = counted(lambda: model(torch.full((1, 50), 40)))
    expected = forward_flops(config, [], None, [50], full_square=True)
    assert got == expected.total


def test_experts_are_refused():
    config = AutoConfig.for_model(
        "mixtral", hidden_size=32, intermediate_size=48, num_hidden_layers=1, vocab_size=100,
        num_attention_heads=2, num_key_value_heads=2, num_local_experts=2,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="mixtral"):
        language(config)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PAGE, [2, 3], [500]), "hold 4 slices"),
        ((PAGE, None, [10]), "no room for 64 visual tokens"),
        ((PAGE, [4, 0], [500]), "hold 4 slices"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        forward_flops(preset("nano", query_num=QUERIES), *arguments)


def test_unknown_names_are_refused():
    config = preset("nano")
    with pytest.raises(ConfigError, match="towr"):
        training_flops(config, [], None, [5], frozen=["towr"])
    with pytest.raises(ConfigError, match="3 rates for 4 packages"):
        forward_flops(config, PAGE, None, [500], rate=[1, 1, 1])
    with pytest.raises(ConfigError, match="rate is 2"):
        forward_flops(config, PAGE, None, [500], rate=2)
    with pytest.raises(ConfigError, match="int8"):
        memory(config, dtype="int8")
    with pytest.raises(ConfigError, match="layout"):
        memory(config, layout="fp8")


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
