"""Pictures to patches, against a cutter that goes pixel by pixel and Pillow's own resizing.

Patches are small here (p = 4, slices of 16² px), so that every pixel can be looked at.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError, DataError
from pagemill.model import PagemillImageProcessor, PagemillVisionModel
from pagemill.model.config import PagemillVisionConfig
from PIL import Image
from transformers import AutoImageProcessor

SMALL = {"scale_resolution": 16, "patch_size": 4}
BICUBIC = Image.Resampling.BICUBIC


def processor(**settings) -> PagemillImageProcessor:
    return PagemillImageProcessor(**{**SMALL, **settings})


def noise(width: int, height: int, channels: int = 3, seed: int = 0) -> Image.Image:
    rng = np.random.Generator(np.random.Philox(seed))
    shape = (height, width) if channels == 1 else (height, width, channels)
    return Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))


def slow_slices(image: Image.Image, plan) -> list[Image.Image]:
    """Thumbnail, then cells row by row, each cut out of the resized image with `crop`."""
    thumbnail = image.resize(plan.whole, BICUBIC)
    if plan.cols * plan.rows == 1:
        return [thumbnail]
    fine = image.resize(plan.refined, BICUBIC)
    width, height = plan.cell
    return [thumbnail] + [
        fine.crop((col * width, row * height, (col + 1) * width, (row + 1) * height))
        for row in range(plan.rows)
        for col in range(plan.cols)
    ]


def slow_patches(image: Image.Image, patch: int) -> list[list[int]]:
    """(channel, row, column) of every patch, row by row, one pixel after the other."""
    image = image.convert("RGB")
    return [
        [
            image.getpixel((left + x, top + y))[channel]
            for channel in range(3)
            for y in range(patch)
            for x in range(patch)
        ]
        for top in range(0, image.height, patch)
        for left in range(0, image.width, patch)
    ]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(13, 11), (16, 16), (40, 16), (31, 57), (70, 45), (4, 90)])
def test_patches_equal_those_of_a_slow_cutter(size, channels):
    image = noise(*size, channels)
    ours = processor()
    out = ours(image, do_normalize=False)
    plan = ours.plan(*size)
    slices = slow_slices(image, plan)
    assert [(one.height // 4, one.width // 4) for one in slices] == plan.tgt_sizes
    assert out["tgt_sizes"].tolist() == [list(size) for size in plan.tgt_sizes]
    assert out["num_tiles"].tolist() == [len(slices)]
    assert out["pixel_values"].dtype == np.uint8
    longest = max(height * width for height, width in plan.tgt_sizes)
    assert out["pixel_values"].shape == (len(slices), longest, 48)
    for got, one in zip(out["pixel_values"], slices, strict=True):
        expected = slow_patches(one, 4)
        assert got[: len(expected)].tolist() == expected
        assert not got[len(expected) :].any()


@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([1, 3]), st.integers(0, 99))
def test_any_size_is_cut_as_slowly_and_normalised_by_the_formula(width, height, channels, seed):
    image = noise(width, height, channels, seed)
    ours = processor(image_mean=(0.5, 0.4, 0.3), image_std=(0.5, 0.25, 0.2))
    got = ours(image)["pixel_values"]
    assert got.dtype == np.float32
    mean = np.repeat([0.5, 0.4, 0.3], 16)
    std = np.repeat([0.5, 0.25, 0.2], 16)
    for row, one in zip(got, slow_slices(image, ours.plan(width, height)), strict=True):
        raw = np.asarray(one.convert("RGB"))
        high, wide = one.height // 4, one.width // 4
        patches = raw.reshape(high, 4, wide, 4, 3).transpose(0, 2, 4, 1, 3).reshape(-1, 48)
        expected = ((patches / 255 - mean) / std).astype(np.float32)
        assert np.array_equal(row[: len(expected)], expected)
        assert not row[len(expected) :].any()


def test_a_page_of_real_size_is_resized_as_pillow_does():
    image = noise(1190, 1684, 1)
    ours = PagemillImageProcessor()
    out = ours(image, do_normalize=False)
    slices = slow_slices(image, ours.plan(1190, 1684))
    assert len(slices) == 9
    for got, one in zip(out["pixel_values"], slices, strict=True):
        high, wide = one.height // 14, one.width // 14
        grey = got[: high * wide, :196].reshape(high, wide, 14, 14).swapaxes(1, 2)
        assert np.array_equal(grey.reshape(one.height, one.width), np.asarray(one))


@pytest.mark.parametrize("settings", [{}, {"image_mean": (0.5, 0.4, 0.5)}, {"do_normalize": False}])
@pytest.mark.parametrize("size", [(13, 11), (70, 45), (130, 120)])
def test_grey_equals_the_same_picture_in_colour_to_the_last_bit(size, settings):
    grey = noise(*size, 1)
    ours = processor(**settings)
    colour = ours(grey.convert("RGB"))["pixel_values"]
    assert np.array_equal(ours(grey)["pixel_values"], colour)
    for got, one in zip(colour, slow_slices(grey.convert("RGB"), ours.plan(*size)), strict=True):
        red, green, blue = np.split(got, 3, axis=1)
        if "image_mean" not in settings:
            assert np.array_equal(red, green)
            assert np.array_equal(red, blue)
        if "do_normalize" in settings:
            assert got[: one.width * one.height // 16].tolist() == slow_patches(one, 4)


@pytest.mark.parametrize("place", [(0, 0), (129, 119), (77, 31)])
def test_one_coloured_pixel_keeps_its_colour(place):
    """Colour stored pictures that are grey are resized as one channel: this one is not."""
    image = noise(130, 120, 1).convert("RGB")
    image.putpixel(place, (255, 0, 0))
    ours = processor()
    out = ours(image, do_normalize=False)["pixel_values"]
    for got, one in zip(out, slow_slices(image, ours.plan(130, 120)), strict=True):
        expected = slow_patches(one, 4)
        assert got[: len(expected)].tolist() == expected
    red, green, _ = np.split(out, 3, axis=2)
    assert not np.array_equal(red, green)


def test_bytes_are_the_same_after_the_tower_normalised_them():
    config = PagemillVisionConfig(
        hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1,
        patch_size=4, position_side=4,
    )  # fmt: skip
    tower = PagemillVisionModel(config)
    image = noise(70, 45)
    floats = processor()(image, return_tensors="pt")["pixel_values"]
    raw = processor(do_normalize=False)(image, return_tensors="pt")["pixel_values"]
    assert raw.dtype == torch.uint8
    assert floats.abs().max() == 1
    counts = processor()(image)["tgt_sizes"].prod(1)
    normalised = tower.normalised(raw)
    for got, expected, count in zip(normalised, floats, counts, strict=True):
        assert torch.allclose(got[:count], expected[:count], rtol=0, atol=1e-6)


def test_thumbnail_first_then_slices_row_by_row():
    """Each cell of the grid has its own grey."""
    ours = processor()
    plan = ours.plan(70, 45)
    assert (plan.cols, plan.rows) == (4, 2)
    cells = np.arange(1, 9, dtype=np.uint8).reshape(2, 4) * 20
    image = Image.fromarray(np.kron(cells, np.ones((40, 30), np.uint8)))
    assert (ours.plan(*image.size).cols, ours.plan(*image.size).rows) == (4, 2)
    out = ours(image, do_normalize=False)
    pixels = out["pixel_values"]
    assert len(pixels) == 9
    counts = out["tgt_sizes"].prod(1)
    for number in range(8):
        values = pixels[1 + number, : counts[1 + number]]
        assert abs(np.median(values) - 20 * (number + 1)) <= 1
    thumbnail = pixels[0, : counts[0]]
    assert thumbnail[0, 0] == pytest.approx(20, abs=4)
    assert thumbnail[-1, -1] == pytest.approx(160, abs=4)


def test_pictures_of_several_sizes_are_filled_up_with_zeros():
    pictures = [noise(16, 16), noise(70, 45), noise(4, 90, 1)]
    together = processor()(pictures)
    assert together["num_tiles"].tolist() == [
        len(processor().plan(*one.size).tgt_sizes) for one in pictures
    ]
    start = 0
    for one in pictures:
        alone = processor()(one)
        count, longest = alone["pixel_values"].shape[:2]
        rows = together["pixel_values"][start : start + count]
        assert np.array_equal(rows[:, :longest], alone["pixel_values"])
        assert not rows[:, longest:].any()
        assert np.array_equal(together["tgt_sizes"][start : start + count], alone["tgt_sizes"])
        start += count
    assert start == len(together["pixel_values"])


def test_pictures_come_nested_flat_alone_and_of_any_kind(tmp_path):
    image, array = noise(16, 16), np.asarray(noise(20, 12))
    path = tmp_path / "page.png"
    image.save(path)
    flat = processor()([image, array, path])
    for nested in ([[image, array], [path]], [[[image]], array, (str(path),)]):
        out = processor()(nested)
        assert all(np.array_equal(out[name], flat[name]) for name in flat)
    assert np.array_equal(processor()(path)["pixel_values"], flat["pixel_values"][:1])


def test_no_picture_gives_no_slice():
    out = processor()([])
    assert out["pixel_values"].shape == (0, 0, 48)
    assert out["tgt_sizes"].shape == (0, 2)
    assert out["num_tiles"].shape == (0,)


def test_a_call_can_change_the_grid_and_the_type():
    image = noise(130, 120)
    ours = processor()
    assert ours(image, max_slice_nums=1)["num_tiles"].tolist() == [1]
    assert ours(image, max_slice_nums=4)["num_tiles"].tolist() == [5]
    assert ours(image, do_normalize=False)["pixel_values"].dtype == np.uint8
    assert processor(do_normalize=False)(image, do_normalize=True)["pixel_values"].dtype == "f4"
    for name in ("pixel_values", "tgt_sizes", "num_tiles"):
        assert isinstance(ours(image, return_tensors="pt")[name], torch.Tensor)


def test_sizes_are_known_without_pixels(tmp_path):
    path = tmp_path / "page.png"
    noise(70, 45).save(path)
    assert processor().size_of(path) == (70, 45)
    with pytest.raises(DataError, match=r"page\.png: it is 70 x 45 px; at most 3,149"):
        processor(max_pixels=3149).size_of(path)
    with pytest.raises(DataError, match=r"page\.png: it is 70 x 45 px; at most 3,149"):
        processor(max_pixels=3149)(path)


CHANGED = {
    "max_slice_nums": 4,
    "scale_resolution": 32,
    "patch_size": 8,
    "image_mean": [0.1, 0.2, 0.3],
    "image_std": [0.4, 0.5, 0.6],
    "do_normalize": False,
    "max_pixels": 10_000,
}


@pytest.mark.parametrize("loader", [PagemillImageProcessor, AutoImageProcessor])
def test_settings_are_kept_when_saved(loader, tmp_path):
    PagemillImageProcessor(**CHANGED).save_pretrained(tmp_path)
    loaded = loader.from_pretrained(tmp_path)
    assert isinstance(loaded, PagemillImageProcessor)
    assert {name: getattr(loaded, name) for name in CHANGED} == CHANGED
    saved = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert set(saved) == {*CHANGED, "image_processor_type"}
    image = noise(70, 45)
    expected = PagemillImageProcessor(**CHANGED)(image)["pixel_values"]
    assert np.array_equal(loaded(image)["pixel_values"], expected)


def test_settings_can_be_changed_when_loaded(tmp_path):
    PagemillImageProcessor().save_pretrained(tmp_path)
    loaded = PagemillImageProcessor.from_pretrained(tmp_path, max_slice_nums=16, max_pixels=5)
    assert (loaded.max_slice_nums, loaded.max_pixels, loaded.patch_size) == (16, 5, 14)


@pytest.mark.parametrize(
    "settings",
    [{"do_resize": False}, {"size": 224}, {"max_slices": 4}, {"scale_resolution": 32},
     {"do_convert_rgb": False}, {"resample": 2}],
)  # fmt: skip
def test_unknown_settings_of_a_call_are_refused(settings):
    (name,) = settings
    with pytest.raises(ConfigError, match=f"cannot be set to {name}="):
        processor()(noise(16, 16), **settings)


def test_settings_that_say_what_is_done_anyway_are_accepted():
    image = noise(16, 16)
    expected = processor()(image)["pixel_values"]
    out = processor()(image, do_resize=True, do_rescale=True, do_convert_rgb=True, size=None)
    assert np.array_equal(out["pixel_values"], expected)


@pytest.mark.parametrize("settings", [{"max_slices": 4}, {"do_resize": False}, {"size": 224}])
def test_unknown_settings_of_a_processor_are_refused(settings):
    (name,) = settings
    with pytest.raises(ConfigError, match=f"cannot be set to {name}="):
        PagemillImageProcessor(**settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_slice_nums": 0}, "max_slice_nums is 0"),
        ({"scale_resolution": -1}, "scale_resolution is -1"),
        ({"patch_size": 0}, "patch_size is 0"),
        ({"image_mean": (0.5,)}, "three numbers each"),
        ({"image_std": (0.5, 0.5, 0.0)}, "image_std above 0"),
        ({"max_pixels": 0}, "max_pixels is 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        PagemillImageProcessor(**settings)


def test_a_grid_of_none_is_refused():
    """0 is a value, not the absence of one."""
    with pytest.raises(ConfigError, match="max_slice_nums is 0"):
        processor()(noise(16, 16), max_slice_nums=0)


def test_a_picture_that_cannot_be_used_is_refused():
    with pytest.raises(DataError, match="a dict is not a picture"):
        processor()([noise(16, 16), {}])
