"""Page images to bytes and back: the smallest codec that keeps a stated fidelity.

The default writes PNG with as few levels a channel as `image.min_psnr_db` allows: 16 grey
levels in 4 bits for most born-digital pages, a palette for most coloured ones, more levels
for scans. Rows are unfiltered, which suits flat pages, and packed by libdeflate, whose output
does not depend on the processor. Measured by `bench/codecs.py`; see `docs/benchmarks.md`.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import deflate
import numpy as np
from PIL import Image

from ..errors import ConfigError, DataError

_LEVELS = (16, 32, 64, 128, 256)
_PEAK = 255.0
_DEFLATE_LEVEL = 6
_PALETTE_BITS = 4
_PALETTE_MAX = 256
_GREY, _RGB, _PALETTE = 0, 2, 3


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
    if image.ndim == 2:
        if levels == 16:
            return _png(image, _pack_nibbles(image), bits=4, colour=_GREY)
        return _png(image, _quantise(image, levels), bits=8, colour=_GREY)
    if levels == 16:
        indices, palette = _to_palette(image)
        if palette is not None:
            return _png(image, indices, bits=8, colour=_PALETTE, palette=palette)
    rows = _quantise(image, levels).reshape(image.shape[0], -1)
    return _png(image, rows, bits=8, colour=_RGB)


def _fewest_levels(image: np.ndarray, min_psnr_db: float) -> int:
    """The smallest number of even levels with at least that PSNR, from the histogram alone."""
    flat = image.reshape(image.shape[0], -1)
    histogram = cv2.calcHist([flat], [0], None, [256], [0, 256]).ravel()
    values = np.arange(256, dtype=np.float64)
    for levels in _LEVELS[:-1]:
        mse = float(histogram @ (values - _level_table(levels)) ** 2) / flat.size
        if mse == 0 or 10 * np.log10(_PEAK**2 / mse) >= min_psnr_db:
            return levels
    return _LEVELS[-1]


def _level_table(levels: int) -> np.ndarray:
    step = _PEAK / (levels - 1)
    return np.rint(np.rint(np.arange(256) / step) * step).astype(np.uint8)


def _quantise(image: np.ndarray, levels: int) -> np.ndarray:
    return image if levels == 256 else np.asarray(cv2.LUT(image, _level_table(levels)))


def _pack_nibbles(image: np.ndarray) -> np.ndarray:
    table = np.rint(np.arange(256) * 15 / _PEAK).astype(np.uint8)
    nibbles = np.asarray(cv2.LUT(image, table))
    if nibbles.shape[1] % 2:
        nibbles = np.pad(nibbles, ((0, 0), (0, 1)))
    return (nibbles[:, 0::2] << 4) | nibbles[:, 1::2]


def _to_palette(image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Indices and palette at 4 bits a channel; no palette where more than 256 colours are left."""
    table = np.rint(np.arange(256) * 15 / _PEAK).astype(np.uint16)
    code = table[image[..., 0]] << 2 * _PALETTE_BITS
    code |= table[image[..., 1]] << _PALETTE_BITS
    code |= table[image[..., 2]]
    present = np.flatnonzero(np.bincount(code.ravel(), minlength=1 << 3 * _PALETTE_BITS))
    if len(present) > _PALETTE_MAX:
        return code, None
    index = np.zeros(1 << 3 * _PALETTE_BITS, np.uint8)
    index[present] = np.arange(len(present))
    channels = [(present >> shift) & 15 for shift in (2 * _PALETTE_BITS, _PALETTE_BITS, 0)]
    return index[code], (np.stack(channels, 1) * 17).astype(np.uint8)


def _png(
    image: np.ndarray,
    rows: np.ndarray,
    *,
    bits: int,
    colour: int,
    palette: np.ndarray | None = None,
) -> bytes:
    height, width = image.shape[:2]
    raw = np.zeros((height, rows.shape[1] + 1), np.uint8)
    raw[:, 1:] = rows
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = [b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header)]
    if palette is not None:
        chunks.append(_chunk(b"PLTE", palette.tobytes()))
    chunks.append(_chunk(b"IDAT", bytes(deflate.zlib_compress(raw.data, _DEFLATE_LEVEL))))
    chunks.append(_chunk(b"IEND", b""))
    return b"".join(chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
