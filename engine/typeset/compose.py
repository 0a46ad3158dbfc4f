"""One page: a pure function of a recipe and a number."""

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
from .config import KindConfig, TypesetConfig
from .crop import block, line
from .form import form
from .letter import letter
from .material import Material
from .prose import prose
from .receipt import invoice, receipt
from .scene import Scene
from .sheet import Sheet, draw, text_layer
from .slide import slide
from .table import table

ENGINE = "typeset 2"
"""Rises whenever a page of the same settings would look otherwise; it is in the page's name too.
2: numbers, sums and dates by Babel."""

KINDS: dict[str, Callable[[Scene], Sheet]] = {
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
class Layout:
    """A page before it is drawn."""

    kind: str
    sheet: Sheet
    scene: Scene


@dataclass(frozen=True)
class TypesetPage:
    """A page with what is known of its making."""

    image: np.ndarray
    """uint8 `[height, width]`."""
    page: Page
    kind: str
    licence: str
    """Licences of its texts, `; ` between; empty where all was made up."""


def typeset(recipe: Typesetter, number: int) -> tuple[np.ndarray, Page]:
    """The image, uint8 `[height, width]`, and the page whose text is exactly what it shows.

    The same on every run; pages of different numbers, seeds and splits share nothing.

    Args:
        recipe: settings, material, seed and split.
        number: of the page, from 0 on.
    """
    sample = compose_page(recipe, number)
    return sample.image, sample.page


def compose_page(recipe: Typesetter, number: int) -> TypesetPage:
    """The page of a number, with its kind and the licences of its texts; see `typeset`."""
    for attempt in range(_TRIES):
        made = layout(recipe, number, attempt)
        image, boxes = draw(made.sheet)
        layer = text_layer(made.sheet, boxes)
        if layer.words:
            break
    x_heights = [
        run.style.font.x_height_px
        for run, box in zip(made.sheet.runs, boxes, strict=True)
        if box is not None
    ]
    sha256 = document_sha256(recipe, number)
    page = Page(
        key=page_key(sha256, 0),
        doc_sha256=sha256,
        page_index=0,
        page_count=1,
        width=image.shape[1],
        height=image.shape[0],
        dpi=made.scene.dpi,
        rotation=0,
        engine=ENGINE,
        layer=layer,
        verdict=Verdict(VerdictName.TRUSTED, 1.0, {"typeset": 1.0}),
        language=made.scene.language,
        x_height=median(x_heights) if x_heights else 0.0,
        image_sha256="",
    )
    return TypesetPage(image, page, made.kind, "; ".join(sorted(made.scene.licences)))


def layout(recipe: Typesetter, number: int, attempt: int = 0) -> Layout:
    """The sheet of a page, its kind, and the scene that it was made in."""
    parts = ("typeset", recipe.seed, recipe.split, number, attempt)
    rng = random.Random(keyed_hash(*parts))
    kind = _kind(rng, recipe.config.kind)
    scene = Scene(
        rng, recipe.config, recipe.material, page=kind not in _SMALL, made_up=kind in _MADE_UP
    )
    return Layout(kind, KINDS[kind](scene), scene)


def document_sha256(recipe: Typesetter, number: int) -> str:
    """The name of a typeset document: there is no file whose hash it could be."""
    name = f"{ENGINE} {fingerprint(recipe.config)} {recipe.seed} {recipe.split} {number}"
    return hashlib.sha256(name.encode()).hexdigest()


def _kind(rng: random.Random, config: KindConfig) -> str:
    weights = {item.name: getattr(config, item.name) for item in fields(config)}
    return rng.choices(list(weights), list(weights.values()))[0]
