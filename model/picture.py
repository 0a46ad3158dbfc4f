"""Whatever people call a picture, as 8-bit pixels that are the right way up.

Files, bytes, PIL images, arrays and tensors; grey stays grey. Transparency is laid on white, CMYK,
palettes and other colour spaces become RGB, 16 bits become 8, EXIF rotation is applied. What has
no single meaning is refused with a message that says which.
"""

from __future__ import annotations

import io
import struct
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..engine.errors import DataError

MOST_PIXELS = 178_956_970
"""The size from which Pillow itself calls a file a decompression bomb: a page of 13,377² px."""
DOWNLOAD_DEADLINE_S = 30.0
DOWNLOAD_LIMIT_BYTES = 1 << 29
LEAST_BASE64 = 48
"""Characters from which text that names no file may be base64; no image is as short."""
STILL_FORMATS = {"MPO"}
"""Formats with several frames of which the first is the picture: photos with a preview."""
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture of each EXIF orientation upright; from 5 on the sides change places."""


def as_picture(source: Any, *, most_pixels: int = MOST_PIXELS, name: str = "") -> Image.Image:
    """The picture, mode `L` or `RGB`.

    Args:
        source: a PIL image; a path, an http(s) address, a data URI or base64 text; encoded bytes;
            an array or tensor [height, width], [height, width, 1 to 4] or [1 to 4, height, width],
            of bytes, 16-bit integers, or floats between 0 and 1.
        most_pixels: larger pictures are refused.
        name: what to call it in a message.

    Raises:
        DataError: it is not one picture: no pixels, too many, several frames, values out of range,
            a file that is missing, broken or of an unknown kind.
    """
    name = name or described(source)
    with reading(name):
        if isinstance(source, Image.Image):
            return settled(source, name, most_pixels)
        if isinstance(source, (str, Path, bytes, bytearray)):
            with opened(source) as image:
                return settled(image, name, most_pixels)
        if hasattr(source, "__array__") or hasattr(source, "detach"):
            return settled(from_array(source, name), name, most_pixels)
    raise DataError(f"{name}: a {type(source).__name__} is not a picture")


def size_of(source: Any, *, most_pixels: int = MOST_PIXELS, name: str = "") -> tuple[int, int]:
    """(width, height) in px as `as_picture` would give it; of files and images no pixel is read.

    Raises:
        DataError: as `as_picture`, but for pixels that are broken or out of range.
    """
    name = name or described(source)
    with reading(name):
        if isinstance(source, Image.Image):
            return upright_size(source, name, most_pixels)
        if isinstance(source, (str, Path, bytes, bytearray)):
            with opened(source) as image:
                return upright_size(image, name, most_pixels)
    return as_picture(source, most_pixels=most_pixels, name=name).size


def described(source: Any) -> str:
    """How messages name a picture that has no name."""
    text = str(source if isinstance(source, (str, Path)) else getattr(source, "filename", ""))
    if len(text) > 1000 or text.startswith("data:"):
        return f"{text[:40]}…"
    return text or "picture"


@contextmanager
def reading(name: str) -> Iterator[None]:
    """What Pillow raises over a bad file, as an error that names the file."""
    try:
        yield
    except (DataError, ImportError, MemoryError):
        raise
    except UnidentifiedImageError as err:
        raise DataError(f"{name}: not an image of a known kind", reason="unreadable") from err
    except Image.DecompressionBombError as err:
        raise DataError(
            f"{name}: {err} Scale it down, or raise max_pixels and PIL.Image.MAX_IMAGE_PIXELS",
            reason="too_large",
        ) from err
    except Exception as err:  # Pillow raises any type over a broken file
        raise DataError(f"{name}: cannot be read: {err}", reason="unreadable") from err


@contextmanager
def opened(source: str | Path | bytes | bytearray) -> Iterator[Image.Image]:
    """The image of encoded bytes or of a file that is closed afterwards; pixels not yet read.

    Pillow gets a file and no name: by a name it maps some formats into memory, and a file that is
    changed later ends the process.
    """
    if isinstance(source, str):
        source = located(source)
    if not isinstance(source, Path) and not source:
        raise ValueError("it is empty, 0 bytes")
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
        yield Image.open(file)


def located(text: str) -> Path | bytes:
    """What a text stands for: the bytes of an address or of base64, else a path."""
    if text.startswith(("http://", "https://", "data:")):
        with urllib.request.urlopen(text, timeout=DOWNLOAD_DEADLINE_S) as answer:
            data: bytes = answer.read(DOWNLOAD_LIMIT_BYTES + 1)
        if len(data) > DOWNLOAD_LIMIT_BYTES:
            raise ValueError(f"it has more than {DOWNLOAD_LIMIT_BYTES:,} bytes")
        return data
    if len(text) < LEAST_BASE64 or exists(text):
        return Path(text)
    try:
        return b64decode("".join(text.split()), validate=True)
    except ValueError:
        return Path(text)


def exists(text: str) -> bool:
    """Whether there is a file of this name; a text too long for a name is none."""
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False


def settled(image: Image.Image, name: str, most_pixels: int) -> Image.Image:
    """The image as `L` or `RGB`, upright."""
    check_size(image, name, most_pixels)
    image.load()
    turn = UPRIGHT.get(orientation(image))
    if turn is not None:
        image = image.transpose(turn)
        transparency = image.info.get("transparency")
        image.info = {} if transparency is None else {"transparency": transparency}
    return eight_bit(image, name)


def upright_size(image: Image.Image, name: str, most_pixels: int) -> tuple[int, int]:
    """Width and height of the image once it is upright."""
    check_size(image, name, most_pixels)
    turned = orientation(image)
    if turned and image.format == "TIFF":
        image.load()  # turns it, and some versions of Pillow swap its sides before that
        return image.size
    width, height = image.size
    return (height, width) if turned >= 5 else (width, height)


def check_size(image: Image.Image, name: str, most_pixels: int) -> None:
    """Refuse a picture without pixels, with too many, or with several frames."""
    width, height = image.size
    if width < 1 or height < 1:
        raise DataError(f"{name}: it is {width} x {height} px: there are no pixels")
    if width * height > most_pixels:
        raise DataError(
            f"{name}: it is {width} x {height} px; at most {most_pixels:,} are taken. "
            "Scale it down first, or raise max_pixels",
            reason="too_large",
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format not in STILL_FORMATS:
        raise DataError(
            f"{name}: animated or of several pages ({frames} frames, {image.format}). "
            "Pass a frame's .copy(), or all frames as a video"
        )


def orientation(image: Image.Image) -> int:
    """The EXIF orientation where it is not upright, 2 to 8; else 0, as for EXIF that is broken."""
    # Of a PNG, Pillow decodes all pixels first, since EXIF may stand behind them. It seldom does.
    early = image.format == "PNG" and not has_late_text(getattr(image, "fp", None))
    try:
        exif = Image.Image.getexif(image) if early else image.getexif()
        value = exif.get(0x0112, 1)
    except (SyntaxError, ValueError, IndexError, struct.error):
        return 0
    return value if value in UPRIGHT else 0


def has_late_text(file: IO[bytes] | None) -> bool:
    """Whether a PNG that is not yet decoded has text or EXIF behind its pixels."""
    if file is None:
        return False
    before, pixels, late = file.tell(), False, False
    file.seek(len(b"\x89PNG\r\n\x1a\n"))
    while not late and len(header := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", header)
        pixels |= kind == b"IDAT"
        late = pixels and kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
        file.seek(length + 4, io.SEEK_CUR)
    file.seek(before)
    return late


def eight_bit(image: Image.Image, name: str) -> Image.Image:
    """Any mode as `L` or `RGB`."""
    mode, transparency = image.mode, image.info.get("transparency")
    if mode in ("L", "RGB") and transparency is None:
        return image
    if mode.startswith("I") or mode == "F":
        values = np.asarray(image)
        grey = scaled(values, f"{name} (mode {mode})")
        if transparency is not None:
            grey[values == transparency] = 255
        return Image.fromarray(grey)
    if mode in ("RGBA", "RGBa", "LA", "La", "PA") or transparency is not None:
        return on_white(image)
    return image.convert("L" if mode == "1" else "RGB")


def on_white(image: Image.Image) -> Image.Image:
    """The image over a white page."""
    grey = image.mode in ("LA", "La", "L", "1")
    layered = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    page = Image.new("RGBA", layered.size, "white")
    flat = Image.alpha_composite(page, layered).convert("RGB")
    return flat.getchannel(0) if grey else flat


def from_array(source: Any, name: str) -> Image.Image:
    """An array or tensor as an image."""
    if hasattr(source, "detach"):
        tensor = source.detach().cpu()
        source = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    array = np.asarray(source)
    if array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4) and array.shape[0] in (1, 2, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4)):
        raise DataError(
            f"{name}: an array of shape {list(array.shape)} is not one picture; "
            "[height, width] or [height, width, 1 to 4] is"
        )
    if array.size == 0:
        raise DataError(f"{name}: an array of shape {list(array.shape)} has no pixels")
    array = scaled(array, name)
    return Image.fromarray(array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def scaled(array: np.ndarray, name: str) -> np.ndarray:
    """Values of any numeric type as bytes: floats from 0 to 1, integers from 0 to 255 or 65535.

    Integers wider than a byte count as bytes while none is above 255, unless their type has
    exactly 16 bits without a sign.
    """
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    kind = array.dtype.kind
    if kind not in "iuf":
        raise DataError(f"{name}: {array.dtype} values; numbers are needed")
    low, high = float(array.min()), float(array.max())
    sixteen_bits = kind == "u" and array.dtype.itemsize == 2
    top = 1 if kind == "f" else 65535 if sixteen_bits or high > 255 else 255
    if not (low >= 0 and high <= top):
        meaning = "floats go from 0 to 1" if kind == "f" else "integers from 0 to 255 or to 65535"
        raise DataError(f"{name}: {array.dtype} values from {low:g} to {high:g}; {meaning}")
    return np.rint(array.astype(np.float64) * (255 / top)).astype(np.uint8)
