"""Pictures of files: orientation, frames, damage, addresses, messages that name the source."""

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
from pagemill.engine.errors import DataError
from pagemill.model import picture as module
from pagemill.model.picture import as_picture, size_of
from PIL import Image, ImageOps
from support.picture import COLOUR, GREY, RNG, check, encoded, refused


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
