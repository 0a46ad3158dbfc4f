"""Poppler's programs behind the backend interface: no PyMuPDF, and a process per call.

pdf2image renders through `pdftoppm`; `pdftotext -bbox-layout` reads words, `pdfinfo -box`
measures and `pdfimages -list` says how much of a page is images. Poppler knows no UserUnit, so
pages are rendered at a resolution that makes up for it, and its text boxes are those of the
media box, so they are shifted to the crop box here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from pdf2image import convert_from_path
from pdf2image.exceptions import PDFPageCountError, PDFPopplerTimeoutError, PDFSyntaxError

from ...errors import PdfError
from ...geometry import POINTS_PER_INCH, Box, pixels_per_point, scale, shift
from ...layout.lines import RawWord, text_layer
from ...page import TextLayer
from ...reason import Reason
from ...text import sanitize
from .bbox import page_size_of, words_of
from .colour import is_coloured
from .document import Colour
from .header import check_readable, refused
from .pdfinfo import Sheet, field_of, sheets_of
from .program import Ended, require, run
from .standard_font import standard_font_warnings
from .userunit import user_unit_of, uses_user_unit

PACKAGE = "poppler-utils"
DEADLINE_S = 60.0
"""Seconds for one call of one program; the reader's own deadline may be shorter."""
_TEXT_BYTES = 256 << 20
_INFO_PAGES = 64
"""Pages measured by one call of pdfinfo."""
_MAX_WARNINGS = 50
_ROUNDING_PX = 2
_SAME_PT = 0.1
_REPAIR = re.compile(r"reconstruct|find trailer|Invalid XRef|No valid XRef", re.IGNORECASE)
_WRONG_PASSWORD = "Incorrect password"
_NO_PAGES = "the last page (0)"


def open_document(path: Path, password: str | None = None) -> PopplerDocument:
    """Open a PDF by its content, whatever its name; the empty password is tried first.

    Raises:
        DependencyError: poppler's programs are missing.
        PdfError: reason `missing`, `empty_file`, `not_a_document`, `broken`, `encrypted`,
            `zero_pages` or `timeout`.
    """
    for program in ("pdfinfo", "pdftoppm", "pdftotext", "pdfimages"):
        require(program, PACKAGE)
    check_readable(path)
    return PopplerDocument(path.absolute(), password)


class PopplerDocument:
    """A PDF that poppler's programs can open."""

    engine = "poppler"

    def __init__(self, path: Path, password: str | None) -> None:
        self.path = path
        self.repaired = False
        self._warnings: list[str] = []
        self._sheets: dict[int, Sheet] = {}
        self._access: list[str] = []
        self.engine = f"poppler {_version()}"
        info = self._open(password)
        self.page_count = int(field_of(info, "Pages") or 0)
        if self.page_count < 1:
            raise PdfError(f"{path} opens, but has no pages", reason=Reason.ZERO_PAGES)
        self.producer = sanitize(field_of(info, "Producer"))
        self._has_user_unit = uses_user_unit(path)

    def size_pt(self, page_index: int) -> tuple[float, float]:
        """Width and height of the visible page, pt, after rotation, crop box and UserUnit."""
        return self._sheet(page_index).size_pt

    def rotation(self, page_index: int) -> int:
        """The page's /Rotate: 0, 90, 180 or 270."""
        return self._sheet(page_index).rotation

    def dpi(self, page_index: int) -> None:
        """None: a PDF page has no resolution of its own."""

    def render(self, page_index: int, *, dpi: float, colour: Colour) -> np.ndarray:
        """The page as `uint8 [height, width]`, or `[height, width, 3]` where it has colour.

        With `auto` the page is rendered in colour once and looked at in small.

        Raises:
            PdfError: reason `render_error` or `timeout`.
        """
        sheet = self._sheet(page_index)
        width, height = (_whole(side * pixels_per_point(dpi)) for side in sheet.size_pt)
        rendered = self._rendered(page_index, dpi * sheet.scale, grey=colour == "grey")
        pixels = _fitted(rendered, width, height)
        if pixels is None:
            why = f"it made {rendered.shape[1]} x {rendered.shape[0]} px of {width} x {height}"
            raise self._fault("render", page_index, why)
        if colour == "auto" and not is_coloured(pixels, dpi, sheet.size_pt, by_halves=False):
            pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        warnings = standard_font_warnings(self.path, page_index, self._access)
        self._warnings += map(sanitize, warnings)
        return np.ascontiguousarray(pixels)

    def _rendered(self, page_index: int, dpi: float, *, grey: bool) -> np.ndarray:
        """What pdf2image makes of the crop box."""
        number = page_index + 1
        try:
            images = convert_from_path(
                self.path,
                dpi=dpi,
                first_page=number,
                last_page=number,
                grayscale=grey,
                use_cropbox=True,
                timeout=math.ceil(DEADLINE_S),
                **self._passwords(),
            )
        except PDFPopplerTimeoutError as err:
            raise self._late("pdftoppm", page_index) from err
        except (PDFPageCountError, PDFSyntaxError, OSError, ValueError) as err:
            raise self._fault("render", page_index, _first_line(str(err))) from err
        if not images:
            raise self._fault("render", page_index, "pdftoppm made no image")
        return np.asarray(images[0])

    def _passwords(self) -> dict[str, str]:
        names = {"-upw": "userpw", "-opw": "ownerpw"}
        return {names[self._access[0]]: self._access[1]} if self._access else {}

    def text(self, page_index: int, *, dpi: float) -> TextLayer:
        """The page's text layer in pixels of the image that `render` makes at the same dpi.

        No glyphs, no figures and no invisible words: poppler does not tell.

        Raises:
            PdfError: reason `render_error` or `timeout`; the message says that it is the text.
        """
        sheet = self._sheet(page_index)
        factor = pixels_per_point(dpi)
        words = self._words(page_index, sheet)
        outside = sum(_reaches(word.box, sheet) == 0 for word in words)
        if any(_reaches(word.box, sheet) == 1 for word in words):
            words = self._cropped(page_index, sheet) or words
        width_px, height_px = (side * factor for side in sheet.size_pt)
        layer = text_layer(
            (word._replace(box=scale(word.box, factor * sheet.scale)) for word in words),
            width_px=width_px,
            height_px=height_px,
            image_cover=self._image_cover(page_index, sheet),
        )
        return replace(layer, outside=outside)

    def _words(self, page_index: int, sheet: Sheet) -> list[RawWord]:
        """All words, also those outside the crop box; pt from its top left as rotated."""
        text = self._text(page_index, [])
        dx, dy = sheet.offset
        return [word._replace(box=shift(word.box, -dx, -dy)) for word in words_of(text)]

    def _cropped(self, page_index: int, sheet: Sheet) -> list[RawWord]:
        """Words without the letters outside the crop box; none where poppler does not crop."""
        text = self._text(page_index, ["-cropbox"])
        size = page_size_of(text)
        crop = (sheet.crop[2] - sheet.crop[0], sheet.crop[3] - sheet.crop[1])
        if size is None or max(abs(size[0] - crop[0]), abs(size[1] - crop[1])) > _SAME_PT:
            return []
        return list(words_of(text))

    def _text(self, page_index: int, options: list[str]) -> str:
        arguments = ["-bbox-layout", "-enc", "UTF-8", *options]
        ended = self._run("pdftotext", page_index, arguments, limit_bytes=_TEXT_BYTES)
        if ended.status or ended.cut:
            raise self._fault("extract the text of", page_index, _why(ended))
        return ended.output.decode("utf-8", "replace")

    def warnings(self) -> list[str]:
        """What poppler complained about since the last call, each complaint once."""
        warnings, self._warnings = self._warnings, []
        return list(dict.fromkeys(warnings))[:_MAX_WARNINGS]

    def close(self) -> None:
        """Nothing is held open."""

    def _open(self, password: str | None) -> str:
        """What pdfinfo says, with the first password that fits."""
        attempts: list[list[str]] = [[]]
        if password is not None:
            attempts += [["-upw", password], ["-opw", password]]
        for access in attempts:
            command = ["pdfinfo", *access, str(self.path)]
            ended = run(command, deadline_s=DEADLINE_S, limit_bytes=_TEXT_BYTES)
            self._note(ended)
            if ended.late:
                raise PdfError(
                    f"pdfinfo took more than {DEADLINE_S:g} s to open {self.path}",
                    reason=Reason.TIMEOUT,
                )
            if ended.status == 0:
                self._access = access
                return ended.output.decode("utf-8", "replace")
            if _NO_PAGES in ended.errors:
                raise PdfError(f"{self.path} opens, but has no pages", reason=Reason.ZERO_PAGES)
            if _WRONG_PASSWORD not in ended.errors:
                raise refused(self.path, "poppler", _first_line(ended.errors))
        what = "a password" if password is None else "another password than the one given"
        raise PdfError(f"{self.path} needs {what}", reason=Reason.ENCRYPTED)

    def _sheet(self, page_index: int) -> Sheet:
        if not 0 <= page_index < self.page_count:
            raise PdfError(
                f"{self.path} has no page {page_index}; it has {self.page_count}",
                reason=Reason.RENDER_ERROR,
            )
        if page_index not in self._sheets:
            first = page_index - page_index % _INFO_PAGES
            last = min(first + _INFO_PAGES, self.page_count)
            ended = run(
                [
                    "pdfinfo",
                    "-box",
                    "-f",
                    str(first + 1),
                    "-l",
                    str(last),
                    *self._access,
                    str(self.path),
                ],
                deadline_s=DEADLINE_S,
                limit_bytes=_TEXT_BYTES,
            )
            self._note(ended)
            self._sheets.update(sheets_of(ended.output.decode("utf-8", "replace")))
            if page_index not in self._sheets:
                raise self._fault("find", page_index, _why(ended))
        sheet = self._sheets[page_index]
        if self._has_user_unit and sheet.user_unit is None:
            unit = user_unit_of(self.path, page_index)
            sheet = self._sheets[page_index] = replace(sheet, user_unit=unit)
        return sheet

    def _image_cover(self, page_index: int, sheet: Sheet) -> float:
        """Share of the page under images, by their sizes and resolutions; 1 at most."""
        ended = self._run("pdfimages", page_index, ["-list"], after=[], limit_bytes=_TEXT_BYTES)
        covered = 0.0
        for row in ended.output.decode("utf-8", "replace").splitlines()[2:]:
            cells = row.split()
            if len(cells) >= 14 and cells[2] in ("image", "stencil"):
                dpi = float(cells[-4]) * float(cells[-3])
                covered += float(cells[3]) * float(cells[4]) / dpi if dpi > 0 else 0.0
        width, height = (side / POINTS_PER_INCH for side in sheet.plain_pt)
        return min(1.0, covered / max(width * height, 1e-9))

    def _run(
        self,
        program: str,
        page_index: int,
        arguments: list[str],
        *,
        limit_bytes: int,
        after: Sequence[str] = ("-",),
    ) -> Ended:
        page = str(page_index + 1)
        command = [program, "-f", page, "-l", page, *arguments, *self._access, str(self.path)]
        ended = run([*command, *after], deadline_s=DEADLINE_S, limit_bytes=limit_bytes)
        self._note(ended)
        if ended.late:
            raise self._late(program, page_index)
        return ended

    def _note(self, ended: Ended) -> None:
        lines = [line.strip() for line in ended.errors.splitlines() if line.strip()]
        self._warnings += map(sanitize, lines[:_MAX_WARNINGS])
        self.repaired = self.repaired or any(map(_REPAIR.search, lines))

    def _late(self, program: str, page_index: int) -> PdfError:
        return PdfError(
            f"{program} took more than {DEADLINE_S:g} s for page {page_index} of {self.path}",
            reason=Reason.TIMEOUT,
        )

    def _fault(self, what: str, page_index: int, why: str) -> PdfError:
        memory = "memory" in why.lower() or "bad_alloc" in why
        return PdfError(
            f"poppler cannot {what} page {page_index} of {self.path}: {why}",
            reason=Reason.MEMORY if memory else Reason.RENDER_ERROR,
        )


def _reaches(box: Box, sheet: Sheet) -> int:
    """0 for a box wholly outside the visible page, 1 where it crosses an edge, 2 inside."""
    width, height = sheet.plain_pt
    if box[2] <= 0 or box[3] <= 0 or box[0] >= width or box[1] >= height:
        return 0
    return 2 if min(box) >= 0 and box[2] <= width and box[3] <= height else 1


def _version() -> str:
    ended = run(["pdfinfo", "-v"], deadline_s=DEADLINE_S, limit_bytes=1 << 16)
    match = re.search(r"version ([\d.]+)", ended.errors + ended.output.decode("ascii", "replace"))
    return match.group(1) if match else "unknown"


def _why(ended: Ended) -> str:
    return _first_line(ended.errors) or f"exit status {ended.status}"


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _whole(length_px: float) -> int:
    """As MuPDF rounds: up, but for a thousandth of a pixel."""
    return max(1, math.ceil(length_px - 0.001))


def _fitted(pixels: np.ndarray, width: int, height: int) -> np.ndarray | None:
    """The rendering cut, or grown with paper, where rounding made it a pixel off."""
    down, across = height - pixels.shape[0], width - pixels.shape[1]
    if max(abs(down), abs(across)) > _ROUNDING_PX:
        return None
    pixels = pixels[:height, :width]
    edges = [(0, max(0, down)), (0, max(0, across)), (0, 0)][: pixels.ndim]
    return np.pad(pixels, edges, constant_values=255) if max(down, across) > 0 else pixels
