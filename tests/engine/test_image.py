"""Page images keep the fidelity they promise and come back as they went in."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError, DataError
from pagemill.engine.image import ImageConfig, decode, encode, size_of, thumbnail
from PIL import Image

LOSSLESS = ImageConfig(min_psnr_db=100)


def text_page(width: int = 601, height: int = 400) -> np.ndarray:
    page = np.full((height, width), 255, np.uint8)
    for row in range(40, height - 20, 30):
        cv2.putText(page, "the quick brown fox", (20, row), 0, 0.8, 0, 1, cv2.LINE_AA)
    return page


def noise(*shape: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(7)).integers(0, 256, shape, dtype=np.uint8)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    mse = float(((a.astype(float) - b) ** 2).mean())
    return np.inf if mse == 0 else 10 * np.log10(255**2 / mse)


def test_text_page_is_four_bit_png() -> None:
    data = encode(text_page(), ImageConfig())
    assert data[24] == 4, "bit depth in the PNG header"
    with Image.open(io.BytesIO(data)) as image:
        pillow = np.asarray(image.convert("L"))
    np.testing.assert_array_equal(pillow, decode(data))
    assert psnr(pillow, text_page()) >= 40


@pytest.mark.parametrize("wanted_db", [30.0, 40.0, 45.0, 55.0])
@pytest.mark.parametrize("shape", [(64, 81), (64, 81, 3)])
def test_fidelity_is_at_least_what_was_asked(wanted_db: float, shape: tuple[int, ...]) -> None:
    image = noise(*shape)
    assert psnr(decode(encode(image, ImageConfig(min_psnr_db=wanted_db))), image) >= wanted_db


@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    colour=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_lossless_round_trip_of_any_size(width: int, height: int, colour: bool, seed: int) -> None:
    shape = (height, width, 3) if colour else (height, width)
    image = np.random.Generator(np.random.Philox(seed)).integers(0, 256, shape, dtype=np.uint8)
    data = encode(image, LOSSLESS)
    np.testing.assert_array_equal(decode(data), image)
    assert size_of(data) == (width, height)


def test_a_page_is_not_judged_by_a_part_of_its_rows() -> None:
    page = np.full((400, 300), 255, np.uint8)
    page[1::2] = 47
    np.testing.assert_array_equal(decode(encode(page, LOSSLESS)), page)
    page[::4] = 255
    assert psnr(decode(encode(page, ImageConfig(min_psnr_db=50))), page) >= 50


def test_colour_pages_are_plain_rgb_for_every_reader() -> None:
    page = np.full((50, 61, 3), 255, np.uint8)
    page[10:20, 10:30] = (0, 0, 238)
    page[30:40, 5:9] = (204, 0, 0)
    data = encode(page, ImageConfig())
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image), page)
    np.testing.assert_array_equal(decode(data), page)


def test_same_pixels_same_bytes() -> None:
    assert encode(text_page(), ImageConfig()) == encode(text_page().copy(), ImageConfig())


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
def test_lossy_codecs_decode_to_their_size(codec: str) -> None:
    config = ImageConfig(codec=codec)  # type: ignore[arg-type]
    data = encode(text_page(), config)
    assert size_of(data) == (601, 400)
    assert psnr(decode(data)[..., 0] if decode(data).ndim == 3 else decode(data), text_page()) > 30


@pytest.mark.parametrize("data", [b"", b"not an image", encode(text_page(), ImageConfig())[:60]])
def test_damaged_image_is_named_not_returned(data: bytes) -> None:
    with pytest.raises(DataError):
        decode(data)


def test_thumbnail_is_small_and_keeps_the_aspect() -> None:
    assert size_of(thumbnail(text_page(1200, 800), 300)) == (300, 200)


def test_quality_outside_its_range_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"image\.quality"):
        ImageConfig(quality=0)
