"""Images as documents: what is decoded is what the file shows, never more than it has."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from pagemill.engine.errors import PdfError
from pagemill.engine.read.backend import raster
from pagemill.engine.read.backend.registry import open_document
from PIL import Image, TiffImagePlugin
from support.hostile_text import HOSTILE, is_sane


def corner_image(width: int = 100, height: int = 40) -> np.ndarray:
    """White, with a black rectangle in the upper left, 20 by 10."""
    pixels = np.full((height, width), 255, np.uint8)
    pixels[:10, :20] = 0
    return pixels


def render(path: Path, dpi: float = 10_000, colour: str = "auto") -> np.ndarray:
    document = open_document("raster", path)
    try:
        return document.render(0, dpi=dpi, colour=colour)  # type: ignore[arg-type]
    finally:
        document.close()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
def test_formats_are_told_by_content_not_by_name(form: str, tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    Image.fromarray(corner_image()).convert("RGB").save(path, form)
    pixels = render(path)
    assert pixels.shape == (40, 100)
    assert pixels[4, 10] < 40 < 200 < pixels[30, 80]


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(form: str, orientation: int, tmp_path: Path) -> None:
    image = Image.fromarray(corner_image(200, 80))
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / "turned"
    image.save(path, form, exif=exif, dpi=(200, 200))
    document = open_document("raster", path)
    shape = (200, 80) if orientation >= 5 else (80, 200)
    width, height = document.size_pt(0)
    assert (height, width) == pytest.approx((shape[0] * 0.36, shape[1] * 0.36), rel=1e-4)
    pixels = document.render(0, dpi=200, colour="auto")
    assert pixels.shape == shape
    right = orientation in (2, 3, 6, 7)
    bottom = orientation in (3, 4, 7, 8)
    assert pixels[-3 if bottom else 2, -3 if right else 2] < 40
    assert pixels[2 if bottom else -3, 2 if right else -3] > 200


def test_every_frame_of_a_tiff_is_a_page(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((30 + n, 50), 60 * n, np.uint8)) for n in range(4)]
    path = tmp_path / "pages.tif"
    frames[0].save(path, "TIFF", save_all=True, append_images=frames[1:])
    document = open_document("raster", path)
    assert document.page_count == 4
    for index in (3, 0, 2, 1):
        pixels = document.render(index, dpi=10_000, colour="auto")
        assert pixels.shape == (30 + index, 50)
        assert int(pixels.mean()) == 60 * index


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("1", 0, 0),
        ("L", 90, 90),
        ("RGBA", (0, 0, 0, 0), 255),
        ("LA", (0, 127), 128),
        ("P", 3, 3),
    ],
)
def test_modes_become_grey_over_white(
    mode: str, value: object, expected: int, tmp_path: Path
) -> None:
    image = Image.new(mode, (64, 64), value)  # type: ignore[arg-type]
    if mode == "P":
        image.putpalette([n for n in range(256) for _ in range(3)])
    path = tmp_path / "mode.png"
    image.save(path)
    pixels = render(path)
    assert pixels.ndim == 2
    assert abs(int(pixels[30, 30]) - expected) <= 2


def test_sixteen_bits_keep_their_shades(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (50, 1))
    for name in ("ramp.png", "ramp.tif"):
        Image.fromarray(ramp).save(tmp_path / name)
        assert np.abs(render(tmp_path / name)[20].astype(int) - np.arange(256)).max() <= 1


def test_cmyk_is_shown_as_it_prints(tmp_path: Path) -> None:
    path = tmp_path / "print.tif"
    Image.new("CMYK", (80, 80), (0, 255, 255, 0)).save(path)
    red, green, blue = render(path)[40, 40]
    assert red > 200 > 100 > max(green, blue)


def test_colour_is_kept_only_where_there_is_some(tmp_path: Path) -> None:
    page = np.full((1100, 850, 3), (250, 245, 232), np.uint8)
    page[100:1000:20, 100:700] = 30
    Image.fromarray(page).save(tmp_path / "yellowed.png", dpi=(100, 100))
    assert render(tmp_path / "yellowed.png").ndim == 2
    page[500:530, 300:420] = (20, 40, 200)
    Image.fromarray(page).save(tmp_path / "stamped.png", dpi=(100, 100))
    assert render(tmp_path / "stamped.png").ndim == 3
    assert render(tmp_path / "stamped.png", colour="grey").ndim == 2
    assert render(tmp_path / "yellowed.png", colour="colour").ndim == 3


def test_resolution_is_believed_only_where_it_is_sane(tmp_path: Path) -> None:
    image = Image.fromarray(corner_image(2200, 1700))
    sane, absurd, phone = tmp_path / "sane.png", tmp_path / "absurd.png", tmp_path / "phone.jpg"
    image.save(sane, dpi=(200, 200))
    image.save(absurd, dpi=(1, 1))
    Image.fromarray(corner_image(4000, 3000)).save(phone, dpi=(72, 72))
    for path, expected in ((sane, 200), (absurd, 200), (phone, 4000 / 11)):
        assert open_document("raster", path).dpi(0) == pytest.approx(expected, rel=1e-3)
    assert render(sane, dpi=100).shape == (850, 1100)
    assert render(sane, dpi=300).shape == (1700, 2200)


def test_pixels_that_are_not_square_are_made_square(tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    Image.fromarray(corner_image(1728, 1078)).save(path, dpi=(204, 98))
    width, height = open_document("raster", path).size_pt(0)
    pixels = render(path, dpi=72)
    assert pixels.shape == (round(height), round(width))


def test_a_page_is_one_image_and_has_no_words(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    Image.fromarray(corner_image()).save(path, dpi=(100, 100))
    layer = open_document("raster", path).text(0, dpi=50)
    assert not layer.words
    assert layer.image_cover == 1.0
    assert layer.figures[0].box == (0.0, 0.0, 50.0, 20.0)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    document = open_document("raster", path)
    with pytest.raises(PdfError, match="400000000 pixels") as caught:
        document.render(0, dpi=72, colour="auto")
    assert caught.value.reason == "too_many_pixels"


def test_pillow_keeps_its_own_limit(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    path = tmp_path / "scan.png"
    Image.fromarray(corner_image()).save(path)
    render(path)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty_file"), (b"hello world" * 20, "not_a_document"), (None, "missing")],
)
def test_what_is_no_image_is_refused(data: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(PdfError) as caught:
        open_document("raster", path)
    assert caught.value.reason == reason


def test_a_truncated_image_names_the_file_and_page(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    noise = np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(PdfError, match=r"page 0 of .*cut\.png") as caught:
        render(path)
    assert caught.value.reason == "render_error"


def test_the_tag_of_a_tiff_says_how_it_lies(tmp_path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = 6
    path = tmp_path / "turned.tif"
    Image.fromarray(corner_image()).save(path, "TIFF", tiffinfo=tags, compression="tiff_lzw")
    assert render(path).shape == (100, 40)
    assert raster.RasterDocument(path).rotation(0) == 0


@pytest.mark.parametrize("said", HOSTILE)
def test_whatever_pillow_says_can_be_written_down(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "scan"
    Image.fromarray(corner_image()).save(path, "PNG")
    document = open_document("raster", path)

    def fail(*_: object) -> None:
        warnings.warn(said, stacklevel=1)
        raise ValueError(said)

    monkeypatch.setattr(raster.ImageOps, "exif_transpose", fail)
    with pytest.raises(PdfError) as caught:
        document.render(0, dpi=100, colour="auto")
    assert is_sane(str(caught.value))
    assert all(map(is_sane, document.warnings()))
