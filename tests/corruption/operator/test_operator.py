"""Every operator and mask, on crops of every kind: same shape, same type, no error."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.corruption.operator import MASKS, OPERATORS, CropContext
from support.generators import forbid
from support.typeset import PROSE, typeset

KINDS = ("black", "white", "noise", "text")


def crop_of(kind: str, height: int, width: int, colour: bool) -> np.ndarray:
    shape = (height, width, 3) if colour else (height, width)
    if kind == "black":
        return np.zeros(shape, np.uint8)
    if kind == "white":
        return np.full(shape, 255, np.uint8)
    if kind == "noise":
        return np.random.default_rng(height * 977 + width).integers(0, 256, shape, np.uint8)
    grey = np.full((height, width), 250, np.uint8)
    cv2.putText(grey, "Paper mill 12", (1, max(1, height - 3)), 0, height / 40, 10, 1)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB) if colour else grey


@pytest.mark.parametrize("name", OPERATORS)
@settings(max_examples=40)
@given(
    kind=st.sampled_from(KINDS),
    height=st.integers(1, 60),
    width=st.integers(1, 90),
    colour=st.booleans(),
    strength=st.floats(0, 1),
    x_height=st.floats(0.5, 60),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_crop_gives_the_same_shape(name, kind, height, width, colour, strength, x_height, seed):
    crop = crop_of(kind, height, width, colour)
    before = crop.copy()
    operator = OPERATORS[name]
    setting = CropContext(seed, ((0, height // 2), (height // 2, height)))
    out = operator.draw(crop, operator.amount(strength, x_height), setting)
    assert out.shape == crop.shape
    assert out.dtype == np.uint8
    assert np.array_equal(crop, before), "the input was written to"
    assert not np.shares_memory(out, crop)


@pytest.mark.parametrize("name", OPERATORS)
def test_a_huge_crop_works(name):
    crop = crop_of("noise", 700, 4000, False)
    operator = OPERATORS[name]
    out = operator.draw(crop, operator.amount(0.6, 12.0), CropContext(9, ((0, 700),)))
    assert out.shape == crop.shape


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("cover", [(0, 0, 1, 1), (3, 4, 40, 9), (0, 0, 80, 60), (79, 59, 80, 60)])
def test_any_mask_fills_its_cover(name, colour, cover):
    image = crop_of("noise", 60, 80, colour)
    fill = MASKS[name].draw(image, cover, 4_000_000_000)
    assert fill.shape == image[cover[1] : cover[3], cover[0] : cover[2]].shape
    assert fill.dtype == np.uint8


@pytest.mark.parametrize("name", MASKS)
def test_a_mask_never_looks_under_itself(name):
    image = crop_of("text", 60, 200, False)
    other = image.copy()
    cover = (20, 10, 150, 50)
    other[10:50, 20:150] = 77
    first, second = (MASKS[name].draw(picture, cover, 5) for picture in (image, other))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", OPERATORS)
def test_more_strength_changes_more(name):
    image, page = typeset(PROSE[:1])
    crop = image[int(page.layer.lines[0].box[1]) : int(page.layer.lines[0].box[3]), 50:700]
    operator, setting = OPERATORS[name], CropContext(123, ((0, crop.shape[0]),))
    change = [
        np.abs(
            operator.draw(crop, operator.amount(strength, 11.0), setting).astype(int) - crop
        ).mean()
        for strength in (operator.gentle / 2, operator.gentle, 1.0)
    ]
    assert 0 < change[1] < change[2]
    assert change[0] <= change[1]


@pytest.mark.parametrize("name", OPERATORS)
def test_a_colour_crop_without_colour_stays_without(name):
    image, _ = typeset(PROSE[:1])
    rgb = cv2.cvtColor(image[50:90, 50:500], cv2.COLOR_GRAY2RGB)
    operator = OPERATORS[name]
    out = operator.draw(rgb, operator.amount(0.3, 11.0), CropContext(7, ((0, 40),))).astype(int)
    assert np.abs(out[..., 0] - out[..., 2]).max() <= 2


def test_slots_are_unique_and_fit_the_race():
    for kinds in (OPERATORS, MASKS):
        slots = [kind.slot for kind in kinds.values()]
        assert len(set(slots)) == len(slots)
        assert max(slots) < 32
    assert len(OPERATORS) >= 14


def test_no_global_generator_is_touched(monkeypatch):
    forbid(monkeypatch)
    crop = crop_of("text", 30, 120, True)
    for operator in OPERATORS.values():
        operator.draw(crop, operator.amount(0.5, 8.0), CropContext(3, ((0, 30),)))
    for mask in MASKS.values():
        mask.draw(crop, (5, 5, 60, 20), 3)
    with pytest.raises(AssertionError, match="global generator"):
        np.random.rand()


def test_loading_corruption_loads_no_torch_and_no_ray_and_harms_no_albumentations():
    code = (
        "import sys, pagemill.corruption\n"
        "print(*sorted({'torch', 'ray', 'onnxruntime'} & set(sys.modules)))\n"
        "print('albumentations.pytorch' in sys.modules)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split("\n")[:2] == ["", "False"]
