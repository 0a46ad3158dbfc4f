"""PyMuPDF behind the backend interface. The only file that imports it.

One display list per page serves every rendering and every extraction: it is in the space of
the visible page (crop box, rotation and UserUnit applied), so boxes need only be scaled.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from ...errors import DependencyError, PdfError
from ...geometry import Box, pixels_per_point, scale
from ...layout.figure import figures_of, image_cover
from ...layout.glyph import words_outside
from ...layout.hangul import split_words
from ...layout.lines import text_layer
from ...page import TextLayer
from ...reason import Reason
from ...text import sanitize
from .colour import is_coloured
from .document import Colour
from .header import check_readable, refused
from .span import lines_and_vectors, styled_words
from .trace import glyphs_of

# pymupdf.layout starts onnxruntime: seconds and 130 MB that nothing here uses.
sys.modules.setdefault("pymupdf.layout", cast("Any", None))
try:
    import pymupdf
    from pymupdf import extra, mupdf
except ImportError as err:
    raise DependencyError(
        "the backend mupdf needs PyMuPDF: pip install 'pymupdf>=1.28.2', or set "
        "render.backend=poppler"
    ) from err

_SHRINK_EVERY_PAGES = 50
_MAX_WARNINGS = 50
_GREY_SLOP = 0.02
"""Difference from grey that MuPDF calls imperceptible."""
_EVERYWHERE = mupdf.FzRect(mupdf.FzRect.Fixed_INFINITE)
_TEXT = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_COLLECT_VECTORS


def open_document(path: Path, password: str | None = None) -> MupdfDocument:
    """Open a PDF by its content, whatever its name; the empty password is tried first.

    Raises:
        PdfError: reason `missing`, `empty_file`, `not_a_document`, `broken`, `encrypted` or
            `zero_pages`.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    pymupdf.TOOLS.reset_mupdf_warnings()
    check_readable(path)
    try:
        doc = _opened(path)
    except Exception as err:  # MuPDF raises RuntimeError, its own classes and SystemError alike
        raise refused(path, "MuPDF", err) from err
    try:
        return MupdfDocument(doc, path, password)
    except PdfError:
        doc.close()
        raise
    except Exception as err:  # as above
        doc.close()
        raise refused(path, "MuPDF", err) from err


def _opened(path: Path) -> Any:
    """PyMuPDF takes names that are UTF-8 only; others are opened by their descriptor's."""
    if sanitize(str(path)) == str(path):
        return pymupdf.open(path, filetype="pdf")
    with path.open("rb") as stream:
        return pymupdf.open(f"/dev/fd/{stream.fileno()}", filetype="pdf")


class MupdfDocument:
    """A PDF in MuPDF, with the last page and its display list at hand."""

    engine = f"mupdf {pymupdf.mupdf_version}"

    def __init__(self, doc: Any, path: Path, password: str | None) -> None:
        if not doc.is_pdf:
            raise PdfError(f"{path} is not a PDF", reason=Reason.NOT_A_DOCUMENT)
        if doc.needs_pass and not (doc.authenticate("") or doc.authenticate(password or "")):
            what = "a password" if password is None else "another password than the one given"
            raise PdfError(f"{path} needs {what}", reason=Reason.ENCRYPTED)
        self.path = path
        self.page_count = int(doc.page_count)
        if self.page_count < 1:
            raise PdfError(f"{path} opens, but has no pages", reason=Reason.ZERO_PAGES)
        self.repaired = bool(doc.is_repaired)
        self.producer = sanitize(str((doc.metadata or {}).get("producer") or ""))
        self._doc = doc
        self._page_index = -1
        self._page: Any = None
        self._display_list: Any = None
        self._loaded = 0

    def size_pt(self, page_index: int) -> tuple[float, float]:
        """Width and height of the visible page, pt, after rotation, crop box and UserUnit."""
        with self._faults("load", page_index):
            rect = self._load(page_index).rect
            return float(rect.width), float(rect.height)

    def rotation(self, page_index: int) -> int:
        """The page's /Rotate: 0, 90, 180 or 270."""
        with self._faults("load", page_index):
            return int(self._load(page_index).rotation) % 360

    def dpi(self, page_index: int) -> None:
        """None: a PDF page has no resolution of its own."""

    def render(self, page_index: int, *, dpi: float, colour: Colour) -> np.ndarray:
        """The page as `uint8 [height, width]`, or `[height, width, 3]` where it has colour.

        Raises:
            PdfError: reason `render_error` or `memory`.
        """
        with self._faults("render", page_index):
            display_list = self._list(page_index)
            if colour == "grey" or (colour == "auto" and not _may_have_colour(display_list)):
                pixmap = _pixmap(display_list, dpi, pymupdf.csGRAY)
                return _samples(pixmap).copy()
            pixmap = _pixmap(display_list, dpi, pymupdf.csRGB)
            pixels = _samples(pixmap)
            if colour == "auto" and not is_coloured(pixels, dpi, self.size_pt(page_index)):
                return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
            return pixels.copy()

    def text(self, page_index: int, *, dpi: float) -> TextLayer:
        """The page's text layer in pixels of the image that `render` makes at the same dpi.

        Raises:
            PdfError: reason `render_error` or `memory`; the message says that it is the text.
        """
        with self._faults("extract the text of", page_index):
            factor = pixels_per_point(dpi)
            display_list = self._list(page_index)
            width_px, height_px = (side * factor for side in self.size_pt(page_index))
            page = pymupdf.TextPage(display_list.get_textpage(flags=_TEXT))
            lines, vectors = lines_and_vectors(page.extractDICT()["blocks"], factor)
            images = _image_boxes(display_list, factor)
            glyphs = glyphs_of(_trace(display_list, factor))
            words = list(split_words(styled_words(page.extractWORDS(), lines, factor), glyphs))
            return text_layer(
                words,
                width_px=width_px,
                height_px=height_px,
                figures=figures_of(
                    images,
                    vectors,
                    [word.box for word in words],
                    width_px=width_px,
                    height_px=height_px,
                    dpi=dpi,
                ),
                image_cover=image_cover(images, width_px=width_px, height_px=height_px),
                glyphs=glyphs,
                outside=words_outside(glyphs, width_px=width_px, height_px=height_px),
            )

    def warnings(self) -> list[str]:
        """What MuPDF complained about since the last call, each complaint once."""
        text = str(pymupdf.TOOLS.mupdf_warnings())
        lines = list(dict.fromkeys(filter(None, text.splitlines())))[:_MAX_WARNINGS]
        return list(map(sanitize, lines))

    def close(self) -> None:
        """Give the file and MuPDF's caches back."""
        self._forget()
        self._doc.close()
        pymupdf.TOOLS.store_shrink(100)

    def _load(self, page_index: int) -> Any:
        if page_index != self._page_index:
            self._forget()
            if self._loaded and self._loaded % _SHRINK_EVERY_PAGES == 0:
                pymupdf.TOOLS.store_shrink(100)
            self._page = self._doc.load_page(page_index)
            self._page_index = page_index
            self._loaded += 1
        return self._page

    def _list(self, page_index: int) -> Any:
        page = self._load(page_index)
        if self._display_list is None:
            self._display_list = page.get_displaylist()
        return self._display_list

    def _forget(self) -> None:
        self._page_index = -1
        self._page = self._display_list = None

    @contextmanager
    def _faults(self, what: str, page_index: int) -> Iterator[None]:
        """Every exception of MuPDF as a PdfError that names file, page and failure."""
        try:
            yield
        except PdfError:
            raise
        except Exception as err:  # any call on a page may raise anything, SystemError included
            memory = isinstance(err, MemoryError) or "malloc" in str(err)
            raise PdfError(
                f"MuPDF cannot {what} page {page_index} of {self.path}: "
                f"{type(err).__name__}: {err}",
                reason=Reason.MEMORY if memory else Reason.RENDER_ERROR,
            ) from err


def _pixmap(display_list: Any, dpi: float, colours: Any) -> Any:
    factor = pixels_per_point(dpi)
    pixmap = display_list.get_pixmap(pymupdf.Matrix(factor, factor), colours)
    if not pixmap.width or not pixmap.height:
        raise ValueError("the visible page has no area")
    return pixmap


def _samples(pixmap: Any) -> np.ndarray:
    """The pixels of a pixmap, for as long as it is there."""
    rows = np.frombuffer(pixmap.samples_mv, np.uint8).reshape(pixmap.height, pixmap.stride)
    rows = rows[:, : pixmap.width * pixmap.n]
    shape = (pixmap.height, pixmap.width) + ((pixmap.n,) if pixmap.n > 1 else ())
    return rows.reshape(shape)


def _may_have_colour(display_list: Any) -> bool:
    """False where no operator of the page sets a colour and no image or shading has one."""
    out = mupdf.ll_fz_new_test_device_outparams()
    device = mupdf.FzDevice(mupdf.ll_fz_new_test_device_outparams_fn(_GREY_SLOP, 0, None, out))
    try:
        _run(display_list, device)
    except mupdf.FzErrorAbort:  # how the device says that it has seen enough
        return True
    return bool(out.is_color)


class _ImageSpy(mupdf.FzDevice2):  # type: ignore[misc]  # pymupdf is not typed
    """Sees whether a page paints an image, or a shading, which counts as one."""

    def __init__(self) -> None:
        super().__init__()
        self.use_virtual_fill_image()
        self.use_virtual_fill_image_mask()
        self.use_virtual_fill_shade()
        self.seen = False

    def fill_image(self, *_: object) -> None:
        self.seen = True

    fill_image_mask = fill_shade = fill_image


def _image_boxes(display_list: Any, factor: float) -> list[Box]:
    """Boxes of the images, px. Most pages have none, and looking is cheaper than listing."""
    spy = _ImageSpy()
    _run(display_list, spy)
    if not spy.seen:
        return []
    page = pymupdf.TextPage(display_list.get_textpage(flags=pymupdf.TEXT_PRESERVE_IMAGES))
    return [scale(image["bbox"], factor) for image in page.extractIMGINFO()]


def _run(display_list: Any, device: Any, factor: float = 1.0) -> None:
    matrix = mupdf.FzMatrix(factor, 0, 0, factor, 0, 0)
    mupdf.fz_run_display_list(display_list.this, device, matrix, _EVERYWHERE, mupdf.FzCookie())
    mupdf.fz_close_device(device)


def _trace(display_list: Any, factor: float) -> list[dict[str, Any]]:
    """Spans of characters as painted, px."""
    spans: list[dict[str, Any]] = []
    device = extra.JM_new_texttrace_device(spans)
    _run(display_list, device, factor)
    return spans
