"""Whatever people call a picture: every mode, file, array and address, and what is refused."""

from __future__ import annotations

import base64
import io
import random
import struct
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from pagemill.engine.errors import DataError
from pagemill.model import picture as module
from pagemill.model.picture import as_picture, size_of
from PIL import Image, ImageOps

RNG = np.random.Generator(np.random.Philox(11))
GREY = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (5, 7), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **settings) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def check(source, mode: str, expected: np.ndarray, tolerance: int = 0) -> None:
    """Mode and pixels, and the size without them."""
    found = as_picture(source)
    assert found.mode == mode
    values = np.asarray(found).astype(int)
    assert values.shape == expected.shape
    assert abs(values - expected.astype(int)).max() <= tolerance
    assert size_of(source) == found.size == (expected.shape[1], expected.shape[0])


def refused(source, *words: str, name: str = "page.png", reason: str | None = None, **settings):
    """It is refused by both ways in, each message naming the file and the cause."""
    for ask in (as_picture, size_of):
        with pytest.raises(DataError) as caught:
            ask(source, name=name, **settings)
        message = str(caught.value)
        assert message.startswith(name)
        assert all(word in message for word in words), message
        if reason is not None:
            assert caught.value.reason == reason


def over_white(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The formula, in floats."""
    part = alpha / 255 if values.ndim == 2 else alpha[..., None] / 255
    return np.rint(values * part + 255 * (1 - part))


# What is taken as it is


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


# Modes that are not pages


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


# Arrays and tensors


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


# Orientation


def turned(orientation: int, kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    settings = {"lossless": True} if kind == "WEBP" else {}
    return encoded(Image.fromarray(COLOUR), kind, exif=exif, **settings)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation, kind):
    data = turned(orientation, kind)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    check(data, "RGB", expected)
    assert expected.shape[:2] == ((7, 5) if orientation >= 5 else (5, 7))
    if kind in ("PNG", "TIFF"):
        assert not np.array_equal(expected, COLOUR) or orientation == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_picture_is_turned_once(kind):
    """Given as an open image, loaded or copied, and what came out given again."""
    data = turned(6, kind)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    image = Image.open(io.BytesIO(data))
    check(image, "RGB", expected)
    check(image, "RGB", expected)
    check(Image.open(io.BytesIO(data)).copy(), "RGB", expected)
    check(as_picture(data), "RGB", expected)


def test_orientation_may_stand_behind_the_pixels_of_a_png():
    data = turned(6, "PNG")
    start = data.index(b"eXIf") - 4
    stop = start + 12 + struct.unpack(">I", data[start : start + 4])[0]
    end = data.index(b"IEND") - 4
    late = data[:start] + data[stop:end] + data[start:stop] + data[end:]
    check(late, "RGB", np.rot90(COLOUR, -1))


def test_a_size_needs_no_pixels(monkeypatch):
    data = {kind: turned(6, kind) for kind in ("JPEG", "PNG")}
    monkeypatch.setattr(Image.Image, "load", None)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    for one in data.values():
        assert size_of(one) == (5, 7)


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_is_none_is_ignored(orientation):
    check(turned(orientation, "PNG"), "RGB", COLOUR)


def test_exif_that_is_broken_is_ignored():
    check(encoded(Image.fromarray(COLOUR), exif=b"Exif\0\0no exif"), "RGB", COLOUR)


# Several frames


def frames() -> list[Image.Image]:
    return [Image.fromarray(RNG.integers(0, 256, (5, 7), dtype=np.uint8)) for _ in range(3)]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF", "WEBP"])
def test_animations_and_several_pages_are_refused(kind):
    first, *rest = frames()
    data = encoded(first, kind, save_all=True, append_images=rest)
    refused(data, f"animated or of several pages (3 frames, {kind})", ".copy()", "as a video")
    refused(Image.open(io.BytesIO(data)), "animated or of several pages")


def test_a_frame_of_an_animation_is_a_picture():
    first, *rest = frames()
    animation = Image.open(io.BytesIO(encoded(first, "GIF", save_all=True, append_images=rest)))
    animation.seek(1)
    assert as_picture(animation.copy()).size == (7, 5)


def test_a_photo_with_a_preview_is_its_first_picture():
    first, second, _ = frames()
    data = encoded(first, "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    check(data, "L", np.asarray(Image.open(io.BytesIO(data))))


# Sizes


def test_a_picture_without_pixels_is_refused():
    refused(Image.new("RGB", (0, 5)), "0 x 5 px", "no pixels")
    refused(Image.new("L", (5, 0)), "5 x 0 px")


def test_a_picture_of_too_many_pixels_is_refused():
    image = Image.new("L", (20, 10))
    for source in (image, encoded(image), np.asarray(image)):
        assert as_picture(source, most_pixels=200).size == (20, 10)
        refused(source, "20 x 10 px; at most 199 are taken", "max_pixels", most_pixels=199,
                reason="too_large")  # fmt: skip


def png(width: int, height: int) -> bytes:
    """A PNG that promises this size and has almost nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_decompression_bomb_is_refused():
    refused(png(50_000, 50_000), "2500000000 pixels", "Scale it down", reason="too_large")


# Files


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "WEBP"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_file_is_refused(kind, share, tmp_path):
    values = RNG.integers(0, 256, (60, 80), dtype=np.uint8)
    data = encoded(Image.fromarray(values), kind)
    path = tmp_path / f"cut.{kind.lower()}"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=path.name) as caught:
        as_picture(path)
    assert caught.value.reason == "unreadable"


def test_the_size_of_a_truncated_png_is_known():
    data = encoded(Image.fromarray(RNG.integers(0, 256, (60, 80), dtype=np.uint8)))
    assert size_of(data[: len(data) // 2]) == (80, 60)


def test_files_that_are_no_image_are_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no picture here\n" * 9)
    for source in (path, str(path)):
        refused(source, "not an image of a known kind", name=str(path), reason="unreadable")
        refused(source, "not an image of a known kind", name="", reason="unreadable")
    refused(b"no picture", "not an image of a known kind")


def test_missing_files_are_refused(tmp_path):
    path = tmp_path / "missing.png"
    for source in (path, str(path)):
        refused(source, "No such file", name=str(path), reason="unreadable")
    long = tmp_path / ("a" * 240) / "missing.png"
    with pytest.raises(DataError, match=r"missing\.png: .*No such file"):
        as_picture(str(long))
    with pytest.raises(DataError, match="directory"):
        as_picture(tmp_path)
    refused("", "directory")
    refused("nul\0byte.png", "null byte")


def test_no_bytes_are_no_picture(tmp_path):
    refused(b"", "it is empty, 0 bytes")
    refused(bytearray(), "it is empty")
    path = tmp_path / "empty.png"
    path.touch()
    refused(path, "not an image of a known kind")


def test_a_closed_image_is_refused():
    image = Image.open(io.BytesIO(encoded(Image.fromarray(GREY))))
    image.close()
    with pytest.raises(DataError, match="closed"):
        as_picture(image)


@pytest.mark.filterwarnings("ignore:::PIL")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "MPO"])
def test_a_file_damaged_anywhere_is_refused_or_read_but_never_crashes(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    settings = {} if kind == "GIF" else {"exif": exif}
    data = encoded(Image.fromarray(COLOUR), kind, **settings)
    rng = random.Random(kind)
    read = 0
    for _ in range(300):
        broken = bytearray(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
        for _ in range(rng.choice([1, 2, 5, 20])):
            if broken:
                broken[rng.randrange(len(broken))] = rng.choice(
                    [0, 1, 127, 255, rng.randrange(256)]
                )
        for ask in (as_picture, size_of):
            try:
                ask(bytes(broken), most_pixels=10_000)
                read += 1
            except DataError:
                pass
    assert 0 < read < 600


def open_files() -> list[str]:
    """What this process holds open, where the system tells."""
    folder = Path("/proc/self/fd")
    return sorted(str(one.readlink()) for one in folder.glob("*") if one.exists())


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "GIF", "BMP"])
def test_files_are_closed(kind, tmp_path):
    path = tmp_path / "page"
    path.write_bytes(encoded(Image.fromarray(GREY), kind))
    kept = [as_picture(path), size_of(path)]
    with pytest.raises(DataError):
        as_picture(path, most_pixels=1)
    assert str(path) not in open_files()
    path.write_bytes(b"")
    values = np.asarray(kept[0])
    assert np.array_equal(values if values.ndim == 2 else values[..., 0], GREY)


# Text and addresses


def test_files_by_name(tmp_path):
    path = tmp_path / "page.png"
    path.write_bytes(encoded(Image.fromarray(GREY)))
    for source in (path, str(path)):
        check(source, "L", GREY)
    check(bytearray(path.read_bytes()), "L", GREY)


def test_base64_and_data_addresses():
    tiny = encoded(Image.fromarray(GREY))
    assert len(tiny) < 150, "short text too is seen to be base64"
    for data in (tiny, encoded(Image.fromarray(np.tile(GREY, (40, 40))))):
        expected = np.asarray(Image.open(io.BytesIO(data)))
        text = base64.b64encode(data).decode()
        lines = base64.encodebytes(data).decode()
        for source in (text, lines, f"data:image/png;base64,{text}"):
            check(source, "L", expected)


def test_text_that_decodes_to_no_picture_is_refused():
    text = base64.b64encode(b"no picture here" * 20).decode()
    refused(text, "not an image of a known kind")
    refused(f"data:image/png;base64,{text}", "not an image of a known kind")
    refused("data:image/png;base64", "cannot be read")
    with pytest.raises(DataError, match=r"^data:image/png;base64,bm8gcGljdHVyZSBoZX…: not"):
        as_picture(f"data:image/png;base64,{text}")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A real server: a picture, a text, a picture that breaks off, and 404 elsewhere."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            bodies: dict[str, bytes] = {
                "/page.png": encoded(Image.fromarray(GREY)),
                "/text": b"<html>sign in first</html>",
                "/cut": encoded(Image.fromarray(GREY))[:-30],
            }
            body = bodies.get(self.path)
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body) + 30 * (self.path == "/cut")))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_addresses_are_downloaded(address):
    check(f"{address}/page.png", "L", GREY)


def test_addresses_without_a_picture_are_refused(address, monkeypatch):
    refused(f"{address}/gone.png", "404", name="", reason="unreadable")
    refused(f"{address}/text", "not an image of a known kind", name=f"{address}/text")
    with pytest.raises(DataError, match=f"{address}/cut: cannot be read: .*truncated"):
        as_picture(f"{address}/cut")
    refused("http://127.0.0.1:1/page.png", "refused")
    refused("http://[bad/page.png", "cannot be read")
    monkeypatch.setattr(module, "DOWNLOAD_LIMIT_BYTES", 50)
    refused(f"{address}/page.png", "more than 50 bytes")


def test_messages_name_the_source():
    image = Image.open(io.BytesIO(encoded(Image.fromarray(GREY))))
    for source, start in [
        (np.zeros((0, 1)), "picture: "),
        (image, "picture: "),
        ("http://127.0.0.1:1/page.png", "http://127.0.0.1:1/page.png: "),
        (b"", "picture: "),
    ]:
        with pytest.raises(DataError) as caught:
            as_picture(source, most_pixels=1)
        assert str(caught.value).startswith(start)


def test_an_image_that_was_opened_is_named_by_its_file(tmp_path):
    path = tmp_path / "open.png"
    path.write_bytes(encoded(Image.fromarray(GREY)))
    with Image.open(path) as image, pytest.raises(DataError) as caught:
        as_picture(image, most_pixels=1)
    assert str(caught.value).startswith(f"{path}: it is 7 x 5 px")
