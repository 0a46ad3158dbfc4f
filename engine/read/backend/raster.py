"""Scans as images: PNG, JPEG, TIFF, WebP and BMP as documents without a text layer.

Every frame of a TIFF is a page; other formats are one page, whatever previews or animation
they hold. A page's own resolution is the file's where that is sane (50 to 1200 dpi, and the
longer side at most 24 inches: phones write 72 into photographs), else such that the longer
side is 11 inches. Rendering never makes more pixels than the file has: a dpi above the page's
own gives the page's own.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from PIL import __version__ as pillow_version

from ...errors import PdfError
from ...geometry import POINTS_PER_INCH
from ...page import Figure, TextLayer
from ...reason import Reason
from ...text import sanitize
from .colour import is_coloured
from .document import Colour
from .header import check_readable

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
MAX_PIXELS = 200_000_000
"""Largest frame that is decoded."""
_DPI = (50.0, 1200.0)
_LONGEST_INCH = 24.0
_ASSUMED_INCH = 11.0
_SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""


def open_document(path: Path, password: str | None = None) -> RasterDocument:
    """Open an image by its content, whatever its name; `password` is not used.

    Raises:
        PdfError: reason `missing`, `empty_file`, `not_a_document` or `broken`.
    """
    check_readable(path)
    return RasterDocument(path)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the header says of one page, upright."""

    width_px: int
    height_px: int
    dpi_across: float
    dpi_down: float

    def shape_px(self, dpi: float) -> tuple[int, int]:
        """Width and height of the image to ship, never above the stored pixels."""
        target = min(dpi, self.dpi_across, self.dpi_down)
        return (
            max(1, round(self.width_px * target / self.dpi_across)),
            max(1, round(self.height_px * target / self.dpi_down)),
        )


class RasterDocument:
    """An image file as a document."""

    engine = f"raster pillow-{pillow_version}"
    repaired = False
    producer = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._warnings: list[str] = []
        self._frames: dict[int, _Frame] = {}
        self._image: Image.Image | None = None
        try:
            # Not by path: Pillow maps such files and then misreads sideways TIFFs.
            self._stream = path.open("rb")
            with self._pillow():
                image = self._image = Image.open(self._stream, formats=FORMATS)
                self._format = image.format
                frames = int(getattr(image, "n_frames", 1))
        except UnidentifiedImageError as err:
            self._stream.close()
            raise PdfError(
                f"{path} is not an image that can be decoded", reason=Reason.NOT_A_DOCUMENT
            ) from err
        except Exception as err:  # decoders raise OSError, SyntaxError, struct.error and others
            self.close()
            raise PdfError(f"cannot open {path}: {err}", reason=Reason.BROKEN) from err
        self.page_count = frames if self._format == "TIFF" else 1

    def size_pt(self, page_index: int) -> tuple[float, float]:
        """Width and height of the page, pt, upright by its EXIF orientation."""
        frame = self._frame(page_index)
        return (
            frame.width_px / frame.dpi_across * POINTS_PER_INCH,
            frame.height_px / frame.dpi_down * POINTS_PER_INCH,
        )

    def rotation(self, page_index: int) -> int:
        """0: an image is turned by its EXIF orientation only."""
        return 0

    def dpi(self, page_index: int) -> float:
        """The page's own resolution; the lower one where pixels are not square."""
        frame = self._frame(page_index)
        return min(frame.dpi_across, frame.dpi_down)

    def render(self, page_index: int, *, dpi: float, colour: Colour) -> np.ndarray:
        """The page as `uint8 [height, width]`, or `[height, width, 3]` RGB where it has colour.

        Alpha is laid over white. A `dpi` above the page's own gives the page's own.

        Raises:
            PdfError: reason `too_many_pixels`, `memory` or `render_error`.
        """
        frame = self._frame(page_index)
        stored = frame.width_px * frame.height_px
        if stored > MAX_PIXELS:
            raise PdfError(
                f"page {page_index} of {self.path} has {stored} pixels; at most {MAX_PIXELS} "
                "are decoded",
                reason=Reason.TOO_MANY_PIXELS,
            )
        width, height = frame.shape_px(dpi)
        with self._faults("decode", page_index), self._pillow():
            try:
                pixels = _decoded(self._at(page_index), (width, height))
            finally:
                if self._format != "TIFF":  # decoding may have changed what the object says
                    self._image = None
            if pixels.shape[:2] != (height, width):
                pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
            return _in_colour(pixels, min(dpi, frame.dpi_across, frame.dpi_down), colour)

    def text(self, page_index: int, *, dpi: float) -> TextLayer:
        """No words: one image that covers the page."""
        width, height = self._frame(page_index).shape_px(dpi)
        whole = Figure((0.0, 0.0, float(width), float(height)), "image")
        return TextLayer(figures=(whole,), image_cover=1.0)

    def warnings(self) -> list[str]:
        """What Pillow complained about since the last call, each complaint once."""
        warnings, self._warnings = self._warnings, []
        return list(dict.fromkeys(warnings))

    def close(self) -> None:
        """Close the file."""
        self._image = None
        self._stream.close()

    def _frame(self, page_index: int) -> _Frame:
        if page_index not in self._frames:
            with self._faults("read the header of", page_index), self._pillow():
                self._frames[page_index] = _frame_of(self._at(page_index))
        return self._frames[page_index]

    def _at(self, page_index: int) -> Image.Image:
        if self._image is None:
            self._stream.seek(0)
            self._image = Image.open(self._stream, formats=FORMATS)
        if self._format == "TIFF":
            self._image.seek(page_index)
        return self._image

    @contextmanager
    def _pillow(self) -> Iterator[None]:
        """Pillow with our limit of pixels instead of its own, and its warnings kept."""
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                yield
                self._warnings += [sanitize(str(entry.message)) for entry in caught]
        finally:
            Image.MAX_IMAGE_PIXELS = limit

    @contextmanager
    def _faults(self, what: str, page_index: int) -> Iterator[None]:
        try:
            yield
        except PdfError:
            raise
        except Exception as err:  # decoders raise OSError, SyntaxError, struct.error and others
            raise PdfError(
                f"cannot {what} page {page_index} of {self.path}: {type(err).__name__}: {err}",
                reason=Reason.MEMORY if isinstance(err, MemoryError) else Reason.RENDER_ERROR,
            ) from err


def _frame_of(image: Image.Image) -> _Frame:
    width, height = image.size
    try:
        across, down = (float(value) for value in image.info.get("dpi", (0, 0)))
    except (TypeError, ValueError, ZeroDivisionError):
        across = down = 0.0
    if image.getexif().get(ExifTags.Base.Orientation) in _SIDEWAYS:
        across, down = down, across
        if image.format != "TIFF":  # Pillow turns those by itself
            width, height = height, width
    sane = all(_DPI[0] <= value <= _DPI[1] for value in (across, down))
    if not sane or max(width / across, height / down) > _LONGEST_INCH:
        across = down = max(width, height) / _ASSUMED_INCH
    return _Frame(width, height, across, down)


def _decoded(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Pixels upright, `uint8 [height, width]` or `[height, width, 3]`, at least of `size`."""
    if image.format in ("JPEG", "MPO"):
        sideways = image.getexif().get(ExifTags.Base.Orientation) in _SIDEWAYS
        image.draft(None, size[::-1] if sideways else size)
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):
        return _narrowed(np.asarray(upright))
    if upright.has_transparency_data:
        layered = upright.convert("RGBA")
        paper = Image.new("RGBA", layered.size, "white")
        upright = Image.alpha_composite(paper, layered).convert("RGB")
    return np.asarray(upright.convert("L" if upright.mode in ("1", "L", "LA") else "RGB"))


def _narrowed(values: np.ndarray) -> np.ndarray:
    """Samples of more than 8 bits as 8: 16-bit ones by their range, others by what they use."""
    if values.dtype == np.uint16 or (values.dtype.kind == "i" and 255 < values.max() < 65536):
        return (values.astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8)
    finite = np.nan_to_num(values.astype(np.float64))
    if finite.min() >= 0 and finite.max() <= 1 and values.dtype.kind == "f":
        finite = finite * 255
    elif finite.max() > 255:
        finite = finite * (255 / finite.max())
    rounded: np.ndarray = np.rint(finite.clip(0, 255)).astype(np.uint8)
    return rounded


def _in_colour(pixels: np.ndarray, dpi: float, colour: Colour) -> np.ndarray:
    """Grey or RGB as asked for; with `auto`, by the rule in `colour`."""
    height, width = pixels.shape[:2]
    size_pt = (width * POINTS_PER_INCH / dpi, height * POINTS_PER_INCH / dpi)
    if pixels.ndim == 2:
        wanted = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if colour == "colour" else pixels
    elif colour == "grey" or (
        colour == "auto" and not is_coloured(pixels, dpi, size_pt, by_halves=False)
    ):
        wanted = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    else:
        wanted = pixels
    return np.ascontiguousarray(wanted)
