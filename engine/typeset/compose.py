"""One page: a pure function of a typesetter and a number."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, fields
from statistics import median

import numpy as np

from ..config import fingerprint
from ..key import keyed_hash, page_key
from ..page import Page, Verdict, VerdictName
from .canvas import Canvas, draw, text_layer
from .config import KindConfig, TypesetConfig
from .crop import block, line
from .design import PageDesign
from .form import form
from .letter import letter
from .material import Material
from .prose import prose
from .receipt import invoice, receipt
from .slide import slide
from .table import table

ENGINE = "typeset 2"
"""Rises whenever a page of the same settings would look otherwise; it is in the page's name too.
2: numbers, sums and dates by Babel."""

KINDS: dict[str, Callable[[PageDesign], Canvas]] = {
    "line": line,
    "block": block,
    "prose": prose,
    "table": table,
    "form": form,
    "receipt": receipt,
    "invoice": invoice,
    "letter": letter,
    "slide": slide,
}
_SMALL = ("line", "block", "receipt", "slide")
"""Kinds without a paper size."""
_MADE_UP = ("form", "receipt", "invoice", "letter")
_TRIES = 8
"""A page without a word is drawn anew."""


@dataclass(frozen=True, eq=False)
class Typesetter:
    """All that a page depends on, but its number."""

    config: TypesetConfig
    material: Material
    seed: int
    split: str = "train"


@dataclass(frozen=True)
class PageLayout:
    """A page before it is drawn."""

    kind: str
    canvas: Canvas
    design: PageDesign


@dataclass(frozen=True)
class TypesetPage:
    """A page with what is known of its making."""

    image: np.ndarray
    """uint8 `[height, width]`."""
    page: Page
    kind: str
    licence: str
    """Licences of its texts, `; ` between; empty where all was made up."""


def compose_page(typesetter: Typesetter, number: int) -> TypesetPage:
    """The page of a number, whose text is exactly what its image shows.

    The same on every run; pages of different numbers, seeds and splits share nothing.

    Args:
        typesetter: settings, material, seed and split.
        number: of the page, from 0 on.
    """
    for attempt in range(_TRIES):
        page_layout = layout(typesetter, number, attempt)
        image, boxes = draw(page_layout.canvas)
        layer = text_layer(page_layout.canvas, boxes)
        if layer.words:
            break
    x_heights = [
        run.style.font.x_height_px
        for run, box in zip(page_layout.canvas.runs, boxes, strict=True)
        if box is not None
    ]
    sha256 = document_sha256(typesetter, number)
    page = Page(
        key=page_key(sha256, 0),
        doc_sha256=sha256,
        page_index=0,
        page_count=1,
        width=image.shape[1],
        height=image.shape[0],
        dpi=page_layout.design.dpi,
        rotation=0,
        engine=ENGINE,
        layer=layer,
        verdict=Verdict(VerdictName.TRUSTED, 1.0, {"typeset": 1.0}),
        language=page_layout.design.language,
        x_height=median(x_heights) if x_heights else 0.0,
        image_sha256="",
    )
    return TypesetPage(
        image, page, page_layout.kind, "; ".join(sorted(page_layout.design.licences))
    )


def layout(typesetter: Typesetter, number: int, attempt: int = 0) -> PageLayout:
    """Where everything stands on a page, before it is drawn."""
    parts = ("typeset", typesetter.seed, typesetter.split, number, attempt)
    rng = random.Random(keyed_hash(*parts))
    kind = _kind(rng, typesetter.config.kind)
    design = PageDesign(
        rng,
        typesetter.config,
        typesetter.material,
        page=kind not in _SMALL,
        made_up=kind in _MADE_UP,
    )
    return PageLayout(kind, KINDS[kind](design), design)


def document_sha256(typesetter: Typesetter, number: int) -> str:
    """The name of a typeset document: there is no file whose hash it could be."""
    name = (
        f"{ENGINE} {fingerprint(typesetter.config)} {typesetter.seed} {typesetter.split} {number}"
    )
    return hashlib.sha256(name.encode()).hexdigest()


def _kind(rng: random.Random, config: KindConfig) -> str:
    weights = {item.name: getattr(config, item.name) for item in fields(config)}
    return rng.choices(list(weights), list(weights.values()))[0]
