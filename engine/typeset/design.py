"""How one page looks and what it says, drawn before its layout: language, fonts, ground, words.

All random draws of a page come from the design's `rng`, in the order of the layout.
"""

from __future__ import annotations

import random

from ..geometry import pixels_per_point
from . import fake
from .canvas import Canvas, Style
from .config import TypesetConfig
from .font import Family, sized_face
from .locale import Locale, locale_of, locales
from .material import Material
from .text import Text

_MIN_CONTRAST = 70
"""Grey levels between ink and ground; corruption may lower it later."""
_PAPERS_MM = ((210.0, 297.0), (210.0, 297.0), (215.9, 279.4), (148.0, 210.0))
_MM_PER_INCH = 25.4
_BODY_KINDS = (
    *("sans",) * 5,
    *("serif",) * 5,
    *("mono", "slab", "typewriter", "condensed", "any", "any"),
)
"""Kinds of families by how often they are the body's."""


class PageDesign:
    """The draws that a page's parts share."""

    def __init__(
        self,
        rng: random.Random,
        config: TypesetConfig,
        material: Material,
        *,
        page: bool,
        made_up: bool = False,
    ) -> None:
        self.rng = rng
        self.config = config
        self.material = material
        look = config.look
        self.dpi = round(rng.uniform(look.min_dpi, look.max_dpi), 1) if page else 120.0
        self.pt = pixels_per_point(self.dpi)
        """Pixels of a point."""
        self.scale = rng.choice((1, 2, 2) if page else (1, 2, 2, 3))
        self.shaped = rng.random() < look.shaped
        self.language = self._language(made_up)
        self.locale: Locale = locale_of(self.language)
        self.licences: set[str] = set()
        """Of the texts that were taken."""
        self.body = self.family()
        self.heading = self.body if rng.random() < 0.55 else self.family()
        self.inverted = rng.random() < look.inverted
        self.paper = self._paper()
        self.ink = self._ink()

    def chance(self, share: float) -> bool:
        """True with that probability."""
        return self.rng.random() < share

    def family(self, kind: str = "") -> Family:
        """A family that draws the language, of a kind where there is one."""
        families_by_language = self.material.families_by_language[self.language]
        kind = kind or self.rng.choice(_BODY_KINDS)
        fitting = [family for family in families_by_language if family.kind == kind]
        return self.rng.choice(fitting or list(families_by_language))

    def paper_px(self) -> tuple[int, int]:
        """Width and height of a sheet of paper, px."""
        width, height = self.rng.choice(_PAPERS_MM)
        if self.chance(0.08):
            width, height = height, width
        factor = self.dpi / _MM_PER_INCH
        return round(width * factor), round(height * factor)

    def canvas(self, width_px: int, height_px: int) -> Canvas:
        """An empty canvas on this design's ground."""
        return Canvas(width_px, height_px, paper=self.paper, scale=self.scale)

    def style(
        self,
        size_px: float,
        *,
        family: Family | None = None,
        bold: bool = False,
        italic: bool = False,
        ink: int | None = None,
        tracking_em: float = 0.0,
    ) -> Style:
        """A face of a family (else of the body's) at that size, no smaller than allowed."""
        face = (family or self.body).face(bold=bold, italic=italic)
        size_px = max(size_px, self.config.look.min_x_height_px / face.x_height_em)
        font = sized_face(face, size_px, scale=self.scale, shaped=self.shaped)
        return Style(font, self.ink if ink is None else ink, tracking_em * size_px)

    def tone(self, strength: float) -> int:
        """A grey between the paper (0) and full ink (1), for rules and grounds."""
        return round(self.paper + (self.ink - self.paper) * strength)

    def label(self, name: str) -> str:
        """A label of the language."""
        return self.locale.labels[name]

    def fit(self, text: str, family: Family | None = None) -> str:
        """The text without words that the family (else the body's) cannot draw."""
        family = family or self.body
        return " ".join(word for word in text.split() if family.draws(word))

    def words(self, count: int, family: Family | None = None) -> list[str]:
        """About that many words: running text, or words or strings without sense."""
        family = family or self.body
        draw, text = self.rng.random(), self.config.text
        if draw < text.strings:
            words = [fake.random_string(self.rng) for _ in range(count)]
        elif draw < text.strings + text.words:
            words = self._listed(count)
        else:
            words = self._running(count)
        if self.chance(text.capitals):
            words = [word.upper() for word in words]
        return [word for word in words if family.draws(word)]

    def paragraph(self, low: int, high: int) -> list[str]:
        """Words of a paragraph of that length."""
        return self.words(self.rng.randint(low, high))

    def title(self, most: int = 7, family: Family | None = None) -> str:
        """A few words as a heading has them."""
        family = family or self.heading
        words = self.words(self.rng.randint(1, most), family)
        text = " ".join(words).strip(" .,;:-–—(")
        if self.chance(0.15):
            text = self.fit(text.upper(), family)
        return text[:1].upper() + text[1:] if family.draws(text[:1].upper()) else text

    def _language(self, made_up: bool) -> str:
        languages = [
            name for name in self.material.languages if not made_up or name in locales()
        ] or list(self.material.languages)
        others = [name for name in languages if name != "en"]
        if "en" in languages and (not others or self.chance(self.config.text.english)):
            return "en"
        return self.rng.choice(others)

    def _paper(self) -> int:
        if self.inverted:
            return self.rng.randint(0, 90)
        if self.chance(self.config.look.tinted):
            return self.rng.randint(200, 252)
        return 255

    def _ink(self) -> int:
        grey = self.chance(self.config.look.grey)
        if self.inverted:
            low = self.paper + _MIN_CONTRAST if grey else 215
            return self.rng.randint(max(low, self.paper + _MIN_CONTRAST), 255)
        if grey:
            return self.rng.randint(50, self.paper - _MIN_CONTRAST)
        return self.rng.choice((0, 0, 0, self.rng.randint(0, 50)))

    def _listed(self, count: int) -> list[str]:
        """Words of a list, with a few marks."""
        vocabulary = self.material.words.get(self.language)
        if not vocabulary:
            return self._running(count)
        words = []
        for _ in range(count):
            word = self.rng.choice(vocabulary)
            draw = self.rng.random()
            if draw < 0.12:
                word = word.capitalize()
            elif draw < 0.2:
                word += self.rng.choice((",", ".", ";", ":", "?", "!"))
            elif draw < 0.23:
                word = f"({word})"
            elif draw < 0.25:
                word = f"{word}-{self.rng.choice(vocabulary)}"
            words.append(word)
        return words

    def _running(self, count: int) -> list[str]:
        """Consecutive words of a text, from the start of a paragraph or from inside."""
        texts = self.material.texts[self.language]
        text: Text = self.rng.choice(texts)
        self.licences.add(text.licence)
        at = self.rng.randrange(len(text.paragraphs))
        words = text.paragraphs[at].split()
        if self.chance(0.4) and len(words) > count:
            words = words[self.rng.randrange(len(words) - count) :]
        while len(words) < count:
            at = (at + 1) % len(text.paragraphs)
            words += text.paragraphs[at].split()
        return words[:count]
