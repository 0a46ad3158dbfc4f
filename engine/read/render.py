"""The pixels of a page: at which resolution, how large at most; and a page that is pixels alone.

Readers that look at pages need no text layer: `render_page` neither reads nor judges it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import PdfError
from ..geometry import pixels_per_point
from ..reason import Reason
from ..record import PageFacts, PageRecord
from .backend.document import Colour, OpenDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPage(PageRecord):
    """A page's record with its pixels."""

    pixels: np.ndarray | None = None
    """uint8 [height, width], or [height, width, 3] RGB; None of a page that has a reason."""


def render_page(
    document: OpenDocument, page_index: int, *, dpi: float, colour: Colour, most_pixels: int
) -> RenderedPage:
    """Render a page; errors of the backend become a failed record with their reason."""
    engine = document.engine
    try:
        dpi = page_dpi(document, page_index, dpi)
        width, height = size_px(document, page_index, dpi)
        facts = PageFacts(width=round(width), height=round(height))
        if width * height > most_pixels:
            return RenderedPage(
                page_index=page_index, stage="render", reason=Reason.TOO_MANY_PIXELS,
                message=too_many_pixels(width, height, dpi, most_pixels), facts=facts,
                engine=engine,
            )  # fmt: skip
        pixels = document.render(page_index, dpi=dpi, colour=colour)
    except PdfError as err:
        return RenderedPage(
            page_index=page_index, failed=True, stage="render",
            reason=err.reason or Reason.RENDER_ERROR, message=str(err), engine=engine,
        )  # fmt: skip
    return RenderedPage(page_index=page_index, kept=True, pixels=pixels, facts=facts, engine=engine)


def page_dpi(document: OpenDocument, page_index: int, dpi: float) -> float:
    """Resolution at which a page is rendered: the one asked for, but a scan is never enlarged."""
    return min(document.dpi(page_index) or dpi, dpi)


def size_px(document: OpenDocument, page_index: int, dpi: float) -> tuple[float, float]:
    """Width and height of a page in px, before it is rendered.

    Raises:
        PdfError: it has no area.
    """
    width, height = (side * pixels_per_point(dpi) for side in document.size_pt(page_index))
    if min(width, height) < 1:
        raise PdfError(f"the page is {width:.0f} x {height:.0f} px: it has no area")
    return width, height


def too_many_pixels(width: float, height: float, dpi: float, most_pixels: int) -> str:
    """What is said of a page that is too large to be rendered."""
    return (
        f"{width:.0f} x {height:.0f} px at {dpi:g} dpi is more than limits.page_pixels = "
        f"{most_pixels}"
    )
