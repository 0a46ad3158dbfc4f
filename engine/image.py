"""Page images to bytes and back: the smallest codec that keeps a stated fidelity.

The default writes PNG with as few levels a channel as `image.min_psnr_db` allows: 16 grey
levels in 4 bits for most born-digital pages, more for scans. Rows are unfiltered, which suits
flat pages, and packed by zlib-ng, which has one hash for all processors since its pull request
1681. Measured by `bench/codecs.py`; see `docs/benchmarks.md`.

The PNG writer is ours because no library at hand writes these files: OpenCV and MuPDF have no 4-bit
grey, and Pillow packs with whatever zlib it was built with, so that its bytes differ between
machines.
"""

from __future__ import annotations

import functools
import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image
from zlib_ng import zlib_ng

from .errors import ConfigError, DataError

_LEVELS = (16, 32, 64, 128, 256)
_SAMPLED_ROWS = 4
_DOUBT_DB = 3.0
_PEAK = 255.0
_UNFILTERED = 0
_GREY, _RGB = 0, 2
"""Colour types of PNG. No palettes: several readers hand out the indices as if they were grey."""
_DEFLATE_LEVEL = 3


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """How page images are stored."""

    codec: Literal["png", "jpeg", "webp"] = "png"
    "File format, one for the whole corpus; the extension follows."
    min_psnr_db: float = 40.0
    "PNG keeps at least this fidelity to the rendering, dB; 100 and more is lossless."
    quality: int = 90
    "Quality of jpeg and webp, 1 to 100."

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise ConfigError(f"image.quality is {self.quality}; it runs from 1 to 100")
        if self.min_psnr_db < 20:
            raise ConfigError(f"image.min_psnr_db is {self.min_psnr_db}; text needs at least 20")

    @property
    def extension(self) -> str:
        """The member name's ending: `png`, `jpg` or `webp`."""
        return "jpg" if self.codec == "jpeg" else self.codec


def encode(image: np.ndarray, config: ImageConfig) -> bytes:
    """The image file of a page.

    Args:
        image: uint8 `[height, width]` grey or `[height, width, 3]` RGB.
        config: codec and fidelity.
    """
    if config.codec == "png":
        return _encode_png(image, config.min_psnr_db)
    if config.codec == "jpeg":
        bgr = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, config.quality])
        return bytes(data)
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "WEBP", quality=config.quality)
    return stream.getvalue()


def decode(data: bytes) -> np.ndarray:
    """The pixels of an image file, uint8 `[height, width]` grey or `[height, width, 3]` RGB.

    Raises:
        DataError: not an image, or a damaged one.
    """
    if not data:
        raise DataError("the image has no bytes", reason="broken")
    try:
        image: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as err:
        raise DataError(f"the image does not decode: {err}", reason="broken") from err
    if image is None or image.dtype != np.uint8:
        raise DataError("the image does not decode to 8-bit pixels", reason="broken")
    if image.ndim == 2:
        return np.asarray(image)
    return np.asarray(cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2RGB))


def to_grey(image: np.ndarray) -> np.ndarray:
    """Luminance of an RGB image, uint8 `[height, width]`."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of an image file in px, from its header alone.

    Raises:
        DataError: not an image.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except (OSError, SyntaxError, ValueError) as err:
        raise DataError(f"the image has no readable header: {err}", reason="broken") from err


def thumbnail(image: np.ndarray, width_px: int = 320) -> bytes:
    """A small JPEG of a page, for people to look at."""
    height, width = image.shape[:2]
    factor = min(1.0, width_px / max(width, 1))
    size = (max(1, round(width * factor)), max(1, min(4 * width_px, round(height * factor))))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return encode(small, ImageConfig(codec="jpeg", quality=80))


def _encode_png(image: np.ndarray, min_psnr_db: float) -> bytes:
    levels = _fewest_levels(image, min_psnr_db)
    if image.ndim == 2 and levels == 16:
        return _png(image, _pack_nibbles(image), bits=4, colour=_GREY)
    rows = _quantise(image, levels).reshape(image.shape[0], -1)
    return _png(image, rows, bits=8, colour=_GREY if image.ndim == 2 else _RGB)


def _fewest_levels(image: np.ndarray, min_psnr_db: float) -> int:
    """The smallest number of even levels with at least that PSNR.

    A quarter of the rows may rule a level out; only all of them can let it pass.
    """
    for levels in _LEVELS[:-1]:
        if _psnr_db(image[::_SAMPLED_ROWS], levels) < min_psnr_db - _DOUBT_DB:
            continue
        if _psnr_db(image, levels) >= min_psnr_db:
            return levels
    return _LEVELS[-1]


def _psnr_db(image: np.ndarray, levels: int) -> float:
    rows = np.ascontiguousarray(image)
    mse = cv2.norm(rows, _quantise(rows, levels), cv2.NORM_L2SQR) / rows.size
    return 10 * float(np.log10(_PEAK**2 / mse)) if mse else float("inf")


def _quantise(image: np.ndarray, levels: int) -> np.ndarray:
    return image if levels == 256 else np.asarray(cv2.LUT(image, _level_table(levels)))


@functools.cache
def _level_table(levels: int) -> np.ndarray:
    step = _PEAK / (levels - 1)
    table: np.ndarray = np.rint(np.rint(np.arange(256) / step) * step).astype(np.uint8)
    return table


def _pack_nibbles(image: np.ndarray) -> np.ndarray:
    """Two pixels a byte, 16 grey levels, the left one in the upper half."""
    table = np.rint(np.arange(256) * 15 / _PEAK).astype(np.uint8)
    nibbles = np.asarray(cv2.LUT(image, table))
    if nibbles.shape[1] % 2:
        nibbles = np.pad(nibbles, ((0, 0), (0, 1)))
    pairs = nibbles.view("<u2")
    packed: np.ndarray = (pairs << 4 | pairs >> 8).astype(np.uint8)
    return packed


def _png(
    image: np.ndarray,
    rows: np.ndarray,
    *,
    bits: int,
    colour: int,
) -> bytes:
    height, width = image.shape[:2]
    raw = np.empty((height, rows.shape[1] + 1), np.uint8)
    raw[:, 0] = _UNFILTERED
    raw[:, 1:] = rows
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = [b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header)]
    chunks.append(_chunk(b"IDAT", zlib_ng.compress(raw.data, _DEFLATE_LEVEL)))
    chunks.append(_chunk(b"IEND", b""))
    return b"".join(chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
