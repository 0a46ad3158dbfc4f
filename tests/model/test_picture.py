"""Whatever people call a picture: every mode of file and every array, as 8-bit pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from pagemill.engine.errors import DataError
from pagemill.model.picture import as_picture
from PIL import Image
from support.picture import COLOUR, GREY, RNG, check, encoded, refused

ALPHA = RNG.integers(0, 256, (5, 7), dtype=np.uint8)


def over_white(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The formula, in floats."""
    part = alpha / 255 if values.ndim == 2 else alpha[..., None] / 255
    return np.rint(values * part + 255 * (1 - part))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "memory"])
def test_grey_stays_grey(kind):
    image = Image.fromarray(GREY)
    check(image if kind == "memory" else encoded(image, kind), "L", GREY)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "memory"])
def test_colour_stays_colour(kind):
    image = Image.fromarray(COLOUR)
    check(image if kind == "memory" else encoded(image, kind), "RGB", COLOUR)


def test_a_gif_has_a_palette_even_when_it_is_grey():
    check(encoded(Image.fromarray(GREY), "GIF"), "RGB", np.dstack([GREY] * 3))


def test_a_jpeg_is_what_pillow_decodes():
    for image in (Image.fromarray(GREY), Image.fromarray(COLOUR)):
        data = encoded(image, "JPEG", quality=90)
        check(data, image.mode, np.asarray(Image.open(io.BytesIO(data))))


def test_cmyk_becomes_rgb():
    cmyk = Image.fromarray(COLOUR).convert("CMYK")
    check(cmyk, "RGB", COLOUR)
    check(encoded(cmyk, "TIFF"), "RGB", COLOUR)
    data = encoded(cmyk, "JPEG", quality=95)
    check(data, "RGB", np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "LAB", "RGBX"])
def test_other_colour_spaces_become_rgb(mode):
    image = Image.new(mode, (7, 5), (90, 100, 110, 0)[: 4 if mode == "RGBX" else 3])
    check(image, "RGB", np.asarray(image.convert("RGB")))


def palette(transparency=None) -> tuple[bytes, np.ndarray]:
    """A palette picture of five colours as PNG, and its colours."""
    image = Image.new("P", (7, 5))
    colours = RNG.integers(0, 256, (5, 3), dtype=np.uint8)
    image.putpalette(colours.ravel().tolist())
    numbers = np.arange(35).reshape(5, 7) % 5
    image.putdata(numbers.ravel().tolist())
    settings = {} if transparency is None else {"transparency": transparency}
    return encoded(image, **settings), colours[numbers]


def test_a_palette_becomes_rgb():
    data, colours = palette()
    check(data, "RGB", colours)


@pytest.mark.parametrize("clear", [0, 3])
def test_a_clear_colour_of_a_palette_is_white(clear):
    data, colours = palette(clear)
    numbers = np.arange(35).reshape(5, 7) % 5
    colours[numbers == clear] = 255
    check(data, "RGB", colours)


def test_half_clear_colours_of_a_palette_are_laid_on_white():
    data, colours = palette(bytes([0, 60, 128, 200, 255]))
    alpha = np.array([0, 60, 128, 200, 255])[np.arange(35).reshape(5, 7) % 5]
    check(data, "RGB", over_white(colours, alpha), tolerance=1)


def test_one_bit_becomes_black_and_white():
    bits = GREY > 127
    image = Image.fromarray(bits)
    assert image.mode == "1"
    for source in (image, encoded(image), encoded(image, "TIFF", compression="group4"), bits):
        check(source, "L", bits * 255)


def test_transparency_is_laid_on_white():
    grey = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)])
    colour = Image.fromarray(np.dstack([COLOUR, ALPHA]))
    check(grey, "L", over_white(GREY, ALPHA), tolerance=1)
    check(encoded(grey), "L", over_white(GREY, ALPHA), tolerance=1)
    check(colour, "RGB", over_white(COLOUR, ALPHA), tolerance=1)
    for kind in ("PNG", "TIFF"):
        check(encoded(colour, kind), "RGB", over_white(COLOUR, ALPHA), tolerance=1)
    check(encoded(colour, "WEBP", lossless=True, exact=True), "RGB",
          over_white(COLOUR, ALPHA), tolerance=1)  # fmt: skip


def test_premultiplied_transparency_is_laid_on_white():
    grey = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)])
    colour = Image.fromarray(np.dstack([COLOUR, ALPHA]))
    check(grey.convert("La"), "L", over_white(GREY, ALPHA), tolerance=2)
    check(colour.convert("RGBa"), "RGB", over_white(COLOUR, ALPHA), tolerance=2)


@pytest.mark.parametrize("clear", [0, 100, 255])
def test_the_clear_grey_of_a_grey_png_is_white(clear):
    """A value of 0 is a value: black may be the colour that is clear."""
    grey = GREY.copy()
    grey[1, 2] = clear
    data = encoded(Image.fromarray(grey), transparency=clear)
    check(data, "L", np.where(grey == clear, 255, grey))


def test_the_clear_colour_of_an_rgb_png_is_white():
    colour = COLOUR.copy()
    colour[2:4, 3] = (0, 0, 0)
    data = encoded(Image.fromarray(colour), transparency=(0, 0, 0))
    colour[2:4, 3] = 255
    check(data, "RGB", colour)


def test_the_clear_bit_of_a_one_bit_png_is_white():
    image = Image.fromarray(GREY > 127)
    check(encoded(image, transparency=0), "L", np.full((5, 7), 255))
    check(encoded(image, transparency=1), "L", np.where(GREY > 127, 255, 0))


def test_sixteen_bits_become_eight():
    deep = RNG.integers(0, 65_536, (5, 7), dtype=np.uint16)
    expected = np.rint(deep / 257)
    image = Image.fromarray(deep)
    assert image.mode == "I;16"
    for source in (image, encoded(image), encoded(image, "TIFF"), deep, deep.astype(">u2")):
        check(source, "L", expected)
    big_endian = Image.frombytes("I;16B", (7, 5), deep.astype(">u2").tobytes())
    check(big_endian, "L", expected)


def test_a_dark_picture_of_sixteen_bits_stays_dark():
    """A type of exactly 16 bits means 16 bits, whatever the values are."""
    dark = np.full((5, 7), 200, dtype=np.uint16)
    big_endian = Image.frombytes("I;16B", (7, 5), dark.astype(">u2").tobytes())
    for source in (dark, dark.astype(">u2"), encoded(Image.fromarray(dark)), big_endian):
        check(source, "L", np.full((5, 7), 1))


def test_the_clear_grey_of_a_sixteen_bit_png_is_white():
    deep = RNG.integers(0, 65_536, (5, 7), dtype=np.uint16)
    deep[0, 0] = 0
    data = encoded(Image.fromarray(deep), transparency=0)
    check(data, "L", np.where(deep == 0, 255, np.rint(deep / 257)))


def test_wide_integers_count_as_bytes_while_none_is_larger():
    image = Image.fromarray(GREY).convert("I")
    check(image, "L", GREY)
    deep = RNG.integers(256, 65_536, (5, 7))
    check(Image.fromarray(deep.astype(np.int32)), "L", np.rint(deep / 257))


def test_floats_of_an_image_go_from_0_to_1():
    values = (GREY / 255).astype(np.float32)
    check(Image.fromarray(values), "L", GREY)
    with pytest.raises(DataError, match=r"\(mode F\): float32 .* floats go from 0 to 1"):
        as_picture(Image.fromarray(GREY).convert("F"))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.uint32])
def test_integer_arrays(dtype):
    check(GREY.astype(dtype), "L", GREY)
    check(GREY[..., None].astype(dtype), "L", GREY)
    check(COLOUR.astype(dtype), "RGB", COLOUR)
    check(np.moveaxis(COLOUR, 2, 0).astype(dtype), "RGB", COLOUR)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_arrays(dtype):
    check((GREY / 255).astype(dtype), "L", GREY)
    check((COLOUR / 255).astype(dtype), "RGB", COLOUR)


def test_arrays_with_transparency():
    check(np.dstack([GREY, ALPHA]), "L", over_white(GREY, ALPHA), tolerance=1)
    check(np.dstack([COLOUR, ALPHA]), "RGB", over_white(COLOUR, ALPHA), tolerance=1)
    check(np.stack([*np.moveaxis(COLOUR, 2, 0), ALPHA]), "RGB",
          over_white(COLOUR, ALPHA), tolerance=1)  # fmt: skip


def test_arrays_that_lie_scattered_in_memory():
    check(GREY[::-1, ::2], "L", GREY[::-1, ::2])
    check(np.asfortranarray(COLOUR), "RGB", COLOUR)
    check(COLOUR[..., ::-1], "RGB", COLOUR[..., ::-1])


@pytest.mark.parametrize("layout", ["HW", "HWC", "CHW"])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64, torch.int64])
def test_tensors(layout, dtype):
    values = torch.from_numpy(GREY if layout == "HW" else COLOUR)
    if layout == "CHW":
        values = values.permute(2, 0, 1)
    tensor = values / 255 if dtype.is_floating_point else values
    mode, expected = ("L", GREY) if layout == "HW" else ("RGB", COLOUR)
    check(tensor.to(dtype), mode, expected)


def test_tensors_of_sixteen_bits_and_with_gradient():
    half = torch.from_numpy(GREY / 255)
    check(half.to(torch.bfloat16), "L", GREY, tolerance=1)
    check(half.to(torch.float16), "L", GREY)
    check(half.float().requires_grad_(), "L", GREY)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((5, 7), 1.5), ("float64 values from 1.5 to 1.5", "floats go from 0 to 1")),
        (np.full((5, 7), -0.1, np.float32), ("values from -0.1", "floats go from 0 to 1")),
        (np.full((5, 7), np.nan), ("values from nan to nan", "floats go from 0 to 1")),
        (np.full((5, 7), np.inf), ("values from inf to inf",)),
        (COLOUR.astype(np.float32), ("to 25", "floats go from 0 to 1")),
        (np.full((5, 7), -1), ("int64 values from -1 to -1", "0 to 255 or to 65535")),
        (np.full((5, 7), 65_536), ("values from 65536", "0 to 255 or to 65535")),
        (np.full((5, 7), 1 + 2j), ("complex128 values; numbers are needed",)),
        (np.full((5, 7), "a"), ("<U1 values; numbers are needed",)),
        (np.full((5, 7), None), ("object values; numbers are needed",)),
        (np.zeros((0, 7), np.uint8), ("shape [0, 7] has no pixels",)),
        (np.zeros((5, 0, 3), np.uint8), ("shape [5, 0, 3] has no pixels",)),
        (np.zeros(7, np.uint8), ("shape [7] is not one picture",)),
        (np.zeros((5, 7, 5), np.uint8), ("shape [5, 7, 5] is not one picture",)),
        (np.zeros((2, 5, 7, 3), np.uint8), ("shape [2, 5, 7, 3] is not one picture",)),
        (torch.zeros(1, 3, 5, 7), ("shape [1, 3, 5, 7] is not one picture",)),
        (np.zeros((), np.uint8), ("shape [] is not one picture",)),
    ],
)
def test_arrays_that_are_no_picture_are_refused(array, words):
    refused(array, *words)


def test_one_nan_among_many_values_is_refused():
    values = np.zeros((5, 7), np.float32)
    values[2, 3] = np.nan
    refused(values, "nan")


@pytest.mark.parametrize("thing", [None, 7, {"image": 1}, object(), [GREY.tolist()]])
def test_things_that_are_no_picture_are_refused(thing):
    refused(thing, f"a {type(thing).__name__} is not a picture")
