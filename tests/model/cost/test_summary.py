"""The record of a model: known numbers of tokens, every preset, folders, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pagemill.engine.errors import ConfigError
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.model.cost.flops import forward_flops, generation_flops
from pagemill.model.cost.summary import model_summary
from pagemill.model.image_processing import PagemillImageProcessor
from pagemill.model.preset import PRESETS


def summary_of(model: str, **changes: object) -> dict[str, Any]:
    return model_summary(model, **changes).to_dict()


def picture(summary: dict[str, Any], name: str) -> dict[str, Any]:
    return next(cost for cost in summary["pictures"] if cost["name"] == name)


@pytest.fixture(scope="module", params=PRESETS)
def summary(request) -> dict[str, Any]:
    return summary_of(request.param)


@pytest.mark.parametrize(
    ("name", "grid", "full"),
    [
        ("A4 72 dpi", (1, 2), 192),
        ("A4 100 dpi", (2, 3), 448),
        ("A4 144 dpi", (2, 4), 576),
        ("A4 200 dpi", (2, 4), 576),
        ("A4 300 dpi", (2, 4), 576),
        ("Letter 144 dpi", (3, 3), 640),
        ("receipt 144 dpi", (1, 4), 320),
        ("square", (1, 1), 64),
        ("video 60 frames", (1, 1), 640),
    ],
)
def test_tokens_are_those_of_the_released_rule(summary, name, grid, full):
    cost = picture(summary, name)
    assert (cost["cols"], cost["rows"]) == grid
    assert cost["visual_tokens"] == full
    assert cost["visual_tokens_quarter"] == full // 4


def test_prompts_hold_tokens_and_marks():
    summary = summary_of("small")
    assert picture(summary, "square")["prompt_tokens"] == 64 + 2 + 3
    assert picture(summary, "A4 144 dpi")["prompt_tokens"] == 576 + 2 + 8 * 2 + 3 + 3
    assert picture(summary, "video 60 frames")["prompt_tokens"] == 640 + 10 * 2 + 9


def test_compression_is_16_for_a_slice_and_nearly_96_for_six_frames():
    summary = summary_of("small")
    assert picture(summary, "square")["patches_per_token"] == 16
    assert 90 < picture(summary, "video 60 frames")["patches_per_token"] < 100
    assert picture(summary, "video 60 frames")["slices"] == 60


def test_flops_are_those_of_the_formulas():
    config, cost = preset("small"), picture(summary_of("small"), "square")
    prefill = forward_flops(config, [(32, 32)], None, [69], logit_tokens=1)
    answer = generation_flops(config, 69, 500)
    assert cost["prefill_flops"]["tower"] == prefill.tower
    assert cost["prefill_flops"]["total"] == prefill.total
    assert cost["flops_per_answer_token"] == round(answer.total / 500)
    assert cost["flops_with_answer"] == prefill.total + answer.total


def test_memory_of_the_8b_model():
    summary = summary_of("minicpm-v-4.5")["memory"]
    assert summary["bf16"]["weights_bytes"] == 2 * 8_695_895_280
    assert summary["fp32"]["weights_bytes"] == 4 * 8_695_895_280
    assert summary["bf16"]["cache_bytes_per_1000_tokens"] == 1000 * 2 * 36 * 8 * 128 * 2
    training = summary["bf16"]["training"]
    assert training["state_bytes"] == 16 * 8_695_895_280
    assert training["activations_checkpointing_bytes"] < training["activations_bytes"] / 2


def test_a_summary_is_json(summary):
    assert json.loads(json.dumps(summary)) == summary
    assert summary["parameters"]["total"] == sum(
        count for part, count in summary["parameters"].items() if part != "total"
    )


def test_the_shuffling_connector_gives_four_patches_a_token():
    summary = summary_of("small", connector="shuffle_mlp")
    cost = picture(summary, "square")
    assert cost["visual_tokens"] == 256
    assert cost["visual_tokens_quarter"] == 64
    assert cost["patches_per_token"] == 4


def test_a_saved_folder_shows_its_own_configuration_and_processor(tmp_path):
    preset("nano", query_num=32, router=True).save_pretrained(tmp_path)
    PagemillImageProcessor(max_slice_nums=4, scale_resolution=224).save_pretrained(tmp_path)
    summary = summary_of(str(tmp_path))
    assert summary["connector"]["queries"] == 32
    assert summary["router"] == {"threshold": 0.5}
    assert summary["slicing"]["max_slice_nums"] == 4
    assert picture(summary, "square")["slices"] == 5


def test_settings_within_the_processor_file_are_read(tmp_path):
    preset("nano").save_pretrained(tmp_path)
    settings = {"image_processor": {"max_slice_nums": 2}, "use_image_id": False}
    (tmp_path / "processor_config.json").write_text(json.dumps(settings))
    summary = summary_of(str(tmp_path))
    assert summary["slicing"] == {
        "max_slice_nums": 2,
        "scale_resolution": 448,
        "use_image_id": False,
    }
    assert picture(summary, "square")["prompt_tokens"] == 66


def test_a_folder_without_a_processor_has_the_usual_settings(tmp_path):
    preset("nano").save_pretrained(tmp_path)
    assert {**summary_of(str(tmp_path)), "model": ""} == {**summary_of("nano"), "model": ""}


def test_a_saved_model_is_shown_as_it_is(tmp_path):
    model = PagemillForConditionalGeneration(preset("nano", connector="shuffle_mlp"))
    model.save_pretrained(tmp_path)
    assert summary_of(str(tmp_path))["parameters"]["total"] == model.num_parameters()


def test_an_unknown_name_is_refused_with_the_names_of_presets():
    with pytest.raises(ConfigError, match=r"smal'.*nano, small, base, minicpm-v-4\.5"):
        summary_of("smal")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no config.json"),
        ("{", "cannot be read"),
        ("[]", "holds a list"),
        ('{"model_type": "qwen3"}', "'qwen3'.*model import"),
        ('{"model_type": "pagemill", "text_config": {"model_type": "nope"}}', "not allowed"),
        ('{"model_type": "pagemill", "text_config": []}', "not allowed"),
        ('{"model_type": "pagemill", "connector": "x"}', "connector is 'x'"),
    ],
)
def test_a_folder_that_is_no_model_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=message):
        summary_of(str(tmp_path))
