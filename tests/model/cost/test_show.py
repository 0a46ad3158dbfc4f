"""The page about a model: known numbers of tokens, every preset, folders, and what is refused."""

from __future__ import annotations

import json

import pytest
from pagemill.engine.errors import ConfigError
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.model.cost.flops import forward_flops, generation_flops
from pagemill.model.cost.show import facts, scaled, shown, table
from pagemill.model.image_processing import PagemillImageProcessor
from pagemill.model.preset import PRESETS


def picture(found: dict, name: str) -> dict:
    return next(one for one in found["pictures"] if one["name"] == name)


@pytest.fixture(scope="module", params=PRESETS)
def found(request) -> dict:
    return facts(request.param)


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
def test_tokens_are_those_of_the_released_rule(found, name, grid, full):
    one = picture(found, name)
    assert (one["cols"], one["rows"]) == grid
    assert one["visual_tokens"] == full
    assert one["visual_tokens_quarter"] == full // 4


def test_prompts_hold_tokens_and_marks():
    found = facts("small")
    assert picture(found, "square")["prompt_tokens"] == 64 + 2 + 3
    assert picture(found, "A4 144 dpi")["prompt_tokens"] == 576 + 2 + 8 * 2 + 3 + 3
    assert picture(found, "video 60 frames")["prompt_tokens"] == 640 + 10 * 2 + 9


def test_compression_is_16_for_a_slice_and_nearly_96_for_six_frames():
    found = facts("small")
    assert picture(found, "square")["patches_per_token"] == 16
    assert 90 < picture(found, "video 60 frames")["patches_per_token"] < 100
    assert picture(found, "video 60 frames")["slices"] == 60


def test_flops_are_those_of_the_formulas():
    config, one = preset("small"), picture(facts("small"), "square")
    prefill = forward_flops(config, [(32, 32)], None, [69], logit_tokens=1)
    answer = generation_flops(config, 69, 500)
    assert one["prefill_flops"]["tower"] == prefill.tower
    assert one["prefill_flops"]["total"] == prefill.total
    assert one["flops_per_answer_token"] == round(answer.total / 500)
    assert one["flops_with_answer"] == prefill.total + answer.total


def test_memory_of_the_8b_model():
    found = facts("minicpm-v-4.5")["memory"]
    assert found["bf16"]["weights_bytes"] == 2 * 8_695_895_280
    assert found["fp32"]["weights_bytes"] == 4 * 8_695_895_280
    assert found["bf16"]["cache_bytes_per_1000_tokens"] == 1000 * 2 * 36 * 8 * 128 * 2
    training = found["bf16"]["training"]
    assert training["state_bytes"] == 16 * 8_695_895_280
    assert training["activations_checkpointing_bytes"] < training["activations_bytes"] / 2


def test_facts_are_json(found):
    assert json.loads(json.dumps(found)) == found
    assert found["parameters"]["total"] == sum(
        count for part, count in found["parameters"].items() if part != "total"
    )


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("connector", ["resampler3d", "shuffle_mlp"])
def test_the_page_fits_100_columns_and_says_what_is_asked(name, connector):
    page = shown(name, connector=connector, router=connector == "shuffle_mlp")
    lines = page.splitlines()
    assert max(map(len, lines)) <= 100
    assert all(line == line.rstrip() for line in lines)
    assert page.isascii()
    total = facts(name, connector=connector, router=connector == "shuffle_mlp")["parameters"]
    assert f"{name}: {total['total']:,} parameters" in page
    for word in (connector, "A4 144 dpi", "2 x 4", "qwen3", "cache of 1,000 tokens", "AdamW"):
        assert word in page


def test_numbers_of_the_page_are_those_of_facts():
    found, lines = facts("small"), shown("small").splitlines()
    row = next(line for line in lines if line.startswith("A4 144 dpi")).split()
    one = picture(found, "A4 144 dpi")
    assert row[3:] == [
        "1190", "x", "1684", "2", "x", "4", "576", "144", "600", f"{one['patches']:,}", "16.0",
        *scaled(one["prefill_flops"]["total"]).split(),
        *scaled(one["flops_per_answer_token"]).split(),
    ]  # fmt: skip


def test_the_shuffling_connector_gives_four_patches_a_token():
    found = facts("small", connector="shuffle_mlp")
    one = picture(found, "square")
    assert one["visual_tokens"] == 256
    assert one["visual_tokens_quarter"] == 64
    assert one["patches_per_token"] == 4


def test_a_saved_folder_shows_its_own_configuration_and_processor(tmp_path):
    preset("nano", query_num=32, router=True).save_pretrained(tmp_path)
    PagemillImageProcessor(max_slice_nums=4, scale_resolution=224).save_pretrained(tmp_path)
    found = facts(str(tmp_path))
    assert found["connector"]["queries"] == 32
    assert found["router"] == {"threshold": 0.5}
    assert found["slicing"]["max_slice_nums"] == 4
    assert picture(found, "square")["slices"] == 5
    assert "at most 4 slices of about 224 x 224 px" in shown(str(tmp_path))


def test_settings_within_the_processor_file_are_read(tmp_path):
    preset("nano").save_pretrained(tmp_path)
    settings = {"image_processor": {"max_slice_nums": 2}, "use_image_id": False}
    (tmp_path / "processor_config.json").write_text(json.dumps(settings))
    found = facts(str(tmp_path))
    assert found["slicing"] == {
        "max_slice_nums": 2,
        "scale_resolution": 448,
        "use_image_id": False,
    }
    assert picture(found, "square")["prompt_tokens"] == 66


def test_a_folder_without_a_processor_has_the_usual_settings(tmp_path):
    preset("nano").save_pretrained(tmp_path)
    assert {**facts(str(tmp_path)), "model": ""} == {**facts("nano"), "model": ""}


def test_a_saved_model_is_shown_as_it_is(tmp_path):
    model = PagemillForConditionalGeneration(preset("nano", connector="shuffle_mlp"))
    model.save_pretrained(tmp_path)
    assert facts(str(tmp_path))["parameters"]["total"] == model.num_parameters()


def test_an_unknown_name_is_refused_with_the_names_of_presets():
    with pytest.raises(ConfigError, match=r"smal'.*nano, small, base, minicpm-v-4\.5"):
        shown("smal")


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
        facts(str(tmp_path))


def test_numbers_have_three_digits_and_a_prefix():
    values = (5, 99.96, 999.4, 999.6, 1234, 45_678_000, 1e9, 2.5e16)
    assert [scaled(value).strip() for value in values] == [
        "5.00", "100", "999", "1.00 k", "1.23 k", "45.7 M", "1.00 G", "25,000 T",
    ]  # fmt: skip


def test_columns_of_a_table_are_aligned():
    assert table([["a", "1"], ["bcd", "200"]]) == "a      1\nbcd  200"
    assert table([["a", "b", "1"], ["", "ccc", "20"]], left=2) == "a  b     1\n   ccc  20"
