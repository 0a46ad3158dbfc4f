"""One page, from an open document to bytes ready for a shard: render, read, judge, filter, encode.

Runs inside the supervised child (`child`, `guard`); knows nothing of processes or Ray.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, TypeVar

import numpy as np
import orjson

from ..curate.filter import FilterConfig, ink_share, page_reason, size_reason
from ..curate.language import language_of
from ..errors import ConfigError, PdfError
from ..failure import failure_text, is_system_error
from ..image import ImageConfig, encode, thumbnail, to_grey
from ..key import page_key
from ..page import Page, TextLayer, Verdict
from ..reason import Reason
from ..record import PageFacts, PageRecord, PageTiming
from ..text import MESSAGE_CHARS, sanitize
from ..verdict.decision import judge
from ..verdict.x_height import x_height
from .backend.document import Colour, OpenDocument
from .backend.registry import (
    PDF_BACKENDS,
    is_available,
    load_backend,
    open_document,
    second_backend,
)
from .render import page_dpi, size_px, too_many_pixels

Result = TypeVar("Result")
_OURS = ("judge", "encode")
"""Stages in which no backend is asked for anything."""
_IMAGE_MAGICS = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"BM")


@dataclass(frozen=True, kw_only=True)
class RenderConfig:
    """How pages become pixels."""

    renamed_keys: ClassVar[Mapping[str, str]] = {
        "engine": "backend",
        "second_engine": "second_backend",
    }
    backend: str = "mupdf"
    "The PDF library: mupdf is faster and AGPL or commercial; poppler runs as separate programs."
    second_backend: bool = True
    "Pages and documents on which the first backend dies are tried on the other one."
    dpi: float = 144.0
    "Resolution of the page image, dots per inch. Scans are never enlarged."
    colour: Colour = "auto"
    "auto keeps colour where the page has it; grey and colour force one for all pages."

    def __post_init__(self) -> None:
        if self.backend not in PDF_BACKENDS:
            raise ConfigError(
                f"render.backend is {self.backend!r}; allowed: {', '.join(PDF_BACKENDS)}"
            )
        if not 18 <= self.dpi <= 1200:
            raise ConfigError(f"render.dpi is {self.dpi}; it runs from 18 to 1200")

    def installed(self) -> RenderConfig:
        """The same, without the second backend where that is not installed.

        Raises:
            DependencyError: the first backend is not installed.
        """
        load_backend(self.backend)
        if not self.second_backend or is_available(second_backend(self.backend)):
            return self
        return replace(self, second_backend=False)


@dataclass(frozen=True, kw_only=True)
class ReadConfig:
    """All that decides what is made of a page."""

    render: RenderConfig = field(default_factory=RenderConfig)
    image: ImageConfig = field(default_factory=ImageConfig)
    filter: FilterConfig = field(default_factory=FilterConfig)
    page_pixels: int = 50_000_000
    """Most pixels of a rendered page; checked before rendering."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFate(PageRecord):
    """A page's record with its bytes: image and JSON of a kept page, a thumbnail of another."""

    image: bytes = b""
    json: bytes = b""
    thumbnail: bytes = b""
    """Small JPEG of a page that is filtered out."""
    word_shares: bytes = b""
    """Its word boxes as shares of width and height, four numbers each, as JSON."""


def open_any(path: Path, backend: str, passwords: tuple[str, ...]) -> OpenDocument:
    """Open a file with the backend that its content asks for: images as scans, the rest as PDF.

    Raises:
        PdfError: as `backend.open_document`; `encrypted` when no password fits.
    """
    with path.open("rb") as stream:
        head = stream.read(1024)
    if not head:
        raise PdfError("the file has no bytes", reason=Reason.EMPTY_FILE)
    if head.startswith(_IMAGE_MAGICS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return open_document("raster", path)
    for password in (None, *passwords):
        try:
            return open_document(backend, path, password)
        except PdfError as err:
            if err.reason != Reason.ENCRYPTED:
                raise
    tried = f"none of {len(passwords)} given passwords fits" if passwords else "none was given"
    raise PdfError(f"the file needs a password and {tried}", reason=Reason.ENCRYPTED)


def read_page(
    document: OpenDocument, page_index: int, doc_sha256: str, config: ReadConfig
) -> PageFate:
    """Read one page to its fate.

    An error of the backend becomes a failed fate with its reason; one of ours, while the page is
    judged or encoded, is an `internal_error` with the way to it.

    Raises:
        MemoryError: and whatever a backend raises that its own file did not foresee.
    """
    clock = _Clock()
    try:
        fate = _read_page(document, page_index, doc_sha256, config, clock)
    except PdfError as err:
        fate = PageFate(
            page_index=page_index,
            failed=True,
            stage=clock.stage,
            reason=err.reason or Reason.RENDER_ERROR,
            message=str(err),
        )
    except Exception as err:
        if clock.stage not in _OURS or is_system_error(err):
            raise
        fate = PageFate(
            page_index=page_index,
            failed=True,
            stage=clock.stage,
            reason=Reason.INTERNAL_ERROR,
            message=failure_text(err),
        )
    warnings = sanitize("; ".join(dict.fromkeys(document.warnings())), MESSAGE_CHARS)
    return replace(fate, timing=clock.timing(), warnings=warnings, engine=document.engine)


def _read_page(
    document: OpenDocument, page_index: int, doc_sha256: str, config: ReadConfig, clock: _Clock
) -> PageFate:
    dpi = page_dpi(document, page_index, config.render.dpi)
    early = clock("render", lambda: _refuse_size(document, page_index, dpi, config))
    if early is not None:
        return early
    colour = config.render.colour
    image = clock("render", lambda: document.render(page_index, dpi=dpi, colour=colour))
    layer = clock("text", lambda: document.text(page_index, dpi=dpi))
    producer = document.producer
    grey = clock("judge", lambda: image if image.ndim == 2 else to_grey(image))
    verdict = clock("judge", lambda: judge(grey, layer, producer=producer))
    ink = clock("judge", lambda: ink_share(grey))
    x_height_px = clock("judge", lambda: x_height(grey, layer))
    page = clock(
        "text",
        lambda: _page(document, page_index, doc_sha256, dpi, image, layer, verdict, x_height_px),
    )
    reason = page_reason(ink, layer, verdict, page.language, config.filter)
    facts = PageFacts.from_page(page)
    if reason is not None:
        small = clock("encode", lambda: thumbnail(image))
        return PageFate(
            page_index=page_index,
            stage="judge" if reason.startswith("text_") else "filter",
            reason=reason,
            message=reason.meaning,
            thumbnail=small,
            word_shares=orjson.dumps(_word_shares(page)),
            facts=facts,
        )
    data = clock("encode", lambda: encode(image, config.image))
    sealed = replace(page, image_sha256=hashlib.sha256(data).hexdigest())
    json = clock("encode", sealed.to_json)
    return PageFate(page_index=page_index, kept=True, image=data, json=json, facts=facts)


def _refuse_size(
    document: OpenDocument, page_index: int, dpi: float, config: ReadConfig
) -> PageFate | None:
    """The fate of a page that is not rendered because of its size, or None."""
    width, height = size_px(document, page_index, dpi)
    if width * height > config.page_pixels:
        return PageFate(
            page_index=page_index,
            stage="render",
            reason=Reason.TOO_MANY_PIXELS,
            message=f"{too_many_pixels(width, height, dpi, config.page_pixels)}; "
            "lower render.dpi or raise the limit",
            facts=PageFacts(width=round(width), height=round(height)),
        )
    reason = size_reason(round(width), round(height), config.filter)
    if reason is None:
        return None
    return PageFate(
        page_index=page_index,
        stage="filter",
        reason=reason,
        message=f"{width:.0f} x {height:.0f} px at {dpi:g} dpi",
        facts=PageFacts(width=round(width), height=round(height)),
    )


def _page(
    document: OpenDocument,
    page_index: int,
    doc_sha256: str,
    dpi: float,
    image: np.ndarray,
    layer: TextLayer,
    verdict: Verdict,
    x_height_px: float,
) -> Page:
    return Page(
        key=page_key(doc_sha256, page_index),
        doc_sha256=doc_sha256,
        page_index=page_index,
        page_count=document.page_count,
        width=int(image.shape[1]),
        height=int(image.shape[0]),
        dpi=dpi,
        rotation=document.rotation(page_index),
        engine=document.engine,
        layer=layer,
        verdict=verdict,
        language=language_of(layer.text),
        x_height=x_height_px,
        image_sha256="",
    )


def _word_shares(page: Page) -> list[float]:
    """Word boxes as shares of the page's width and height, four numbers each, at most 400 words."""
    flat: list[float] = []
    for word in page.layer.words[:400]:
        x0, y0, x1, y1 = word.box
        flat += [x0 / page.width, y0 / page.height, x1 / page.width, y1 / page.height]
    return [round(value, 4) for value in flat]


class _Clock:
    """Adds up milliseconds by stage and remembers the stage it is in."""

    def __init__(self) -> None:
        self.stage = "open"
        self._ms: dict[str, float] = {}

    def __call__(self, stage: str, step: Callable[[], Result]) -> Result:
        self.stage = stage
        start = time.perf_counter()
        try:
            return step()
        finally:
            elapsed = (time.perf_counter() - start) * 1000
            self._ms[stage] = self._ms.get(stage, 0.0) + elapsed

    def timing(self) -> PageTiming:
        return PageTiming(**{name: round(ms, 2) for name, ms in self._ms.items()})
