"""FLOPs against torch's own counter."""

from __future__ import annotations

import pytest
import torch
from pagemill.engine.errors import ConfigError
from pagemill.model import preset
from pagemill.model.cost.flops import PARTS, forward_flops, generation_flops, training_flops
from pagemill.model.cost.memory import memory
from pagemill.model.cost.size import language
from pagemill.model.slicing import FULL, QUARTER
from support.cost import (
    EMBEDDED,
    FROZEN,
    PAGE,
    QUERIES,
    built,
    pictures,
    prompt,
)
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM

VIDEO = [(10, 14)] * 7

FRAMES = [3, 3, 1]


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
